"""The columns of a variant file, with a header line or without.

Sources: plink 2 file formats (https://www.cog-genomics.org/plink/2.0/formats: .pvar, .bim) and VCF 4.3, section 1.5.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from genoferry.pgsc.preflight.samples import Samples, of_ids, vcf_ids

Layout = Literal["pvar", "bim", "vcf"]
Fault = Literal["empty", "header", "column", "line", "unreadable", "unread"]

BIM = (b"#CHROM", b"ID", b"CM", b"POS", b"ALT", b"REF")
NEEDED = frozenset((b"#CHROM", b"POS", b"ID", b"REF", b"ALT"))
FIXED = 9
"""Columns of a VCF before its samples."""

NAME = re.compile(rb"[^\t\r]+")


class Head(NamedTuple):
    """`columns`: None where they can't be told, and `fault` says why. `rest`: lines that were read with them."""

    columns: tuple[bytes, ...] | None = None
    rest: list[bytes] = []  # noqa: RUF012  # never changed
    fault: Fault | None = None
    samples: Samples | None = None


def read_head(batches: Iterator[list[bytes]], layout: Layout) -> Head:
    for lines in batches:
        for index, line in enumerate(lines):
            if line.startswith(b"##") or not line.strip():
                continue
            if layout != "bim" and line.startswith(b"#CHROM"):
                return (_vcf if layout == "vcf" else _pvar)(line, lines[index + 1 :])
            if layout == "vcf" or line.startswith(b"#"):
                return Head(fault="header")
            return Head(_without_header(line), lines[index:])
    return Head(fault="empty")


def _pvar(line: bytes, rest: list[bytes]) -> Head:
    columns = tuple(line.split())
    return Head(columns, rest) if set(columns) >= NEEDED else Head(fault="column")


def _vcf(line: bytes, rest: list[bytes]) -> Head:
    columns = tuple(line.split(b"\t", FIXED))
    names = NAME.finditer(columns[FIXED]) if len(columns) > FIXED else ()
    samples = of_ids(vcf_ids(name[0] for name in names))
    if not set(columns[:FIXED]) >= NEEDED:
        return Head(fault="column", samples=samples)
    return Head(columns[:FIXED], rest, samples=samples)


def _without_header(line: bytes) -> tuple[bytes, ...]:
    """plink's order without a header, where the centimorgans may be left out."""
    return BIM if len(line.split()) != 5 else tuple(name for name in BIM if name != b"CM")
