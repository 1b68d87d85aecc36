"""Where private keys come from. Each provider fetches one, late, and hands it over in a type that never prints.

All raise `KeyMissing`, `KeyDenied`, `KeyMalformed`, `KeyUnavailable` (transient) and `SourceNotAllowed`.
"""

from __future__ import annotations

import json
import os
from base64 import b64encode
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from genoferry.errors import (
    GenoferryError,
    KeyDenied,
    KeyMalformed,
    KeyMissing,
    KeyUnavailable,
    SourceDenied,
    SourceMissing,
    SourceUnavailable,
)
from genoferry.staging.allowlist import check_path, check_secret
from genoferry.staging.aws_errors import Table, translated
from genoferry.staging.file import of_errno, open_allowed
from genoferry.staging.http_client import Web
from genoferry.staging.key_file import parse_private_key
from genoferry.staging.key_wrapping import unwrap
from genoferry.staging.private_key import PrivateKey

MAX_KEY = 64 * 1024
"""Bytes of a key file or a key service's answer; a real one has a few hundred."""

STATUS: dict[int, type[GenoferryError]] = {401: KeyDenied, 403: KeyDenied, 404: KeyMissing, 410: KeyMissing}

TABLE: Table = {
    "ResourceNotFoundException": KeyMissing,
    "AccessDeniedException": KeyDenied,
    "DecryptionFailure": KeyDenied,
    "InvalidRequestException": KeyMissing,  # marked for deletion
    403: KeyDenied,
    404: KeyMissing,
    "transient": KeyUnavailable,
    "other": KeyMissing,
}

OF_SOURCE: dict[type[GenoferryError], type[GenoferryError]] = {
    SourceMissing: KeyMissing,
    SourceDenied: KeyDenied,
    SourceUnavailable: KeyUnavailable,
}
"""A key is fetched by the means that files are; what went wrong is said of the key."""


class KeyService:
    """`GET {url}/key/{secret_id}/version/{version}`, HTTP Basic; see `wrapping` for the answer's `privateKey`.

    `web` must allow the service's host: `Web((urlsplit(url).netloc,))` where the URL is the operator's own.
    """

    def __init__(self, web: Web, url: str, username: str, password: str, wrapping_password: str) -> None:
        self._web, self._url, self._wrapping_password = web, url.rstrip("/"), wrapping_password
        self._authorization = "Basic " + b64encode(f"{username}:{password}".encode()).decode()

    def private_key(self, secret_id: str, version: str) -> PrivateKey:
        names = [quote(check_path(name), safe="") for name in (secret_id, version)]
        headers = {"Authorization": self._authorization, "Accept": "application/json"}
        try:
            answer = self._web.get(f"{self._url}/key/{names[0]}/version/{names[1]}", headers)
            try:
                if answer.status != 200:
                    raise STATUS.get(answer.status, KeyUnavailable if answer.status >= 500 else KeyMissing)()
                body = answer.read(MAX_KEY)
            finally:
                answer.close()
        except SourceUnavailable as error:
            raise KeyUnavailable from error
        return parse_private_key(unwrap(_wrapped(body), self._wrapping_password))


def _wrapped(body: bytes) -> str:
    try:
        wrapped = json.loads(body)["privateKey"]
    except (ValueError, KeyError, TypeError):
        raise KeyMalformed from None
    if not isinstance(wrapped, str):
        raise KeyMalformed
    return wrapped


class KeyFiles:
    """Key files in the folders of `roots` (`GENOFERRY_ALLOW_KEY_ROOTS`); see `key_file` for their formats."""

    def __init__(self, roots: Iterable[str]) -> None:
        self._roots = tuple(roots)

    def private_key(self, path: str, passphrase_file: str | None = None) -> PrivateKey:
        passphrase = None if passphrase_file is None else self._read(passphrase_file).rstrip(b"\r\n")
        return parse_private_key(self._read(path), passphrase)

    def _read(self, path: str) -> bytes:
        try:
            fd = open_allowed(Path(path), self._roots)
        except (SourceMissing, SourceDenied, SourceUnavailable) as error:
            raise OF_SOURCE[type(error)]() from error
        with os.fdopen(fd, "rb") as file:
            try:
                text = file.read(MAX_KEY + 1)
            except OSError as error:
                raise OF_SOURCE.get(type(of_errno(error)), KeyUnavailable)() from error
        if len(text) > MAX_KEY:
            raise KeyMalformed
        return text


class SecretsManager(Protocol):
    """What is used of boto3's client."""

    def get_secret_value(self, **parameters: Any) -> Any: ...


class SecretsManagerKeys:
    """Keys in AWS Secrets Manager, as text or binary, where `prefixes` allow; formats as of key files."""

    def __init__(self, client: SecretsManager, prefixes: Iterable[str]) -> None:
        self._client, self._prefixes = client, tuple(prefixes)

    def private_key(self, secret_id: str, version_id: str | None = None) -> PrivateKey:
        version: Any = {} if version_id is None else {"VersionId": version_id}
        with translated(TABLE):
            answer = self._client.get_secret_value(SecretId=check_secret(secret_id, self._prefixes), **version)
        return parse_private_key(answer.get("SecretBinary") or answer.get("SecretString", "").encode())
