"""Variants of a pvar or bim file, and their relabelling to chrom:pos:ref:alt, by which tools and scorer name them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Literal, NamedTuple

from genoferry.errors import GenotypesInvalid
from genoferry.pgsc.bounds import MAX_COLUMNS
from genoferry.pgsc.columns import split_columns
from genoferry.pgsc.textio import create_zst, open_text

Layout = Literal["pvar", "bim"]
BIM = ("#CHROM", "ID", "CM", "POS", "ALT", "REF")
MAX_ALLELE = 100
"""Longer alleles give a variant no id, so it never matches (pgsc_calc: `--new-id-max-allele-len 100 missing`)."""

MAX_CHROM = 64
"""Characters of a chromosome's name that are kept in mind; a longer one is none that plink2 knows."""

TOO_MANY = "A variant file has more variants than its genotype file has bytes: it belongs to another one."
NO_ID = "."
NUL = "\0"
NUMBERED = {"23": "X", "24": "Y", "25": "XY", "26": "MT", "M": "MT"}
CHROMS = frozenset((*map(str, range(1, 23)), "X", "Y", "XY", "MT"))
MAX_POSITION = 2**31 - 2
MAX_DIGITS = 16
"""What plink2 takes (plink-ng, `plink2_base.h`, `kMaxBp`), leading zeros included."""


class Variant(NamedTuple):
    """`alt`: comma-separated where there are several."""

    chrom: str
    pos: str
    id: str
    ref: str
    alt: str


@dataclass(frozen=True)
class Relabelled:
    """A relabelled variant file, its number of variants, and (index, allele count) of each with over two alleles."""

    path: Path
    layout: Layout
    count: int
    multiallelic: tuple[tuple[int, int], ...]


def read_variants(path: Path, layout: Layout) -> Iterator[Variant]:
    """Streams the variants of a pvar (with or without header) or bim file. Raises `GenotypesInvalid`."""
    with open_text(path) as lines:
        first = next((line for line in lines if line.startswith("#CHROM") or not line.startswith("#")), "")
        headed = layout == "pvar" and first.startswith("#CHROM")
        columns = tuple(split_columns(first, MAX_COLUMNS)) if headed else _columns_without_header(first)
        where = _positions(columns)
        for line in _without_blank_end(lines if headed else chain([first] if first else [], lines)):
            fields = split_columns(line, max(where) + 1)
            try:
                yield Variant(*(fields[i] for i in where))
            except IndexError:
                raise GenotypesInvalid("A line of a pvar or bim file has too few columns.") from None


def relabel(
    source: Path, layout: Layout, to: Path, *, chrom: str | None, keep_multiallelic: bool, most: int | None = None
) -> Relabelled:
    """Writes the variants of `source` to `to` (zstd) with ids as pgsc_calc's PLINK2_RELABEL* gives them.

    A variant of another chromosome than `chrom` gets no id and so never matches. Order and number are kept: a
    variant's line is its index in the genotype file. Raises `GenotypesInvalid`, also where there are over `most`.
    """
    write: Callable[[Variant], str] = _WRITE[layout]
    multiallelic, index = [], -1
    with create_zst(to) as out:
        if layout == "pvar":
            out.write("#CHROM\tPOS\tID\tREF\tALT\n")
        for index, variant in enumerate(read_variants(source, layout)):
            if index == most:
                raise GenotypesInvalid(TOO_MANY)
            if "," in variant.alt:
                multiallelic.append((index, variant.alt.count(",") + 2))
            named = _named(variant._replace(pos=_position(variant.pos, index + 1)), keep_multiallelic)
            text = write(named if chrom in (None, named.chrom) else named._replace(id=NO_ID))
            if '"' in text:  # pgscatalog-match would take it for the start of a cell that may go on for lines
                raise GenotypesInvalid(f"Variant {index + 1} of a pvar or bim file has a quotation mark.")
            out.write(text)
    if index < 0:
        raise GenotypesInvalid("A variant file (pvar, bim or vcf) holds no variants.")
    return Relabelled(to, layout, index + 1, tuple(multiallelic))


def plain_chrom(name: str) -> str:
    """Return the name that plink2 writes for a chromosome: any case, `chr` and a leading 0 are taken off, its numbers
    become X, Y, XY and MT. A name that plink2 doesn't know stays as it is."""
    return _plain_chrom(name) if len(name) <= MAX_CHROM else name


@lru_cache(maxsize=1024)
def _plain_chrom(name: str) -> str:
    plain = name.upper().removeprefix("CHR")
    plain = plain[1:] if len(plain) == 2 and plain.startswith("0") else plain
    plain = NUMBERED.get(plain, plain)
    return plain if plain in CHROMS else name


def _position(text: str, number: int) -> str:
    """Return a position as plink2 writes it (`102` for `102.0`). Of the rest it leaves out what is negative and reads
    1e3 as 1: that would be another place than is meant, so raise `GenotypesInvalid`."""
    whole, _, decimals = text.partition(".")
    number_like = len(whole) <= MAX_DIGITS and whole.isascii() and whole.isdigit() and not decimals.strip("0")
    if not number_like or int(whole) > MAX_POSITION:
        raise GenotypesInvalid(f"Variant {number} of a pvar or bim file has a position that is no whole number.")
    return whole


def _named(variant: Variant, keep_multiallelic: bool) -> Variant:
    chrom = plain_chrom(variant.chrom)
    if "," in variant.alt and not keep_multiallelic:
        name = f"{chrom}:{variant.pos}"
    elif len(variant.ref) > MAX_ALLELE or max(map(len, variant.alt.split(","))) > MAX_ALLELE:
        name = NO_ID
    else:
        name = f"{chrom}:{variant.pos}:{variant.ref}:{variant.alt}"
    return Variant(chrom, variant.pos, name, variant.ref, variant.alt)


def _without_blank_end(lines: Iterable[str]) -> Iterator[str]:
    """Leave out blank lines at the end only, as plink2 does: a variant's line is its index in the genotype file."""
    blank = 0
    for line in lines:
        if NUL in line:
            raise GenotypesInvalid("A pvar or bim file holds NUL bytes: it is damaged.")
        if not line.strip():
            blank += 1
        elif blank:
            raise GenotypesInvalid("A pvar or bim file has a blank line between its variants.")
        else:
            yield line


def _columns_without_header(line: str) -> tuple[str, ...]:
    """plink's order without a header, where the centimorgans may be left out."""
    return BIM if len(split_columns(line, 5)) != 5 else tuple(name for name in BIM if name != "CM")


def _positions(columns: tuple[str, ...]) -> tuple[int, ...]:
    try:
        return tuple(columns.index(name) for name in ("#CHROM", "POS", "ID", "REF", "ALT"))
    except ValueError:
        raise GenotypesInvalid("A pvar file's header lacks one of #CHROM, POS, ID, REF, ALT.") from None


_WRITE: dict[str, Callable[[Variant], str]] = {
    "pvar": lambda v: f"{v.chrom}\t{v.pos}\t{v.id}\t{v.ref}\t{v.alt}\n",
    "bim": lambda v: f"{v.chrom}\t{v.id}\t0\t{v.pos}\t{v.alt}\t{v.ref}\n",
}
