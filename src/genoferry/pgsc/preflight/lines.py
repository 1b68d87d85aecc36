"""Text of a stream, plain, gzip or zstd, told apart by its first bytes; in batches of lines, in bounded memory.

A gzip file that was cut is found out; of a zstd file, zstandard's streams don't tell.
"""

from __future__ import annotations

import gzip
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, BinaryIO, Literal

from genoferry.errors import CalculationError, CalculationStopped, GenotypesInvalid, ToolsMissing

Opener = Callable[[], BinaryIO]
"""Opens a file's plaintext anew, as it is stored. Only `read` and `close` are used of it."""

Compression = Literal["plain", "gzip", "zstd"]
MAGIC: tuple[tuple[bytes, Compression], ...] = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"))
START = 64
"""Bytes that tell what a file is."""

CHUNK = 256 * 1024
LONG = 64 * 1024
"""Bytes of a line that are kept: what is looked for stands at its beginning."""

MAX_WINDOW = 64 * 1024**2
"""Bytes that a zstd file may want to be kept in memory; plink2 writes 8 MiB at most."""


class Unreadable(Exception):
    """Within this package: a file can't be decompressed. `kind` says what becomes of it."""

    def __init__(self, kind: type[CalculationError] = GenotypesInvalid) -> None:
        super().__init__()
        self.kind = kind


class Text:
    """A file that is being read. `whole`: it was read to its end. `longest`: bytes of a line that are kept, which a
    reader may change as it goes on."""

    def __init__(self, stream: BinaryIO, stop: threading.Event) -> None:
        self._stream, self._stop = stream, stop
        self.start = _fill(stream, START)
        self.compression: Compression = next((kind for magic, kind in MAGIC if self.start.startswith(magic)), "plain")
        self.whole, self.bytes, self.longest = False, 0, LONG

    def batches(self) -> Iterator[list[bytes]]:
        """Lines without their ends. Raises `Unreadable`, `CalculationStopped`, and what the stream raises."""
        rest = b""
        for chunk in self._chunks():
            enough = len(rest) >= self.longest  # is known of the line that goes on here
            lines = [rest, *chunk.split(b"\n")[1:]] if enough else (rest + chunk).split(b"\n")
            rest = lines.pop()[: self.longest]
            if lines:
                yield lines
        if rest:
            yield [rest]
        self.whole = True

    def _chunks(self) -> Iterator[bytes]:
        source: Any = _DECOMPRESS[self.compression](_Again(self.start, self._stream))
        while True:
            if self._stop.is_set():
                raise CalculationStopped
            with _readable():
                chunk = source.read1(CHUNK) if self.compression == "gzip" else source.read(CHUNK)
            if not chunk:
                return
            self.bytes += len(chunk)
            yield chunk


@contextmanager
def opened(opener: Opener, stop: threading.Event) -> Iterator[Text]:
    """The file, and closed again. Raises what `opener` raises, and `CalculationStopped`."""
    if stop.is_set():
        raise CalculationStopped
    with _Closing(opener()) as stream:
        yield Text(stream, stop)


class _Closing:
    """A body of a bucket has `close` but is no context manager."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def __enter__(self) -> BinaryIO:
        return self._stream

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._stream.close()


class _Again:
    """A stream with its first bytes put back."""

    def __init__(self, start: bytes, stream: BinaryIO) -> None:
        self._start, self._stream = start, stream

    def read(self, size: int = CHUNK) -> bytes:
        if self._start:
            start, self._start = self._start[:size], self._start[size:]
            return start
        return self._stream.read(size)


def _fill(stream: BinaryIO, size: int) -> bytes:
    """`size` bytes, or all where there are fewer: a stream may give less than it has."""
    start = b""
    while len(start) < size and (more := stream.read(size - len(start))):
        start += more
    return start


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise Unreadable from error
    except Exception as error:  # zstandard's own, which may not be there to be named
        if type(error).__module__.partition(".")[0] == "zstandard" or type(error).__name__ == "ZstdError":
            raise Unreadable from error
        raise


def _gunzip(source: _Again) -> Any:
    return gzip.GzipFile(fileobj=source)  # type: ignore[call-overload]  # it only reads


def _unzstd(source: _Again) -> Any:
    try:
        from zstandard import ZstdDecompressor  # of the `pgs` extra: a worker may lack it
    except ImportError as error:
        raise Unreadable(ToolsMissing) from error
    stream: Any = source
    return ZstdDecompressor(max_window_size=MAX_WINDOW).stream_reader(stream, read_across_frames=True, closefd=False)


_DECOMPRESS: dict[Compression, Callable[[_Again], Any]] = {
    "plain": lambda source: source,
    "gzip": _gunzip,
    "zstd": _unzstd,
}
