"""The job's side of the buckets and the report queue: blocking, on threads."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from boto3.exceptions import S3UploadFailedError
from tenacity import Retrying, stop_before_delay, wait_random_exponential

from genoferry.aws.clients import sync_client
from genoferry.aws.errors import AGAIN, mapped, translate
from genoferry.errors import DigestMismatch, NotFound, PreconditionFailed, SizeMismatch

CHUNK = 1024 * 1024
PATIENT: dict[str, Any] = AGAIN | {
    "wait": wait_random_exponential(multiplier=0.5, max=15),
    "stop": stop_before_delay(120),
}
"""For what the attempt hangs on: its claim, its job.json and its exit report. A bad minute must not cost it."""


class Storage:
    """S3 and SQS as the job needs them. All raise `ServiceError`s; documents are tried for two minutes first."""

    def __init__(self) -> None:
        self._s3: Any = sync_client("s3")
        self._sqs: Any = sync_client("sqs")  # here, on one thread: reports come from several, and often

    def get(self, bucket: str, key: str) -> bytes | None:
        try:
            return Retrying(**PATIENT)(self._get, bucket, key)
        except NotFound:
            return None

    @mapped()
    def _get(self, bucket: str, key: str) -> bytes:
        body: bytes = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def put(self, bucket: str, key: str, body: bytes) -> None:
        Retrying(**PATIENT)(self._put, Bucket=bucket, Key=key, Body=body, ContentType="application/json")

    def put_new(self, bucket: str, key: str, body: bytes) -> bool:
        """Put only if absent; False where something is there. A 409, which says neither, is tried again."""
        try:
            Retrying(**PATIENT)(self._put, Bucket=bucket, Key=key, Body=body, IfNoneMatch="*")
        except PreconditionFailed:
            return False
        return True

    @mapped()
    def _put(self, **what: Any) -> None:
        self._s3.put_object(**what)

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
            file.flush()
            os.fsync(file.fileno())  # another attempt may take it as it is
        if done != size:
            raise SizeMismatch("A staged input is not as long as it was when it was staged.")
        if sha256 is not None and digest.hexdigest() != sha256:
            raise DigestMismatch

    def upload(self, path: Path, bucket: str, key: str, content_type: str) -> None:
        extra = {"ContentType": content_type, "ChecksumAlgorithm": "CRC64NVME"}
        try:
            with mapped():
                self._s3.upload_file(str(path), bucket, key, ExtraArgs=extra)
        except S3UploadFailedError as error:  # boto3's own, which hides botocore's as its context
            cause = error.__cause__ or error.__context__
            raise translate(cause if isinstance(cause, Exception) else error) from error

    def send(self, queue_url: str, body: str) -> None:
        with mapped():
            self._sqs.send_message(QueueUrl=queue_url, MessageBody=body)


def sha256_of(path: Path) -> str:
    """Hex sha256 of a file, read in chunks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
