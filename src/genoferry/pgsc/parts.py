"""Whether the aggregate is the sum of all its parts, worked out again from what was written of each of them.

A part is a chromosome's (or all chromosomes'), an effect type's, and a number's. pgscatalog-aggregate adds with pandas'
`add(fill_value=0)`: a part that it wasn't given, or a sum in it that is no number, is left out of the total without a
word; its `--verify_variants` compares ids of variants and never a sum (pgscatalog.calc 0.3).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from genoferry.errors import ScoresIncomplete
from genoferry.pgsc.bounds import OUTPUT
from genoferry.pgsc.outputs import read_rows, score_id
from genoferry.pgsc.textio import open_text
from genoferry.pgsc.weights import Weights

ROUNDING = 1e-9
"""How far a total may be from ours, in its largest part: both are sums of the same decimals in double precision."""

LINES = 1000
"""Samples of a part that are read at once."""

Floats = npt.NDArray[np.float64]


@dataclass
class Totals:
    """`rows`: a sample's index by IID; `sums`: by accession, of each sample; `largest`: the greatest magnitude of a
    part's sum, by accession."""

    rows: Mapping[str, int]
    sums: dict[str, Floats] = field(default_factory=dict)
    largest: dict[str, float] = field(default_factory=dict)


def check_parts(parts: Sequence[Weights], samples: Sequence[str], aggregated: Path) -> None:
    """Raise `ScoresIncomplete` where a part's sum, or a total, is no finite number, or a total is not its parts' sum.
    `samples`: the IIDs of the genomes. Memory: a number for each sample and score, as for reading the totals."""
    totals = Totals({iid: row for row, iid in enumerate(samples)})
    for part in parts:
        if _add(totals, part) != len(samples):
            raise ScoresIncomplete
    counts = _subtract(totals, aggregated)
    for accession, rest in totals.sums.items():
        tolerance = ROUNDING * totals.largest[accession] * len(parts)
        if counts[accession] != len(samples) or not (np.abs(rest) <= tolerance).all():
            wrong = f"The sums of {score_id(accession)} are not those of all its chromosomes and effect types together."
            raise ScoresIncomplete(f"{wrong} Nothing is published.")


def _add(totals: Totals, part: Weights) -> int:
    """Add a part; return how many samples it has."""
    names, count = part.scores(), 0
    for name in names:
        totals.sums.setdefault(name, np.zeros(max(totals.rows.values()) + 1))
        totals.largest.setdefault(name, 0.0)
    for samples, sums in _blocks(part, names):
        _check_finite(names, sums)
        try:
            rows = [totals.rows[iid] for iid in samples]
        except KeyError:
            raise ScoresIncomplete from None
        count += len(rows)
        for name, column in zip(names, sums.T, strict=True):
            np.add.at(totals.sums[name], rows, column)
            totals.largest[name] = max(totals.largest[name], float(np.abs(column).max()))
    return count


def _check_finite(names: Sequence[str], sums: Floats) -> None:
    finite = np.isfinite(sums).all(axis=0)
    if not finite.all():
        name = score_id(names[int(np.argmin(finite))])
        raise ScoresIncomplete(f"A sum of {name} is no finite number. Nothing is published.")


def _subtract(totals: Totals, aggregated: Path) -> dict[str, int]:
    """Take the totals that were written from ours, which leaves nothing; return how many there are by accession."""
    counts = dict.fromkeys(totals.sums, 0)
    for row in read_rows(aggregated):
        accession, sample = row["PGS"], totals.rows.get(row["IID"])
        if sample is None or accession not in counts:
            raise ScoresIncomplete
        counts[accession] += 1
        totals.sums[accession][sample] -= float(row["SUM"] or "nan")
    return counts


def _blocks(part: Weights, names: Sequence[str]) -> Iterator[tuple[list[str], Floats]]:
    """IIDs and sums of some samples at a time. plink2 and `write_sscore` write the sums last, in the scores' order."""
    with open_text(part.sscore, missing=ScoresIncomplete, damaged=ScoresIncomplete, bounds=OUTPUT) as lines:
        columns = next(lines, "").rstrip("\n").split("\t")
        if columns[-len(names) :] != [f"{name}_SUM" for name in names] or "IID" not in columns:
            raise ScoresIncomplete
        at, cells = columns.index("IID"), (line.rstrip("\n").split("\t") for line in lines)
        while block := list(islice(cells, LINES)):
            yield [row[at] for row in block], _numbers([row[-len(names) :] for row in block])


def _numbers(cells: Sequence[Sequence[str]]) -> Floats:
    try:
        return np.array(cells, np.float64)
    except ValueError:
        raise ScoresIncomplete from None
