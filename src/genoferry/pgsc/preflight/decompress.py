"""Streams out of their compression: plain, gzip or zstd."""

from __future__ import annotations

import gzip
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Literal

from genoferry.errors import CalculationError, CalculationStopped, GenotypesInvalid, ToolsMissing
from genoferry.pgsc.bounds import MAX_WINDOW

Compression = Literal["plain", "gzip", "zstd"]
MAGIC: tuple[tuple[bytes, Compression], ...] = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"))


class Unreadable(Exception):
    """Within this package: a file can't be decompressed. `kind` says what becomes of it."""

    def __init__(self, kind: type[CalculationError] = GenotypesInvalid) -> None:
        super().__init__()
        self.kind = kind


class Again:
    """A stream with its first bytes put back. Counts the bytes that were read. It minds `stop` itself: a gzip file of
    empty members has no text at which a reader could."""

    def __init__(self, start: bytes, stream: BinaryIO, stop: threading.Event) -> None:
        self._start, self._stream, self._stop = start, stream, stop
        self._count = 0

    def read(self, size: int = 262_144) -> bytes:
        """Raises `CalculationStopped`, and what the stream raises."""
        if self._stop.is_set():
            raise CalculationStopped
        if self._start:
            chunk, self._start = self._start[:size], self._start[size:]
        else:
            chunk = self._stream.read(size)
        self._count += len(chunk)
        return chunk

    def count(self) -> int:
        return self._count


@contextmanager
def readable() -> Iterator[None]:
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise Unreadable from error
    except Exception as error:  # zstandard's own, which may not be there to be named
        if type(error).__module__.partition(".")[0] == "zstandard" or type(error).__name__ == "ZstdError":
            raise Unreadable from error
        raise


def _gunzip(source: Again) -> Any:
    return gzip.GzipFile(fileobj=source)  # type: ignore[call-overload]  # it only reads


def _unzstd(source: Again) -> Any:
    try:
        from zstandard import ZstdDecompressor  # of the `pgs` extra: a worker may lack it
    except ImportError as error:
        raise Unreadable(ToolsMissing) from error
    stream: Any = source
    return ZstdDecompressor(max_window_size=MAX_WINDOW).stream_reader(stream, read_across_frames=True, closefd=False)


DECOMPRESS: dict[Compression, Callable[[Again], Any]] = {
    "plain": lambda source: source,
    "gzip": _gunzip,
    "zstd": _unzstd,
}
