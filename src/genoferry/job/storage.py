"""The job's side of the buckets and the report queue: blocking, on threads."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from genoferry.aws.clients import sync_client
from genoferry.aws.errors import mapped
from genoferry.errors import DigestMismatch, NotFound, PreconditionFailed, SizeMismatch

CHUNK = 1024 * 1024


class Storage:
    """S3 and SQS as the job needs them. All raise `ServiceError`s."""

    def __init__(self) -> None:
        self._s3: Any = sync_client("s3")

    def get(self, bucket: str, key: str) -> bytes | None:
        try:
            with mapped():
                body: bytes = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
                return body
        except NotFound:
            return None

    def put(self, bucket: str, key: str, body: bytes) -> None:
        with mapped():
            self._s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json")

    def put_new(self, bucket: str, key: str, body: bytes) -> bool:
        """Put only if absent; False where something is there."""
        try:
            with mapped():
                self._s3.put_object(Bucket=bucket, Key=key, Body=body, IfNoneMatch="*")
        except PreconditionFailed:
            return False
        return True

    def fetch(
        self, bucket: str, key: str, target: Path, *, size: int, sha256: str | None, moved: Callable[[int], None]
    ) -> None:
        """An object into a file, checked while it comes. Raises `SizeMismatch`, `DigestMismatch`."""
        digest, done = hashlib.sha256(), 0
        with mapped(), target.open("xb") as file:
            for chunk in self._s3.get_object(Bucket=bucket, Key=key)["Body"].iter_chunks(CHUNK):
                file.write(chunk)
                digest.update(chunk)
                done += len(chunk)
                moved(len(chunk))
        if done != size:
            raise SizeMismatch("A staged input is not as long as it was when it was staged.")
        if sha256 is not None and digest.hexdigest() != sha256:
            raise DigestMismatch

    def upload(self, path: Path, bucket: str, key: str, content_type: str) -> None:
        with mapped():
            extra = {"ContentType": content_type, "ChecksumAlgorithm": "CRC64NVME"}
            self._s3.upload_file(str(path), bucket, key, ExtraArgs=extra)

    def send(self, queue_url: str, body: str) -> None:
        with mapped():
            sync_client("sqs").send_message(QueueUrl=queue_url, MessageBody=body)


def sha256_of(path: Path) -> str:
    """Hex sha256 of a file, read in chunks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
