"""Scorefiles that are well-formed but not read by the PGS Catalog's tools: they are given a copy that they read.

pgscatalog.core 1.1 splits each header line at every equals sign (`models.py`, `ScoreHeader.from_path`:
`key, value = item.split("=")`), so that a trait or a citation with one ends it; only the first one ends the key.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from genoferry.errors import ScorefileInvalid
from genoferry.pgsc.bounds import SCOREFILE
from genoferry.pgsc.textio import open_text

STAND_IN = ":"
"""What an equals sign within a value becomes. The tools only repeat such values in a log that is not published."""

LEVEL = 1
"""Of gzip: the copy is read once."""


def readable_by_tools(source: Path, copy: Path) -> Path:
    """Return `source` where the tools can read it, else `copy`, which is written, with the time of the last change of
    `source`: the same file, the same copy. Raises `ScorefileInvalid`."""
    with open_text(source, damaged=ScorefileInvalid, bounds=SCOREFILE) as lines:
        header, first = _read_header(lines)
        mended = [_mend(line) for line in header]
        if mended == header:
            return source
        with copy.open("wb") as raw, gzip.GzipFile("", "wb", LEVEL, raw, mtime=0) as out:
            out.writelines(line.encode() for line in chain(mended, first, lines))
    os.utime(copy, ns=(source.stat().st_atime_ns, source.stat().st_mtime_ns))
    return copy


def _read_header(lines: Iterator[str]) -> tuple[list[str], list[str]]:
    """The header's lines, and the one that was read after them."""
    header: list[str] = []
    for line in lines:
        if not line.startswith("#"):
            return header, [line]
        header.append(line)
    return header, []


def _mend(line: str) -> str:
    key, equals, value = line.partition("=")
    return line if line.startswith("##") else key + equals + value.replace("=", STAND_IN)
