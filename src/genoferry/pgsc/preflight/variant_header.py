"""The columns of a variant file, with a header line or without.

Sources: plink 2 file formats (https://www.cog-genomics.org/plink/2.0/formats: .pvar, .bim) and VCF 4.3, section 1.5.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from genoferry.pgsc.bounds import MAX_COLUMNS, MIB
from genoferry.pgsc.preflight.samples import Samples, of_ids, vcf_ids
from genoferry.pgsc.preflight.text_stream import Text

Layout = Literal["pvar", "bim", "vcf"]
Fault = Literal["empty", "header", "column", "line", "long", "over", "unreadable", "unread"]

BIM = (b"#CHROM", b"ID", b"CM", b"POS", b"ALT", b"REF")
NEEDED = frozenset((b"#CHROM", b"POS", b"ID", b"REF", b"ALT"))
FIXED = 9
"""Columns of a VCF before its samples."""

FIXED_BYTES = 1024
"""Bytes of a header line in which their names end: they have 45."""

LONG_HEADER = 64 * MIB
"""Bytes of the line that names the samples of a VCF which are read: 13 for each of `MAX_SAMPLES`."""

MOST_LINES = 1_000_000
"""Lines before the variants that are read; a real file has some thousands."""

NAME = re.compile(rb"[^\t\r]+")


class Head(NamedTuple):
    """`columns`: None where they can't be told, and `fault` says why. `rest`: lines that were read with them."""

    columns: tuple[bytes, ...] | None = None
    rest: list[bytes] = []  # noqa: RUF012  # never changed
    fault: Fault | None = None
    samples: Samples | None = None


def read_head(text: Text, batches: Iterator[list[bytes]], layout: Layout) -> Head:
    """plink2 reads a bim as it reads a pvar, and passes over whatever else begins with # before #CHROM."""
    count = 0
    for lines in batches:
        count += len(lines)
        for index, line in enumerate(lines):
            if line.startswith(b"#CHROM"):
                return (_vcf if layout == "vcf" else _pvar)(line, lines[index + 1 :])
            if line.startswith(b"##") or not line.strip() or (layout != "vcf" and line.startswith(b"#")):
                continue
            return Head(fault="header") if layout == "vcf" else Head(_without_header(line), lines[index:])
        if count >= MOST_LINES:
            return Head(fault="long")
    return Head(fault="long" if text.cut else "empty")


def _pvar(line: bytes, rest: list[bytes]) -> Head:
    columns = tuple(line.split(None, MAX_COLUMNS))
    return Head(columns, rest) if set(columns) >= NEEDED else Head(fault="column")


def _vcf(line: bytes, rest: list[bytes]) -> Head:
    if len(line) >= LONG_HEADER:  # and so was cut
        return Head(fault="long")
    columns = tuple(line[:FIXED_BYTES].split(b"\t", FIXED))
    names = NAME.finditer(line, sum(map(len, columns[:FIXED])) + FIXED) if len(columns) > FIXED else ()
    samples = of_ids(vcf_ids(name[0] for name in names))
    if not set(columns[:FIXED]) >= NEEDED:
        return Head(fault="column", samples=samples)
    return Head(columns[:FIXED], rest, samples=samples)


def _without_header(line: bytes) -> tuple[bytes, ...]:
    """plink's order without a header, where the centimorgans may be left out."""
    return BIM if len(line.split(None, 5)) != 5 else tuple(name for name in BIM if name != b"CM")
