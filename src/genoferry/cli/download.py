"""Results into a folder: each whole or not at all, checked, and nothing overwritten that is another's."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import typer

from genoferry.aws.clients import sync_client
from genoferry.aws.errors import mapped
from genoferry.contracts.results import ResultPointer
from genoferry.errors import NoResults, NotFound, ResultDamaged, WouldOverwrite

CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Fetched:
    """A result on this machine. `written` is False where it was there already."""

    path: Path
    size: int
    sha256: str
    written: bool


def download(
    pointers: Iterable[ResultPointer], bucket: str, out: Path, *, digests: Mapping[str, str], force: bool = False
) -> list[Fetched]:
    """`digests`: hex sha256 by key, where known. Raises `ResultDamaged`, `WouldOverwrite`, `ServiceError`s."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        s3 = sync_client("s3")
        return [_one(s3, bucket, pointer, out, digest=digests.get(pointer.key), force=force) for pointer in pointers]
    except OSError as error:
        raise typer.BadParameter(f"can't be written to: {error.strerror}.", param_hint="--out") from None


def _one(s3: Any, bucket: str, pointer: ResultPointer, out: Path, *, digest: str | None, force: bool) -> Fetched:
    target = out / PurePosixPath(pointer.key).name
    fd, name = tempfile.mkstemp(dir=out, prefix=".genoferry-")
    scratch = Path(name)
    try:
        with os.fdopen(fd, "wb") as file:
            size, sha256 = _stream(s3, bucket, pointer.key, file)
        if size != pointer.size or digest not in (None, sha256):
            raise ResultDamaged
        if target.exists() and _sha256(target) == sha256:
            return Fetched(target, size, sha256, written=False)
        if target.exists() and not force:
            raise WouldOverwrite(f"{target} is there already, with another content. --force replaces it.")
        scratch.chmod(0o600)
        scratch.replace(target)
        return Fetched(target, size, sha256, written=True)
    finally:
        scratch.unlink(missing_ok=True)


def _stream(s3: Any, bucket: str, key: str, file: Any) -> tuple[int, str]:
    """Size and hex sha256 of what was streamed; botocore compares the checksum that the object was stored with."""
    digest, size = hashlib.sha256(), 0
    try:
        with mapped():
            for chunk in s3.get_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")["Body"].iter_chunks(CHUNK):
                file.write(chunk)
                digest.update(chunk)
                size += len(chunk)
    except NotFound:
        raise NoResults("A result is no longer in the bucket; results are kept for 7 days. Send it again.") from None
    return size, digest.hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
