"""What can be wrong with a scorefile's form, in words: the engines and the pre-flight say the same of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

RowFault = Literal["cells", "quote", "weight", "finite", "overflow", "cell", "models", "position", "place"]
HeadFault = Literal["header", "mark", "stated", "column", "extra", "twice", "empty", "long", "unreadable"]

FAULTS: Mapping[RowFault | HeadFault, str] = {
    "empty": "holds no variants.",
    "header": "has no header with a valid pgs_id (up to 64 letters, digits, dots, dashes and underscores, without"
    " `_SUM`, which the tools cut out). Scorefiles must be in PGS Catalog format 2.0.",
    "mark": "begins with a byte order mark, so the tools don't see its header. Save it as UTF-8 without one.",
    "stated": "has a header that the tools refuse: it must state pgs_id, trait_reported and genome_build (GRCh37, hg19,"
    " GRCh38, hg38 or NR; HmPOS_build: GRCh37 or GRCh38).",
    "column": "lacks a column: it needs effect_allele and effect_weight.",
    "extra": "has a column that the PGS Catalog's format 2.0 does not know, which its tools refuse. Leave it out.",
    "twice": "names a column twice, so that it is not clear which of the two counts.",
    "cells": "has a row with more or fewer cells than there are columns.",
    "quote": "has a row with a quote that is not closed, which would take in the rows below it.",
    "weight": "has a row whose weight is empty, or is no number in plain decimals (such as -0.012 or 1.2e-5).",
    "finite": "has a row whose weight is no finite number.",
    "overflow": "has weights so large that their sum would overflow.",
    "cell": "has a row with a flag or a number that the tools can't read (flags are True or False).",
    "models": "has a row that is both dominant and recessive.",
    "position": "has a row whose position is no whole number above 0.",
    "place": "has a row with neither a chromosome and a position nor an rsID.",
    "long": "has a header that is longer than any scorefile's.",
    "unreadable": "can't be decompressed or decoded: it is damaged, was cut, or is not UTF-8.",
}


class Fault(NamedTuple):
    """`line`: its number in the file, from 1; `column`: its name; both only where the fault has such a place."""

    kind: RowFault | HeadFault
    line: int | None = None
    column: str | None = None


def describe(name: str, fault: Fault) -> str:
    """A sentence or two that name file, line and column, and quote no cell."""
    places = [f"line {fault.line}"] if fault.line else []
    places += [f"column {fault.column}"] if fault.column else []
    where = f" Look at {', '.join(places)}." if places else ""
    return f"{name} {FAULTS[fault.kind]}{where}"
