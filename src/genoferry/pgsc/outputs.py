"""Reads what the calculation wrote: aggregated scores and match summary."""

from __future__ import annotations

import csv
import math
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from genoferry.errors import ScoresIncomplete, ToolFailed
from genoferry.pgsc.bounds import OUTPUT
from genoferry.pgsc.textio import open_text

HARMONISED = "_hmPOS_"
AGGREGATED = "aggregated_scores.txt.gz"
"""The name of the file of all sums."""


@dataclass(frozen=True)
class Matching:
    """What became of a score's variants; `flipped` are among `matched`, the others are left out of the score."""

    total: int
    matched: int = 0
    flipped: int = 0
    unmatched: int = 0
    ambiguous: int = 0
    multiallelic: int = 0
    duplicate: int = 0
    other: int = 0

    @property
    def rate(self) -> float:
        return self.matched / self.total if self.total else 0.0


def score_id(accession: str) -> str:
    """`PGS000001` for `PGS000001_hmPOS_GRCh38`: the id that was asked for."""
    return accession.rpartition(HARMONISED)[0] or accession


def read_aggregated(path: Path) -> dict[str, dict[str, float]]:
    """SUM by score id and sample (IID) of an `aggregated_scores.txt.gz`."""
    table: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for row in read_rows(path):
        table[score_id(row["PGS"])][row["IID"]] = float(row["SUM"])
    return dict(table)


def read_sums(path: Path, samples: int) -> dict[str, array[float]]:
    """SUMs by accession. Raises `ScoresIncomplete` unless each score has a finite number for each of `samples`."""
    sums: defaultdict[str, array[float]] = defaultdict(lambda: array("d"))
    for row in read_rows(path):
        sums[row["PGS"]].append(float(row["SUM"] or "nan"))  # pandas writes a missing number as nothing
    if any(len(values) != samples or not all(map(math.isfinite, values)) for values in sums.values()):
        raise ScoresIncomplete
    return dict(sums)


def read_summary(path: Path) -> dict[str, Matching]:
    """A `*_summary.csv` of pgscatalog-matchmerge, by accession."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    with open_text(path, missing=ToolFailed, damaged=ToolFailed, bounds=OUTPUT) as lines:
        for row in csv.DictReader(lines):
            number = int(row["count"])
            counts[row["accession"]].update({"total": number, _fate(row): number})
            if row["match_status"] == "matched" and row["match_flipped"] == "true":
                counts[row["accession"]]["flipped"] += number
    return {accession: Matching(**count) for accession, count in counts.items()}


def _fate(row: dict[str, str]) -> str:
    """Why a variant is left out, first what the tools look at first; `matched` or `unmatched` else."""
    if row["match_status"] in ("matched", "unmatched"):
        return row["match_status"]
    if row["ambiguous"] == "true":
        return "ambiguous"
    if row["is_multiallelic"] == "true":
        return "multiallelic"
    return "duplicate" if "true" in (row["duplicate_best_match"], row["duplicate_ID"]) else "other"


def read_rows(path: Path) -> Iterator[dict[str, str]]:
    """The lines of an `aggregated_scores.txt.gz`. Raises `ScoresIncomplete`."""
    with open_text(path, missing=ScoresIncomplete, damaged=ScoresIncomplete, bounds=OUTPUT) as lines:
        yield from csv.DictReader(lines, delimiter="\t")
