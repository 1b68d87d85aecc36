"""Text of a stream, plain, gzip or zstd, told apart by its first bytes; in batches of lines, in bounded memory.

A gzip file that was cut is found out; of a zstd file, zstandard's streams don't tell.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, BinaryIO

from genoferry.errors import CalculationStopped
from genoferry.pgsc.bounds import VARIANTS, Bounds, Meter
from genoferry.pgsc.preflight.decompress import DECOMPRESS, MAGIC, Again, Compression, readable

Opener = Callable[[], BinaryIO]
"""Opens a file's plaintext anew, as it is stored. Only `read` and `close` are used of it."""

START = 64
"""Bytes that tell what a file is."""

CHUNK = 256 * 1024
LONG = 64 * 1024
"""Bytes of a line that are kept: what is looked for stands at its beginning."""

MOST = 2 * 1024**3
"""Bytes of a file's text that are read, unless less is said."""


class Text:
    """A file that is being read, to about `most` bytes of its text, within `bounds`. `whole`: it was read to its end;
    `cut`: it goes on after `most`. `longest`: bytes of a line that are kept, which a reader may change later."""

    def __init__(self, stream: BinaryIO, stop: threading.Event, most: int = MOST, bounds: Bounds = VARIANTS) -> None:
        self._stream, self._stop, self._most, self._bounds = stream, stop, most, bounds
        self.start = _fill(stream, START)
        self.compression: Compression = next((kind for magic, kind in MAGIC if self.start.startswith(magic)), "plain")
        self.whole, self.cut, self.bytes, self.longest = False, False, 0, LONG

    def batches(self) -> Iterator[list[bytes]]:
        """Lines without their ends; none that `most` cuts through. Raises `Unreadable`, `OverBound`,
        `CalculationStopped`, and what the stream raises."""
        rest = bytearray()  # of the line that goes on
        for chunk in self._chunks():
            first, *lines = chunk.split(b"\n")
            rest += first[: max(0, self.longest - len(rest))]
            if lines:
                last = lines.pop()[: self.longest]
                yield [bytes(rest), *lines]
                rest = bytearray(last)
        if self.cut:
            return
        if rest:
            yield [bytes(rest)]
        self.whole = True

    def _chunks(self) -> Iterator[bytes]:
        stored = Again(self.start, self._stream, self._stop)
        source: Any = DECOMPRESS[self.compression](stored)
        meter = Meter(self._bounds, stored.count)
        while True:
            if self._stop.is_set():
                raise CalculationStopped
            with readable():
                chunk = source.read1(CHUNK) if self.compression == "gzip" else source.read(CHUNK)
            if not chunk:
                return
            meter.add(chunk)
            if self.bytes >= self._most:
                self.cut = True
                return
            self.bytes += len(chunk)
            yield chunk


@contextmanager
def opened(opener: Opener, stop: threading.Event, most: int = MOST, bounds: Bounds = VARIANTS) -> Iterator[Text]:
    """The file, and closed again. Raises what `opener` raises, and `CalculationStopped`."""
    if stop.is_set():
        raise CalculationStopped
    with _Closing(opener()) as stream:
        yield Text(stream, stop, most, bounds)


class _Closing:
    """A body of a bucket has `close` but is no context manager."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def __enter__(self) -> BinaryIO:
        return self._stream

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._stream.close()


def _fill(stream: BinaryIO, size: int) -> bytes:
    """`size` bytes, or all where there are fewer: a stream may give less than it has."""
    start = b""
    while len(start) < size and (more := stream.read(size - len(start))):
        start += more
    return start
