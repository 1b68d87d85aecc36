"""What a pre-flight comes to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from genoferry import errors
from genoferry.contracts.events import Warn
from genoferry.errors import CalculationError

Status = Literal["ok", "doubtful", "failed"]
OK = "ok"
"""The code of a finding that nothing is wrong."""

MAX_WARNINGS = 12
"""An event may have 4 KiB (design, section 4)."""

MAX_WARNING = 160
"""Characters of a warning's message in an event."""

KINDS: dict[str, type[CalculationError]] = {
    kind.code: kind
    for kind in (
        errors.SamplesheetInvalid,
        errors.GenomesMissing,
        errors.GenotypesInvalid,
        errors.ChromosomesMismatch,
        errors.DuplicateSamples,
        errors.ScorefileMissing,
        errors.ScorefileInvalid,
        errors.BuildMismatch,
        errors.OverlapTooLow,
        errors.ZeroMatches,
        errors.EffectTypeUnsupported,
        errors.MemoryCeiling,
        errors.ToolsMissing,
    )
}
"""What a check can fail with, by code."""


@dataclass(frozen=True)
class Finding:
    """What one check found: a row of the table. `code`: an error's, or `OK`."""

    check: str
    status: Status
    message: str
    code: str = OK


@dataclass(frozen=True)
class ExpectedOverlap:
    """What share of a score's variants will be found. `variants` in the scorefile, None where not all were counted;
    `sampled` of them were drawn, `covered` of these lie in what was read of the genomes, `matched` were found.
    `rate` is None where nothing can be said; with 99.9 % certainty it is in `low` to `high`, if what was read of the
    genomes is like the rest; in no case is it over `best`."""

    id: str
    variants: int | None
    sampled: int
    covered: int
    matched: int
    rate: float | None
    low: float
    high: float
    best: float = 1.0


@dataclass(frozen=True)
class Verdict:
    findings: tuple[Finding, ...]
    scores: tuple[ExpectedOverlap, ...] = ()
    samples: int | None = None

    @property
    def failure(self) -> CalculationError | None:
        """The first check that failed, as an error of its class. No process ran, so it names none."""
        failed = next((finding for finding in self.findings if finding.status == "failed"), None)
        return KINDS[failed.code](failed.message) if failed else None

    @property
    def warnings(self) -> tuple[Warn, ...]:
        """The doubtful ones; of more than `MAX_WARNINGS`, the last one says how many are left out."""
        found = [each for each in self.findings if each.status == "doubtful"]
        told = [Warn(code=each.code, message=each.message[:MAX_WARNING]) for each in found]
        left_out = Warn(code="more-warnings", message=f"{len(told) - MAX_WARNINGS + 1} more findings are doubtful.")
        return tuple(told) if len(told) <= MAX_WARNINGS else (*told[: MAX_WARNINGS - 1], left_out)
