"""A scorefile's header and columns, and whether the PGS Catalog's tools take them.

Sources: https://www.pgscatalog.org/downloads/ (format 2.0, harmonised columns); pgscatalog.core 1.1, `models.py`
(`ScoreHeader`: what a header must state; `CatalogScoreVariant`: the columns there may be, and no others). A file that
they don't take ends the whole of `pgscatalog-format`, the good scores' too; each rule here was tried with it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from genoferry.pgsc.preflight.text_stream import Text
from genoferry.pgsc.scorefiles import ID_KEYS

LONGEST_HEADER, MOST_HEADER = 1024, 10_000
"""Characters of a header line, and lines of a header, that are read; a real one has some 20."""

BUILDS = frozenset(("GRCh37", "hg19", "GRCh38", "hg38", "NCBI36", "hg18", "NCBI35", "hg17", "NR", ""))
HARMONISED_BUILDS = frozenset(("GRCh37", "GRCh38", "NCBI36", "NCBI35"))
DOSAGES = ("dosage_0_weight", "dosage_1_weight", "dosage_2_weight")
COMPLEX = frozenset(("is_haplotype", "is_diplotype", "is_interaction"))
COLUMNS = COMPLEX | frozenset(DOSAGES) | frozenset(
    (
        "rsID", "rsid", "chr_name", "chr_position", "effect_allele", "other_allele", "locus_name", "imputation_method",
        "variant_description", "inclusion_criteria", "effect_weight", "is_dominant", "is_recessive", "OR", "HR",
        "allelefrequency_effect", "hm_source", "hm_rsID", "hm_chr", "hm_pos", "hm_inferOtherAllele", "hm_match_chr",
        "hm_match_pos", "variant_type", "is_duplicated",
    )
)  # fmt: skip
FREQUENCY = "allelefrequency_effect_"
"""Columns of any name that begins so are taken."""


class Head(NamedTuple):
    """`lines` of the header, `columns`, and `rest`: rows that were read with them. `cut`: it was too long to read;
    `garbled`: it is not UTF-8."""

    lines: Sequence[str] = ()
    columns: Sequence[str] = ()
    rest: Sequence[bytes] = ()
    cut: bool = False
    garbled: bool = False


def read_head(text: Text, batches: Iterator[list[bytes]]) -> Head:
    header: list[str] = []
    for lines in batches:
        for index, line in enumerate(lines):
            try:
                shown = line.decode().rstrip("\r")
            except UnicodeDecodeError:
                return Head(garbled=True)
            if not shown.startswith("#"):
                return Head(header, split(shown), lines[index + 1 :])
            header.append(shown[:LONGEST_HEADER])
            if len(header) > MOST_HEADER:
                return Head(cut=True)
    return Head(header, cut=text.cut)


def split(line: str) -> list[str]:
    """The cells of a line, out of their quotes."""
    return next(csv.reader([line], delimiter="\t"), []) if '"' in line else line.split("\t")


def is_taken(header: Sequence[str]) -> bool:
    """Whether a header states an id, a trait and known builds. A value may have equals signs, which the tools' own
    parser does not take: `scorefile_copy` writes the header anew for them."""
    stated = (line.strip()[1:].partition("=") for line in header if "=" in line and not line.startswith("##"))
    known = {key: value for key, _, value in stated}
    return (
        not known.keys().isdisjoint(ID_KEYS)
        and "trait_reported" in known
        and known.get("genome_build") in BUILDS
        and known.get("HmPOS_build", "GRCh38") in HARMONISED_BUILDS
    )


def wrong_column(columns: Sequence[str]) -> Literal["column", "extra", "twice"] | None:
    """`column`: one is lacking; `extra`: there is one that the tools don't know; `twice`: one of two would count, the
    last one for the tools."""
    named = set(columns)
    if len(named) < len(columns):
        return "twice"
    if "effect_allele" not in named or not ("effect_weight" in named or named >= set(DOSAGES)):
        return "column"
    return "extra" if any(name not in COLUMNS and not name.startswith(FREQUENCY) for name in named) else None
