"""Copying what isn't encrypted: told of as it goes, and stopped while it does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from genoferry.errors import StagingStopped
from genoferry.staging.cancellation import Halt
from genoferry.staging.copy import CHUNK, copy
from genoferry.staging.source import SourceStat
from genoferry.staging.upload import Destination

DEST = Destination("b", "k")


class Zeros:
    """A source of one file of that many bytes; `at_read` is called before each read of it."""

    def __init__(self, size: int, at_read: Callable[[int], object] = lambda _: None) -> None:
        self.stat, self.at_read = SourceStat(size, '"e"'), at_read
        self.aborted = threading.Event()
        self._at = 0

    def open(self, path: str, start: int, stop: int, if_match: str | None = None, halt: Halt | None = None) -> Zeros:
        self._at = start
        return self

    def readinto(self, view: memoryview) -> int:
        self.at_read(self._at)
        got = min(len(view), self.stat.size - self._at)
        self._at += got
        return got

    def close(self) -> None:
        pass

    def abort(self) -> None:
        self.aborted.set()


class S3:
    """Takes a file in chunks, as boto3 does."""

    def __init__(self) -> None:
        self.size: int | None = None

    def upload_fileobj(self, body: Any, bucket: str, key: str, Config: object) -> None:
        size = 0
        while chunk := body.read(CHUNK):
            size += len(chunk)
        self.size = size

    def head_object(self, **_: object) -> dict[str, Any]:
        return {"ETag": '"x"', "ContentLength": self.size}


def run(source: Zeros, s3: S3, stop: threading.Event, told: list[int]) -> tuple[str, int]:
    client: Any = s3
    return copy(source, "p", DEST, s3=client, stop=stop, on_progress=told.append)


def test_progress_is_told_to_the_last_byte() -> None:
    told: list[int] = []
    size = 2 * CHUNK + 5
    assert run(Zeros(size), S3(), threading.Event(), told) == ('"x"', size)
    assert told[:3] == [CHUNK, 2 * CHUNK, size]
    assert told[-1] == size


@pytest.mark.timeout(30)
def test_a_stop_ends_it_midway() -> None:
    told: list[int] = []
    stop, s3 = threading.Event(), S3()
    source = Zeros(8 * CHUNK)

    def at_read(at: int) -> None:
        if at >= 2 * CHUNK:
            stop.set()
            source.aborted.wait()  # a server that has gone silent: only an abort ends the wait

    source.at_read = at_read
    with pytest.raises(StagingStopped):
        run(source, s3, stop, told)
    assert s3.size is None
    assert told == [CHUNK, 2 * CHUNK]


def test_stopped_before_it_begins_nothing_is_read() -> None:
    stop, told = threading.Event(), list[int]()
    stop.set()
    with pytest.raises(StagingStopped):
        run(Zeros(5), S3(), stop, told)
    assert told == []
