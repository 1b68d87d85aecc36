"""A real S3 server, and what most tests of staging need of it."""

from __future__ import annotations

import ssl
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from genoferry.local.ports import Ports
from genoferry.local.processes import end
from genoferry.local.record import Record
from genoferry.local.s3server import remove_sockets, server, url
from genoferry.local.server import await_ready, start
from genoferry.local.tools import ensure_tools
from genoferry.staging.http_client import Timeouts, Web
from genoferry.staging.https import HttpsSource
from genoferry.staging.private_key import PrivateKey
from genoferry.staging.ranges import Retry
from genoferry.staging.transfer import UploadBegun
from genoferry.staging.upload import Destination
from genoferry.testing import https_source as double
from genoferry.testing.crypt4gh_writer import new_key

BUCKET = "staging-tests"
AT_ONCE = Retry(tries=3, first=0, most=0)
"""Tries again without waiting."""


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of a SeaweedFS of this test run's own."""
    state = tmp_path_factory.mktemp("s3")
    record = Record.new(Ports.free())
    weed = server(state, record, [BUCKET, BUCKET], ensure_tools().weed)
    process = start(weed)
    try:
        await_ready(weed, process)
        client = boto3.client(
            "s3",
            endpoint_url=url(record.ports),
            region_name="us-east-1",
            aws_access_key_id=record.worker.access_key_id,
            aws_secret_access_key=record.worker.secret_access_key,
            config=Config(s3={"addressing_style": "path"}, retries={"mode": "standard", "max_attempts": 4}),
        )
        client.create_bucket(Bucket=BUCKET)
        yield client
        client.close()
    finally:
        end({process: 0.2})  # what it holds is thrown away
        remove_sockets(record.ports)


@pytest.fixture
def dest() -> Destination:
    return Destination(BUCKET, f"{uuid.uuid4()}/1/inputs/0000")


@dataclass
class Told:
    """What the callbacks of a staging said."""

    uploads: list[UploadBegun] = field(default_factory=list)
    progress: list[tuple[int, int]] = field(default_factory=list)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def pair() -> tuple[bytes, bytes]:
    """A reader's private key and its public half."""
    return new_key()


@pytest.fixture
def key(pair: tuple[bytes, bytes]) -> PrivateKey:
    return PrivateKey(pair[0])


@pytest.fixture
def serve() -> Iterator[Callable[..., double.HttpsSource]]:
    """Starts a source double; ended after the test."""
    started: list[double.HttpsSource] = []

    def start_one(files: dict[str, Any], **options: Any) -> double.HttpsSource:
        contents = {path: double.Data(c) if isinstance(c, bytes) else c for path, c in files.items()}
        started.append(double.HttpsSource(contents, **options).__enter__())
        return started[-1]

    yield start_one
    for source in started:
        source.__exit__()


@pytest.fixture
def https() -> Iterator[Callable[..., HttpsSource]]:
    """The source of a double, its host allowed and no other."""
    webs: list[Web] = []

    def connect(source: double.HttpsSource, *, hosts: tuple[str, ...] = (), **options: Any) -> HttpsSource:
        webs.append(Web((source.host, *hosts), timeouts=Timeouts(2, 2), **options))
        return HttpsSource(source.url, webs[-1])

    yield connect
    for web in webs:
        web.close()


@pytest.fixture
def retry() -> Retry:
    return AT_ONCE


@pytest.fixture
def stored(s3: Any) -> Callable[[Destination], bytes]:
    """Reads an object."""

    def read(dest: Destination) -> bytes:
        body: bytes = s3.get_object(Bucket=dest.bucket, Key=dest.key)["Body"].read()
        return body

    return read


@pytest.fixture
def uploads(s3: Any) -> Callable[[Destination], int]:
    """Counts the unfinished uploads of a key."""

    def count(dest: Destination) -> int:
        rows = s3.list_multipart_uploads(Bucket=dest.bucket, Prefix=dest.key).get("Uploads", [])
        return sum(row["Key"] == dest.key for row in rows)

    return count


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An allowed folder beside one that isn't."""
    (tmp_path / "allowed").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "secret").write_bytes(b"not yours")
    return tmp_path / "allowed"


@dataclass(frozen=True)
class Tls:
    """A server's side, and a client's that trusts it."""

    server: ssl.SSLContext
    client: ssl.SSLContext


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    """A self-signed certificate of 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "genoferry test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    text = certificate.public_bytes(Encoding.PEM)
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(text + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(path)
    return Tls(server_side, ssl.create_default_context(cadata=text.decode()))
