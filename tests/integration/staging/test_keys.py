"""The providers of private keys, each against its counterpart, and each failure to its own error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from crypt4gh.keys import c4gh

from genoferry.errors import KeyDenied, KeyMalformed, KeyMissing, KeyUnavailable, SourceNotAllowed
from genoferry.staging.http_client import Web
from genoferry.staging.keys import KeyFiles, KeyService, SecretsManagerKeys
from genoferry.staging.private_key import PrivateKey
from genoferry.testing import key_service as double

CANARY = b"0123456789-canary-canary-9876543"
PUBLIC = PrivateKey(CANARY).public
SECRET_ID = "3f0c1a52-6c8f-4b3e-9d2a-111111111111"


@pytest.fixture
def service() -> Any:
    with double.KeyService({(SECRET_ID, "1"): CANARY}) as running:
        yield running


@pytest.fixture
def provider(service: Any) -> Any:
    """A client of the service, with what differs from the right secrets."""
    with Web((service.host,)) as web:
        right = {"password": "service-password", "wrapping_password": "wrapping-password"}
        yield lambda **changed: KeyService(web, service.url, "worker", **(right | changed))


def key_text(tmp_path: Path, word: bytes | None) -> bytes:
    from base64 import b64encode

    body = b64encode(c4gh.encode_private_key(CANARY, word, None))
    return b"-----BEGIN CRYPT4GH PRIVATE KEY-----\n" + body + b"\n-----END CRYPT4GH PRIVATE KEY-----\n"


def test_the_key_service(service: Any, provider: Any, tmp_path: Path) -> None:
    service.keys[SECRET_ID, "2"] = key_text(tmp_path, None)
    for version in ("1", "2"):
        assert provider().private_key(SECRET_ID, version).public == PUBLIC
    assert [request.path for request in service.requests] == [
        f"/key/{SECRET_ID}/version/1",
        f"/key/{SECRET_ID}/version/2",
    ]


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, KeyDenied), (403, KeyDenied), (404, KeyMissing), (500, KeyUnavailable), (503, KeyUnavailable)],
)
def test_its_statuses(service: Any, provider: Any, status: int, error: type[Exception]) -> None:
    service.statuses = [status]
    with pytest.raises(error):
        provider().private_key(SECRET_ID, "1")


def test_its_refusals(service: Any, provider: Any) -> None:
    with pytest.raises(KeyDenied):
        provider(password="other").private_key(SECRET_ID, "1")
    with pytest.raises(KeyMissing):
        provider().private_key(SECRET_ID, "9")
    with pytest.raises(KeyMalformed) as caught:
        provider(wrapping_password="password-canary").private_key(SECRET_ID, "1")
    assert "canary" not in f"{caught.value!r} {caught.getrepr()}".replace("password-canary", "", 1)


@pytest.mark.parametrize(
    "body",
    [b"", b"nonsense", b"[]", b"{}", b'{"privateKey": 5}', b'{"privateKey": "AAAA"}', b'{"privateKey": "%"}', b"\xff"],
)
def test_answers_that_make_no_sense(service: Any, provider: Any, body: bytes) -> None:
    service.bodies = [body]
    with pytest.raises(KeyMalformed):
        provider().private_key(SECRET_ID, "1")


def test_an_answer_without_end(service: Any, provider: Any) -> None:
    service.bodies = [json.dumps({"privateKey": "A" * 10**6}).encode()]
    with pytest.raises(KeyUnavailable):
        provider().private_key(SECRET_ID, "1")


@pytest.mark.parametrize("name", ["../../admin", "..", "", "a\nb"])
def test_names_that_would_lead_elsewhere(service: Any, provider: Any, name: str) -> None:
    with pytest.raises(SourceNotAllowed):
        provider().private_key(name, "1")
    assert service.requests == []


def test_no_service() -> None:
    with pytest.raises(KeyUnavailable):
        KeyService(Web(("127.0.0.1:1",)), "http://127.0.0.1:1", "worker", "a", "b").private_key(SECRET_ID, "1")


def test_key_files(folder: Path) -> None:
    files = KeyFiles([str(folder)])
    (folder / "open.sec").write_bytes(key_text(folder, None))
    (folder / "locked.sec").write_bytes(key_text(folder, b"word"))
    (folder / "word").write_bytes(b"word\n")
    assert files.private_key(str(folder / "open.sec")).public == PUBLIC
    assert files.private_key(str(folder / "locked.sec"), str(folder / "word")).public == PUBLIC
    for failing in (["locked.sec"], ["word"], ["locked.sec", "open.sec"]):
        with pytest.raises(KeyMalformed):
            files.private_key(*(str(folder / name) for name in failing))


def test_key_files_that_are_not_there_or_not_allowed(folder: Path) -> None:
    files = KeyFiles([str(folder)])
    (folder / "link").symlink_to(folder.parent / "other" / "secret")
    (folder / "long").write_bytes(b"x" * 10**6)
    with pytest.raises(KeyMissing):
        files.private_key(str(folder / "none"))
    with pytest.raises(KeyMalformed):
        files.private_key(str(folder / "long"))
    for path in (folder.parent / "other" / "secret", folder / ".." / "other" / "secret", folder / "link"):
        with pytest.raises(SourceNotAllowed):
            files.private_key(str(path))
    with pytest.raises(SourceNotAllowed):
        KeyFiles([]).private_key(str(folder / "long"))


@pytest.fixture
def secrets() -> Any:
    client = boto3.client("secretsmanager", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    with Stubber(client) as stub:
        yield client, stub
    client.close()


def test_secrets_manager(secrets: Any, tmp_path: Path) -> None:
    client, stub = secrets
    stub.add_response("get_secret_value", {"SecretBinary": CANARY}, {"SecretId": "genoferry/key"})
    stub.add_response(
        "get_secret_value",
        {"SecretString": key_text(tmp_path, None).decode()},
        {"SecretId": "genoferry/key", "VersionId": "v" * 32},
    )
    keys = SecretsManagerKeys(client, ["genoferry/"])
    assert keys.private_key("genoferry/key").public == PUBLIC
    assert keys.private_key("genoferry/key", "v" * 32).public == PUBLIC
    with pytest.raises(SourceNotAllowed):
        keys.private_key("other/key")
    stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("ResourceNotFoundException", 400, KeyMissing),
        ("AccessDeniedException", 400, KeyDenied),
        ("InternalServiceError", 500, KeyUnavailable),
        ("ThrottlingException", 400, KeyUnavailable),
    ],
)
def test_secrets_managers_refusals(secrets: Any, code: str, status: int, error: type[Exception]) -> None:
    client, stub = secrets
    stub.add_client_error("get_secret_value", code, http_status_code=status)
    with pytest.raises(error):
        SecretsManagerKeys(client, ["genoferry/"]).private_key("genoferry/key")
