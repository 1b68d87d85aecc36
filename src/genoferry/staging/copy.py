"""Copying a file that isn't encrypted, such as a scorefile, into a bucket: streamed, in bounded memory."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from genoferry.aws.errors import mapped
from genoferry.errors import FileTooLarge, StagingStopped
from genoferry.staging.cancellation import Halt
from genoferry.staging.ranges import Origin, RangeReader, Retry
from genoferry.staging.source import Source
from genoferry.staging.thread_pool import Crew
from genoferry.staging.upload import Destination

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MAX_COPY = 8 * 1024**3
"""Bytes of a scorefile; the PGS Catalog's largest are well under 1 GiB."""
CHUNK = 8 * 1024**2


class _Reader:
    """A source's file as boto3 takes one: something with `read`, which raises `StagingStopped` once it is to stop."""

    def __init__(self, reader: RangeReader, halt: Halt, on_progress: Callable[[int], None]) -> None:
        self._reader, self._halt, self._on_progress = reader, halt, on_progress
        self._left: int | None = None
        self._done = 0

    def read(self, size: int = CHUNK) -> bytes:
        """Up to `size` bytes; fewer only at the end."""
        buffer = bytearray(size if size >= 0 else CHUNK)
        view, done = memoryview(buffer), 0
        while done < len(view) and (got := self._some(view[done:])):
            done += got
        self._halt.check()
        self._done += done
        self._on_progress(self._done)
        return bytes(view[:done])

    def _some(self, view: memoryview) -> int:
        if self._left == 0:
            return 0
        got = self._reader.some(view if self._left is None else view[: self._left])
        if self._left is None:
            stat = self._reader.stat
            assert stat is not None  # noqa: S101  # `some` has read of it
            self._left = _checked(stat.size)
        self._left -= got
        return got


def copy(
    source: Source,
    path: str,
    dest: Destination,
    *,
    s3: S3Client,
    stop: threading.Event,
    on_progress: Callable[[int], None] = lambda _: None,
) -> tuple[str, int]:
    """The file as it is; returns the object's ETag and size in bytes. It is small enough to begin anew after a stop.

    `on_progress` gets the bytes read so far, on a thread of its own. Raises the errors of `Source.open`,
    `FileTooLarge`, `StagingStopped` soon after `stop` is set, `ServiceError`s.
    """
    if stop.is_set():
        raise StagingStopped
    with Crew(1, stop) as crew:
        return crew.one(lambda: _copy(Origin(source, path), dest, s3, crew.halt, on_progress))


def _copy(
    origin: Origin, dest: Destination, s3: S3Client, halt: Halt, on_progress: Callable[[int], None]
) -> tuple[str, int]:
    from boto3.s3.transfer import TransferConfig

    config = TransferConfig(use_threads=False, multipart_chunksize=CHUNK, multipart_threshold=CHUNK)
    with RangeReader(origin, 0, MAX_COPY, retry=Retry(), halt=halt) as reader, mapped():
        body: Any = _Reader(reader, halt, on_progress)
        s3.upload_fileobj(body, dest.bucket, dest.key, Config=config)
        head = s3.head_object(Bucket=dest.bucket, Key=dest.key)
    return head["ETag"], head["ContentLength"]


def _checked(size: int) -> int:
    if size > MAX_COPY:
        raise FileTooLarge
    return size
