"""What became of every score asked for: the tools leave one out without a word, so it is worked out here."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence

from genoferry.contracts.reports import ScoreReport
from genoferry.pgsc.outputs import Matching
from genoferry.pgsc.scorefiles import Scorefile

UNSUPPORTED = "It has weights that are neither additive, dominant nor recessive; such scores can't be calculated."
RATE = re.compile(r"Score (\S+) matching failed with match rate ([0-9.eE+-]+)")
"""What pgscatalog-matchmerge prints of each score below the overlap; when all are, it writes nothing else."""


def outcome(
    scorefile: Scorefile,
    build: str,
    *,
    matching: Mapping[str, Matching],
    calculated: Container[str],
    unsupported: Container[str],
    min_overlap: float,
) -> ScoreReport:
    """One score: calculated only if it is among the sums, else the reason why not."""
    accession = scorefile.accession(build)
    found = matching.get(accession)
    if accession in calculated and found:
        return _report(scorefile.id, found, None)
    if scorefile.id in unsupported:
        return ScoreReport(id=scorefile.id, status="failed", reason=UNSUPPORTED)
    return _report(scorefile.id, found, _why_not(found, min_overlap))


def all_failed(ids: Sequence[str], reason: str, rates: Mapping[str, float], min_overlap: float) -> list[ScoreReport]:
    """Each score of a calculation that failed as a whole; `rates`: match rates by id, where they are known."""
    return [
        ScoreReport(
            id=name,
            status="failed",
            reason=too_few(rates[name], min_overlap) if name in rates else reason,
            match_rate=rates.get(name),
        )
        for name in ids
    ]


def too_few(rate: float, min_overlap: float) -> str:
    return f"Only {rate:.1%} of its variants match the genomes; {min_overlap:.1%} are needed (min_overlap)."


def repeats(repeated: int, rows: int) -> str:
    return (
        f"{repeated} of its {rows} rows name the same variant as another of its rows, and the tools leave"
        " out all of these. Keep one row for each variant."
    )


def lacks_only_repeats(found: Matching, min_overlap: float) -> bool:
    """Whether a score would reach the overlap if its repeated rows counted."""
    return bool(found.duplicate) and found.rate < min_overlap <= (found.matched + found.duplicate) / found.total


def _why_not(found: Matching | None, min_overlap: float) -> str:
    if found is None or not found.total:
        return "None of its variants could be used: their positions are missing."
    if lacks_only_repeats(found, min_overlap):
        return repeats(found.duplicate, found.total)
    if not found.matched:
        return "None of its variants match the genomes."
    if found.rate < min_overlap:
        return too_few(found.rate, min_overlap)
    return "The tools left it out of the aggregated scores without saying why."


def _report(name: str, found: Matching | None, reason: str | None) -> ScoreReport:
    return ScoreReport(
        id=name,
        status="failed" if reason else "calculated",
        reason=reason,
        variants_total=found.total if found else None,
        variants_matched=found.matched if found else None,
        match_rate=round(found.rate, 6) if found else None,
    )
