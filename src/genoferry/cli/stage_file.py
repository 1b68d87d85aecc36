"""The work of `genoferry stage`: source, key and destination from what a person wrote, then the pump."""

from __future__ import annotations

import hashlib
import resource
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import typer

from genoferry.aws.clients import sync_client
from genoferry.aws.errors import mapped
from genoferry.errors import DigestMismatch, KeyDenied, KeyMissing, StagingStopped
from genoferry.staging import transfer
from genoferry.staging.allowlist import DEFAULT_PORTS
from genoferry.staging.file import FileSource
from genoferry.staging.http_client import Web
from genoferry.staging.https import HttpsSource
from genoferry.staging.keys import KeyFiles
from genoferry.staging.private_key import PrivateKey
from genoferry.staging.s3 import S3Source
from genoferry.staging.source import Source
from genoferry.staging.upload import Destination

CHUNK = 1024 * 1024
OnProgress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Done:
    """`size` in bytes of the plaintext, `source_size` as stored."""

    uri: str
    size: int
    etag: str
    crc64nvme: str | None
    sha256: str | None
    source_size: int
    seconds: float
    peak_rss_bytes: int

    def document(self) -> dict[str, Any]:
        return asdict(self)


def stage_one(
    source: str,
    dest: str,
    *,
    key: Path,
    passphrase_file: Path | None,
    expect_size: int | None,
    expect_sha256: str | None,
    parts_in_flight: int,
    part_size: int,
    on_progress: OnProgress,
    stop: threading.Event,
) -> Done:
    """Stage one file; abort its upload where that fails. Raises what `staging.pump.stage` does, `DigestMismatch`."""
    begun = time.monotonic()
    s3 = sync_client("s3")
    place = destination(dest)
    where, path = open_source(source, s3)
    uploads: list[str] = []
    try:
        with private_key(key, passphrase_file) as secret:
            staged = transfer.stage(
                where,
                path,
                place,
                secret,
                s3=s3,
                expect_size=expect_size,
                on_upload=lambda upload: uploads.append(upload.upload_id),
                on_progress=lambda done, total: on_progress("staging", done, total),
                stop=stop,
                parts_in_flight=parts_in_flight,
                part_size=part_size,
            )
    except BaseException:
        for upload_id in uploads:
            transfer.abort(s3, place, upload_id)
        raise
    sha256 = (
        _read_back(s3, place, staged.size, expect_sha256, on_progress=on_progress, stop=stop) if expect_sha256 else None
    )
    return Done(
        uri=dest,
        size=staged.size,
        etag=staged.etag,
        crc64nvme=staged.crc64nvme,
        sha256=sha256,
        source_size=staged.source_size,
        seconds=round(time.monotonic() - begun, 3),
        peak_rss_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    )


def destination(uri: str) -> Destination:
    """Of `s3://bucket/key`."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not (uri.startswith("s3://") and bucket and key):
        raise typer.BadParameter("looks like s3://BUCKET/KEY.", param_hint="DEST")
    return Destination(bucket, key)


def open_source(text: str, s3: Any) -> tuple[Source, str]:
    """The source that a URL, an `s3://` URI or a path names, with nothing else allowed, and the file's path in it."""
    if text.startswith("s3://"):
        bucket, _, key = text.removeprefix("s3://").partition("/")
        return S3Source(s3, bucket, "", (bucket,)), key
    if text.startswith(("https://", "http://")):
        base, _, name = text.rpartition("/")
        return HttpsSource(base, Web((_host(text),))), name
    path = Path(text).expanduser().absolute()
    root = str(path.resolve().parent)
    return FileSource(root, (root,)), path.resolve().name


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return f"{host}:{parts.port or DEFAULT_PORTS[parts.scheme]}"
    except ValueError:
        raise typer.BadParameter("is no valid URL.", param_hint="SOURCE") from None


def private_key(path: Path, passphrase_file: Path | None) -> PrivateKey:
    """The key in a file of this machine."""
    files = [file.expanduser().resolve() for file in (path, passphrase_file) if file is not None]
    keys = KeyFiles(tuple(str(file.parent) for file in files))
    try:
        return keys.private_key(*(str(file) for file in files))
    except KeyMissing:
        raise KeyMissing(
            "There is no such key file, or no such passphrase file. Check --key and --passphrase-file."
        ) from None
    except KeyDenied:
        raise KeyDenied("The key file or the passphrase file can't be read. Check their permissions.") from None


def _read_back(
    s3: Any, dest: Destination, size: int, expected: str, *, on_progress: OnProgress, stop: threading.Event
) -> str:
    """The staged object's sha256. Where it is another, or can't be told, the object is deleted. Raises
    `DigestMismatch`, `StagingStopped`, `ServiceError`s."""
    try:
        with mapped():
            found = _sha256(s3.get_object(**dest.where)["Body"], size, on_progress, stop)
        if found != expected:
            raise DigestMismatch(
                "The decrypted content does not have the sha256 that you gave. The staged object was deleted again."
            )
    except BaseException:
        with mapped():
            s3.delete_object(**dest.where)
        raise
    return found


def _sha256(body: Any, size: int, on_progress: OnProgress, stop: threading.Event) -> str:
    digest, done = hashlib.sha256(), 0
    for chunk in body.iter_chunks(CHUNK):
        if stop.is_set():
            raise StagingStopped
        digest.update(chunk)
        done += len(chunk)
        on_progress("verifying", done, size)
    return digest.hexdigest()
