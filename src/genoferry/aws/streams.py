"""An object read from front to back, as a stream: nothing of it on disk, no more in memory than is asked for."""

from __future__ import annotations

import io
from typing import Any

from genoferry.aws.errors import mapped

BUFFER = 1024 * 1024


class _Body(io.RawIOBase):
    def __init__(self, body: Any) -> None:
        self._body = body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with mapped():
            data = self._body.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._body.close()  # what wasn't read is not fetched either
        super().close()


def open_object(client: Any, bucket: str, key: str) -> io.BufferedReader:
    """A boto3 client's object. Raises `ServiceError`s, while it is read too."""
    with mapped():
        body = client.get_object(Bucket=bucket, Key=key)["Body"]
    return io.BufferedReader(_Body(body), BUFFER)
