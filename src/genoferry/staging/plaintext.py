"""A file of a source as a stream from its beginning: in memory, a part at a time, and nothing on disk."""

from __future__ import annotations

import io
from typing import Any

from genoferry.staging.cancellation import Halt
from genoferry.staging.copy import MAX_COPY
from genoferry.staging.part_buffer import Bench
from genoferry.staging.plan import Plan, make_plan
from genoferry.staging.private_key import PrivateKey
from genoferry.staging.ranges import Origin, RangeReader, Retry
from genoferry.staging.segments import MIN_PART
from genoferry.staging.source import Source


def open_plaintext(
    source: Source,
    path: str,
    key: PrivateKey,
    *,
    expect_size: int | None = None,
    retry: Retry | None = None,
    halt: Halt | None = None,
) -> Plaintext:
    """What a Crypt4GH file holds. The key is used here, and not kept. `expect_size`: bytes as stored.

    Raises the errors of `Source.open` and `parse_header`, `SizeMismatch`; `StagingStopped` once `halt` is set.
    """
    retry, halt = retry or Retry(), halt or Halt()
    plan = make_plan(
        source, path, key, expect_size=expect_size, etag=None, wanted_part=MIN_PART, retry=retry, halt=halt
    )
    return Plaintext(plan, retry, halt)


def open_stored(source: Source, path: str, *, retry: Retry | None = None, halt: Halt | None = None) -> Stored:
    """A file that isn't encrypted, as it is stored. Nothing is asked of the source before the first `read`."""
    return Stored(RangeReader(Origin(source, path), 0, MAX_COPY, retry=retry or Retry(), halt=halt or Halt()))


class Plaintext(io.RawIOBase):
    """Keeps one part in memory: 5 MiB, more of a file of over 50 GB. A read ends where a part does.

    Reading raises `SegmentCorrupt` and the errors of `RangeReader.fill`.
    """

    def __init__(self, plan: Plan, retry: Retry, halt: Halt) -> None:
        super().__init__()
        self._bench = Bench(plan, retry, halt)
        self._parts = iter(plan.parts)
        self._left = memoryview(b"")
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._left and not self._ended:
            self._next()
        view = memoryview(buffer).cast("B")
        piece = self._left[: len(view)]
        view[: len(piece)] = piece
        self._left = self._left[len(piece) :]
        return len(piece)

    def _next(self) -> None:
        part = next(self._parts, None)
        if part is None:
            self._ended = True
            self._bench.check_tail()
        else:
            self._left = self._bench.plaintext(part)


class Stored(io.RawIOBase):
    """Reading raises the errors of `RangeReader.some`."""

    def __init__(self, reader: RangeReader) -> None:
        super().__init__()
        self._reader, self._done = reader, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        stat = self._reader.stat
        if stat is not None and self._done >= stat.size:
            return 0
        got = self._reader.some(memoryview(buffer).cast("B"))
        self._done += got
        return got

    def close(self) -> None:
        self._reader.close()
        super().close()
