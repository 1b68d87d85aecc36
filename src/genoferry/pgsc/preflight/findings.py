"""Short ways to say what was found."""

from __future__ import annotations

from genoferry.contracts.pipeline import TargetGenome
from genoferry.errors import CalculationError
from genoferry.pgsc.preflight.scores import Score
from genoferry.pgsc.preflight.verdict import Finding

CANT_LOOK = "A file {} is compressed with zstd, which can't be read here. Install genoferry with its `pgs` extra."


def ok(check: str, message: str) -> Finding:
    return Finding(check, "ok", message)


def doubtful(check: str, code: str, message: str) -> Finding:
    return Finding(check, "doubtful", message, code)


def failed(check: str, kind: type[CalculationError], message: str | None = None) -> Finding:
    """`message`: the class's own where there is none."""
    return Finding(check, "failed", message or str(kind()), kind.code)


def of(row: TargetGenome) -> str:
    """A row's name: its chromosome, never its files, whose names are the sender's."""
    return f"of chromosome {row.chrom}" if row.chrom else "of all chromosomes"


def called(score: Score) -> str:
    """A score's id where its header was read; a file's name is the sender's."""
    unnamed = score.fault in ("header", "long", "over", "unreadable", "unread")
    return "A scorefile" if unnamed else f"The scorefile of {score.id}"


def some(ids: list[str]) -> str:
    """The first ten."""
    return ", ".join(ids[:10]) + (f" and {len(ids) - 10} more" if len(ids) > 10 else "")
