"""What was matched, by the match log, against the summary, the weights that were scored, and what sums came of them.

Source of the columns: pgscatalog.match 0.4, `_match/log.py`. Every variant of a score that counts is in the log with
`match_status` matched, a chromosome and an effect type.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from genoferry.errors import ScorefileInvalid, ScoresIncomplete, ToolFailed
from genoferry.pgsc.bounds import OUTPUT
from genoferry.pgsc.filesets import ALL
from genoferry.pgsc.outputs import Matching, read_rows, score_id
from genoferry.pgsc.samples import MIN_FOUNDERS
from genoferry.pgsc.textio import open_text
from genoferry.pgsc.weight_cells import weight_fault
from genoferry.pgsc.weights import Weights

FILLED = "0"
"""What pgscatalog-matchmerge writes of a score for another score's variant (`plinkscorefiles.py`, `fill_null`), so that
it can't be told from a weight of just that: these are left out on both sides."""

LINES = 5000

Part = tuple[str, str, str]
"""Accession, chromosome (or `ALL`) and effect type."""


@dataclass
class Counts:
    """Of matched variants: all `matched` by accession, and those that have a `weighed` weight, by part; `on_y`: some
    are on Y, which not everybody has two of."""

    matched: Counter[str] = field(default_factory=Counter)
    weighed: Counter[Part] = field(default_factory=Counter)
    on_y: bool = False


def read_counts(path: Path, *, split: bool) -> Counts:
    """Count what a `*_log.csv.gz` says. Raises `ScorefileInvalid` for a weight that is no finite number."""
    counts = Counts()
    for accession, chrom, model, weight in _matched(path):
        if weight_fault(weight):
            message = (
                f"The scorefile of {score_id(accession)} has a weight that is no finite number. Nothing is published."
            )
            raise ScorefileInvalid(message)
        counts.matched[accession] += 1
        counts.on_y |= chrom == "Y"
        if weight != FILLED:
            counts.weighed[accession, chrom if split else ALL, model] += 1
    return counts


def check_summary(counts: Counts, matching: Mapping[str, Matching]) -> None:
    """Raise `ScoresIncomplete` where log and summary differ in how many variants of a score count."""
    for accession, match in matching.items():
        if counts.matched[accession] != match.matched:
            wrong = f"The match log of {score_id(accession)} has {counts.matched[accession]} variants that match"
            raise ScoresIncomplete(f"{wrong}, its summary {match.matched}. Nothing is published.")


def check_weights(counts: Counts, parts: Sequence[Weights], calculated: Sequence[str]) -> None:
    """Raise `ScoresIncomplete` where a calculated score was not scored with just the variants that match."""
    in_parts = Counter[Part]()
    for part in parts:
        in_parts += _weighed(part)
    in_log = Counter({part: count for part, count in counts.weighed.items() if part[0] in calculated})
    for accession, chrom, model in (in_log - in_parts) + (in_parts - in_log):
        where = "" if chrom == ALL else f" on chromosome {chrom}"
        wrong = f"Not all {model} variants of {score_id(accession)}{where} that match have been scored."
        raise ScoresIncomplete(f"{wrong} Nothing is published.")


def check_denominators(counts: Counts, calculated: Iterable[str], samples: int, aggregated: Path) -> None:
    """Raise `ScoresIncomplete` where an aggregate holds fewer or more variants than match: DENOM is two for each that
    was scored, for any score, and so at least for those of the largest score. For where the parts are out of reach.

    Where missing genotypes aren't imputed, DENOM is smaller by those, and only too many are found.
    """
    matched = [counts.matched[accession] for accession in calculated]
    least = 2 * max(matched, default=0) if samples >= MIN_FOUNDERS and not counts.on_y else 0
    first = None
    for row in read_rows(aggregated):
        if row["PGS"] != (first := first or row["PGS"]):
            break  # the others' are the same
        if not least <= float(row["DENOM"] or "nan") <= 2 * sum(matched):
            raise ScoresIncomplete("The sums are not those of all variants that match. Nothing is published.")


def _weighed(part: Weights) -> Counter[Part]:
    """How many weights of each score a part has."""
    counts = Counter[Part]()
    with open_text(part.path, damaged=ToolFailed, bounds=OUTPUT) as lines:
        rows = csv.reader(lines, delimiter="\t")
        names = next(rows)[2:]
        while block := list(islice(rows, LINES)):
            for name, column in zip(names, list(zip(*block, strict=True))[2:], strict=True):
                counts[name, part.chrom, part.model] += len(column) - column.count(FILLED)
    return counts


def _matched(path: Path) -> Iterator[tuple[str, str, str, str]]:
    with open_text(path, missing=ScoresIncomplete, damaged=ScoresIncomplete, bounds=OUTPUT) as lines:
        rows = csv.reader(lines)
        columns = next(rows, [])
        try:
            status, *others = (
                columns.index(name)
                for name in ("match_status", "accession", "chr_name", "effect_type", "effect_weight")
            )
        except ValueError:
            raise ScoresIncomplete from None
        for row in rows:
            if row[status] == "matched":
                accession, chrom, model, weight = (row[at] for at in others)
                yield accession, chrom, model, weight
