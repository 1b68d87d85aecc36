"""The exit codes of the PGS Catalog's tools, as errors that say what to do.

Source: pgscatalog.core 1.1, `lib/pgsexceptions.py` (8-17, 19-21) and pgsc_calc's documentation (18, liftover).
"""

from __future__ import annotations

from genoferry import errors
from genoferry.errors import CalculationError
from genoferry.files import FULL_WORDS

PREFIX = "PGSCATALOG:EMBEDDED:"
"""What stands before pgsc_calc's process name in `trace_name`, so that a reader sees which engine ran."""

BY_EXIT: dict[int, type[CalculationError]] = {
    8: errors.ScorefileDownloadFailed,
    9: errors.ScorefileInvalid,
    10: errors.ScorefileChecksum,
    11: errors.CatalogQueryFailed,
    12: errors.ScorefileMissing,
    13: errors.DuplicateMatches,
    14: errors.OverlapTooLow,
    15: errors.ZeroMatches,
    16: errors.MatchInputInvalid,
    17: errors.BuildMismatch,
    18: errors.LiftoverFailed,
    19: errors.GenomesMissing,
    20: errors.SamplesheetInvalid,
    21: errors.EffectTypeUnsupported,
}

EXIT_OF = {error: code for code, error in BY_EXIT.items()}

SAYS: dict[str, tuple[tuple[str, type[CalculationError]], ...]] = {
    "FORMAT_SCOREFILES": (
        ("without --liftover", errors.BuildMismatch),
        ("missing build in", errors.BuildMismatch),
        ("Couldn't process any scoring files", errors.EffectTypeUnsupported),
        ("", errors.ScorefileInvalid),
    ),
    "MATCH_COMBINE": (
        ("Duplicate IDs in final matches", errors.DuplicateMatches),
        ("No variant matches found", errors.ZeroMatches),
    ),
}
"""Exit codes that say nothing (1, mostly): what the tool's last lines say, by process, the first that fits."""

PLINK2_SAYS = (
    ("Out of memory", errors.ToolKilled),
    ("--score file has an invalid coefficient", errors.ScorefileInvalid),
    ("appears multiple times in main dataset", errors.DuplicateMatches),
    ("", errors.GenotypesInvalid),
)
"""The same for every process that is plink2 on the genomes, which has a numbering of its own."""


def trace_name(process: str) -> str:
    return PREFIX + process


def failure(process: str, exit_code: int, tail: str = "") -> CalculationError:
    """The error for a tool that ended with `exit_code` (negative: the signal) and `tail` as its last lines.

    `tail` only chooses the error's class: what a tool wrote is never repeated in a message.
    """
    if any(words in tail for words in FULL_WORDS):
        return errors.DiskFull(trace_name=trace_name(process), trace_exit=exit_code)
    catalogued = None if process.startswith("PLINK2") else BY_EXIT.get(exit_code)
    killed = errors.ToolKilled if exit_code < 0 or exit_code in (137, 143) else None
    kind = catalogued or killed or by_words(process, tail)
    return kind(trace_name=trace_name(process), trace_exit=exit_code)


def refusal(kind: type[CalculationError], process: str, message: str | None = None) -> CalculationError:
    """The error for something found wrong before `process` ran, under the exit code that it would have ended with."""
    return kind(message, trace_name=trace_name(process), trace_exit=EXIT_OF.get(kind))


def by_words(process: str, tail: str) -> type[CalculationError]:
    """What the tool's last lines say of its end; `ToolFailed` where that is nothing."""
    says = PLINK2_SAYS if process.startswith("PLINK2") else SAYS.get(process, ())
    return next((kind for words, kind in says if words in tail), errors.ToolFailed)
