"""Text files, plain, gzip or zstd, told apart by their first bytes: names are the sender's."""

from __future__ import annotations

import contextlib
import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO, cast

import zstandard

from genoferry.errors import CalculationError, GenomesMissing, GenotypesInvalid

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
DAMAGED = (OSError, EOFError, UnicodeDecodeError, zlib.error, zstandard.ZstdError)


@contextlib.contextmanager
def open_text(
    path: Path, missing: type[CalculationError] = GenomesMissing, damaged: type[CalculationError] = GenotypesInvalid
) -> Iterator[TextIO]:
    """Opens `path` for reading as UTF-8; raises `missing`, or `damaged` when it can't be decompressed or decoded."""
    try:
        with _open(path) as lines:
            yield lines
    except FileNotFoundError as error:
        raise missing from error
    except DAMAGED as error:
        raise damaged from error


def create_zst(path: Path) -> TextIO:
    """Opens `path` for writing UTF-8 text as zstd, level 3."""
    level = zstandard.ZstdCompressor(level=3)
    return cast("TextIO", zstandard.open(path, "wt", cctx=level, encoding="utf-8", newline="\n"))


def _open(path: Path) -> TextIO:
    with path.open("rb") as start:
        magic = start.read(4)
    if magic[:2] == GZIP:
        return cast("TextIO", gzip.open(path, "rt", encoding="utf-8"))
    if magic == ZSTD:
        stream = zstandard.ZstdDecompressor().stream_reader(path.open("rb"), closefd=True, read_across_frames=True)
        return io.TextIOWrapper(io.BufferedReader(cast("io.RawIOBase", stream), 1 << 20), encoding="utf-8")
    return path.open(encoding="utf-8")
