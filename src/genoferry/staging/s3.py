"""Files below a prefix of an S3 bucket."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from genoferry.errors import (
    RangeNotSatisfiable,
    SourceChanged,
    SourceDenied,
    SourceIgnoresRange,
    SourceMissing,
    SourceUnavailable,
    StagingError,
)
from genoferry.staging.allowlist import check_bucket, check_path
from genoferry.staging.aws_errors import Table, translated
from genoferry.staging.cancellation import Halt
from genoferry.staging.source import SourceStat

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

TABLE: Table = {
    "NoSuchKey": SourceMissing,
    "NoSuchBucket": SourceMissing,
    "InvalidRange": RangeNotSatisfiable,
    403: SourceDenied,
    404: SourceMissing,
    412: SourceChanged,
    416: RangeNotSatisfiable,
    "transient": SourceUnavailable,
    "other": StagingError,
}

_CONTENT_RANGE = re.compile(r"bytes \d+-\d+/(\d+)", re.ASCII)


class S3Source:
    """`prefix` is put before a file's path, with a slash between; it may be empty. See `Source`."""

    def __init__(self, client: S3Client, bucket: str, prefix: str, buckets: Iterable[str]) -> None:
        self._client, self._bucket = client, check_bucket(bucket, buckets)
        self._prefix = f"{check_path(prefix.rstrip('/'))}/" if prefix else ""

    def open(
        self,
        path: str,
        start: int,
        stop: int,
        if_match: str | None = None,
        halt: Halt | None = None,  # noqa: ARG002  # its wait for an answer ends by its own time-out
    ) -> S3Body:
        condition: Any = {} if if_match is None else {"IfMatch": if_match}
        with translated(TABLE):
            answer = self._client.get_object(
                Bucket=self._bucket,
                Key=self._prefix + check_path(path),
                Range=f"bytes={start}-{stop - 1}",
                **condition,
            )
        found = _CONTENT_RANGE.fullmatch(answer.get("ContentRange", ""))
        if found is None:
            answer["Body"].close()
            raise SourceIgnoresRange
        return S3Body(answer["Body"], SourceStat(int(found[1]), answer["ETag"]))


class S3Body:
    """See `Body`."""

    def __init__(self, stream: Any, stat: SourceStat) -> None:
        self._stream, self.stat = stream, stat

    def readinto(self, view: memoryview) -> int:
        with translated(TABLE):
            return int(self._stream.readinto(view))

    def close(self) -> None:
        self._stream.close()

    def abort(self) -> None:
        # Suppressed: there is no connection any more, so nothing waits for it.
        with suppress(AttributeError, OSError, RuntimeError, ValueError):
            self._stream._raw_stream.shutdown()
