"""Variants of a pvar or bim file, and their relabelling to chrom:pos:ref:alt, by which tools and scorer name them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Literal, NamedTuple

from genoferry.errors import GenotypesInvalid
from genoferry.pgsc.textio import create_zst, open_text

Layout = Literal["pvar", "bim"]
BIM = ("#CHROM", "ID", "CM", "POS", "ALT", "REF")
MAX_ALLELE = 100
"""Longer alleles give a variant no id, so it never matches (pgsc_calc: `--new-id-max-allele-len 100 missing`)."""

NO_ID = "."
NUMBERED = {"23": "X", "24": "Y", "25": "XY", "26": "MT", "M": "MT"}


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
        first = next((line for line in lines if not line.startswith("##")), "")
        headed = layout == "pvar" and first.startswith("#CHROM")
        columns = tuple(first.split()) if headed else _columns_without_header(first)
        where = _positions(columns)
        for line in lines if headed else chain([first] if first else [], lines):
            fields = line.split(None, max(where) + 1)
            try:
                yield Variant(*(fields[i] for i in where))
            except IndexError:
                raise GenotypesInvalid("A line of a pvar or bim file has too few columns.") from None


def relabel(source: Path, layout: Layout, to: Path, *, chrom: str | None, keep_multiallelic: bool) -> Relabelled:
    """Writes the variants of `source` to `to` (zstd) with ids as pgsc_calc's PLINK2_RELABEL* gives them.

    A variant of another chromosome than `chrom` gets no id and so never matches. Order and number are kept: a
    variant's line is its index in the genotype file. Raises `GenotypesInvalid`.
    """
    write: Callable[[Variant], str] = _WRITE[layout]
    multiallelic, index = [], -1
    with create_zst(to) as out:
        if layout == "pvar":
            out.write("#CHROM\tPOS\tID\tREF\tALT\n")
        for index, variant in enumerate(read_variants(source, layout)):
            if "," in variant.alt:
                multiallelic.append((index, variant.alt.count(",") + 2))
            named = _named(variant, keep_multiallelic)
            out.write(write(named if chrom in (None, named.chrom) else named._replace(id=NO_ID)))
    if index < 0:
        raise GenotypesInvalid("A variant file (pvar, bim or vcf) holds no variants.")
    return Relabelled(to, layout, index + 1, tuple(multiallelic))


def plain_chrom(name: str) -> str:
    """A chromosome's name without `chr`, and X, Y, XY, MT for plink's numbers."""
    name = name[3:] if name[:3].lower() == "chr" else name
    return NUMBERED.get(name, name)


def _named(variant: Variant, keep_multiallelic: bool) -> Variant:
    chrom = plain_chrom(variant.chrom)
    if "," in variant.alt and not keep_multiallelic:
        name = f"{chrom}:{variant.pos}"
    elif len(variant.ref) > MAX_ALLELE or max(map(len, variant.alt.split(","))) > MAX_ALLELE:
        name = NO_ID
    else:
        name = f"{chrom}:{variant.pos}:{variant.ref}:{variant.alt}"
    return Variant(chrom, variant.pos, name, variant.ref, variant.alt)


def _columns_without_header(line: str) -> tuple[str, ...]:
    """plink's order without a header, where the centimorgans may be left out."""
    return BIM if len(line.split()) != 5 else tuple(name for name in BIM if name != "CM")


def _positions(columns: tuple[str, ...]) -> tuple[int, ...]:
    try:
        return tuple(columns.index(name) for name in ("#CHROM", "POS", "ID", "REF", "ALT"))
    except ValueError:
        raise GenotypesInvalid("A pvar file's header lacks one of #CHROM, POS, ID, REF, ALT.") from None


_WRITE: dict[str, Callable[[Variant], str]] = {
    "pvar": lambda v: f"{v.chrom}\t{v.pos}\t{v.id}\t{v.ref}\t{v.alt}\n",
    "bim": lambda v: f"{v.chrom}\t{v.id}\t0\t{v.pos}\t{v.alt}\t{v.ref}\n",
}
