"""Text files, plain, gzip or zstd, told apart by their first bytes: names are the sender's, and so is what they hold.

Each is read within bounds. Memory is bounded too: to some times the longest line that is allowed.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TextIO, cast

import zstandard

from genoferry.errors import CalculationError, CalculationStopped, GenomesMissing, GenotypesInvalid
from genoferry.pgsc.bounds import MAX_WINDOW, VARIANTS, Bounds, Meter, OverBound
from genoferry.pgsc.zstd_frames import is_whole

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
DAMAGED = (OSError, EOFError, UnicodeDecodeError, zlib.error, zstandard.ZstdError)


CHUNK = 128 * 1024
"""Bytes of text that are read at once."""


class Stop(Protocol):
    def is_set(self) -> bool: ...


@contextlib.contextmanager
def open_text(
    path: Path,
    missing: type[CalculationError] = GenomesMissing,
    damaged: type[CalculationError] = GenotypesInvalid,
    bounds: Bounds = VARIANTS,
) -> Iterator[TextIO]:
    """Opens `path` for reading as UTF-8; raises `missing`, or `damaged` when it can't be decompressed or decoded, or is
    over `bounds`."""
    with (
        _errors(missing, damaged, bounds),
        _opened(path, bounds) as source,
        io.TextIOWrapper(source, encoding="utf-8") as lines,
    ):
        yield lines


def check_text(path: Path, *, bounds: Bounds, stop: Stop) -> None:
    """Reads a file of the genomes to its end. Raises as `open_text` does, and `CalculationStopped`."""
    with _errors(GenomesMissing, GenotypesInvalid, bounds), _opened(path, bounds) as source:
        while source.read(CHUNK):
            if stop.is_set():
                raise CalculationStopped


@contextlib.contextmanager
def _errors(missing: type[CalculationError], damaged: type[CalculationError], bounds: Bounds) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise missing from error
    except OverBound as error:
        raise damaged(f"{bounds.name} {error}") from error
    except DAMAGED as error:
        raise damaged from error


def create_zst(path: Path) -> TextIO:
    """Opens `path` for writing UTF-8 text as zstd, level 3."""
    level = zstandard.ZstdCompressor(level=3)
    return cast("TextIO", zstandard.open(path, "wt", cctx=level, encoding="utf-8", newline="\n"))


@contextlib.contextmanager
def _opened(path: Path, bounds: Bounds) -> Iterator[BinaryIO]:
    with path.open("rb") as file:
        start = file.peek(len(ZSTD))
        kind = next(magic for magic in DECOMPRESS if start.startswith(magic))
        with DECOMPRESS[kind](file) as source:
            yield cast("BinaryIO", _Bounded(source, Meter(bounds, file.tell), partial(_check_end, kind, file)))


def _check_end(kind: bytes, file: BinaryIO) -> None:
    """Raise `EOFError` where a zstd file was cut; `gzip` does so by itself."""
    if kind == ZSTD and not is_whole(file):
        raise EOFError


DECOMPRESS: dict[bytes, Callable[[BinaryIO], Any]] = {
    GZIP: lambda file: gzip.GzipFile(fileobj=file),
    ZSTD: lambda file: zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW).stream_reader(
        file, read_across_frames=True, closefd=False
    ),
    b"": contextlib.nullcontext,
}
"""By a file's first bytes; plain text by none."""


class _Bounded(io.BufferedIOBase):
    """Text that is counted before it is handed on. `check_end` is called where it ends."""

    def __init__(self, source: Any, meter: Meter, check_end: Callable[[], None]) -> None:
        super().__init__()
        self._source, self._meter, self._check_end = source, meter, check_end
        self._chunk, self._place = b"", 0

    def readable(self) -> bool:
        return True

    def read1(self, size: int = -1, /) -> bytes:
        if self._place >= len(self._chunk):
            self._chunk, self._place = self._source.read(CHUNK), 0
            self._meter.add(self._chunk)
            if not self._chunk:
                self._check_end()
        stop = len(self._chunk) if size < 0 else self._place + size
        piece = self._chunk[self._place : stop]
        self._place = stop
        return piece

    def read(self, size: int | None = -1, /) -> bytes:
        """All that is left, or fewer than `size` bytes where a chunk ends."""
        return b"".join(iter(self.read1, b"")) if size is None or size < 0 else self.read1(size)
