"""The calculation: pgsc_calc and the PGS Catalog's tools.

Exit codes: pgscatalog.core, `pgsexceptions.py`.
"""

from __future__ import annotations

from typing import Any

from genoferry.errors.base import GenoferryError


class CalculationError(GenoferryError):
    """The scores could not be calculated.

    `trace_name` and `trace_exit` name the process that failed and its exit code (None where none did); `scores`
    holds a `contracts.reports.ScoreReport` of each score asked for, where they were known; `log_tail` the last lines
    that the process printed, for the ledger and never for an event.
    """

    code = "calculation-failed"

    def __init__(
        self, message: str | None = None, *, trace_name: str | None = None, trace_exit: int | None = None
    ) -> None:
        super().__init__(message)
        self.trace_name = trace_name
        self.trace_exit = trace_exit
        self.scores: tuple[Any, ...] = ()
        self.log_tail: tuple[str, ...] = ()


class CalculationStopped(CalculationError):
    """The calculation was stopped before it was done."""

    code = "calculation-stopped"


class ToolsMissing(CalculationError):
    """The PGS Catalog's tools are not installed beside this Python. Install genoferry with its `pgs` extra."""

    code = "tools-missing"


class ToolFailed(CalculationError):
    """A tool of the calculation ended with an exit code that says nothing of the cause. Check that genomes and
    scorefiles are in their stated formats; the job's log has the tool's last lines."""

    code = "tool-failed"


class ToolKilled(CalculationError):
    """A tool of the calculation was killed by a signal, most often for want of memory. Give the job more memory."""

    code = "tool-killed"


class NeedsPlink2(CalculationError):
    """These genomes need plink2, and it is not on the job's PATH. Install plink2 (Debian: `apt install plink2`)."""

    code = "needs-plink2"


class GenotypesInvalid(CalculationError):
    """A genotype file can't be read: it is damaged, not in its stated format, or does not fit its companion files."""

    code = "genotypes-invalid"


class ScoresIncomplete(CalculationError):
    """The calculation ended without an error but not every sample has its score, or a sum is not that of all its parts.
    Nothing of it is published."""

    code = "scores-incomplete"


class ScorefileDownloadFailed(CalculationError):
    """A scorefile could not be downloaded. Check the connection to the PGS Catalog, or use a mirror."""

    code = "scorefile-download-failed"


class ScorefileInvalid(CalculationError):
    """A scorefile is not in the PGS Catalog's format 2.0. Check its header, its columns and its weights."""

    code = "scorefile-invalid"


class ScorefileChecksum(CalculationError):
    """A scorefile does not have the checksum that the PGS Catalog states. Download it again."""

    code = "scorefile-checksum"


class CatalogQueryFailed(CalculationError):
    """The PGS Catalog did not give a valid answer. Send the request again later, or use a mirror."""

    code = "catalog-query-failed"


class ScorefileMissing(CalculationError):
    """A score asked for is not in the PGS Catalog or the mirror. Check its id and that there is a scorefile for the
    genome build of the genomes."""

    code = "scorefile-missing"


class DuplicateMatches(CalculationError):
    """A variant of the genomes matched more than once. Remove variants that the genomes hold twice."""

    code = "duplicate-matches"


class OverlapTooLow(CalculationError):
    """A score's variants are not found in the genomes often enough. Impute the genomes, or lower `min_overlap`."""

    code = "overlap-too-low"


class ZeroMatches(CalculationError):
    """No score found enough of its variants in the genomes. Check that `target_build` is the build of the genomes,
    and that the genomes are imputed."""

    code = "zero-matches"


class MatchInputInvalid(CalculationError):
    """The genomes don't fit the samplesheet. Check that each row's `chrom` is the chromosome that its files hold."""

    code = "match-input-invalid"


class BuildMismatch(CalculationError):
    """A scorefile is of another genome build than the genomes. Use a scorefile harmonised to `target_build`."""

    code = "genome-build-mismatch"


class LiftoverFailed(CalculationError):
    """Too few variants of a scorefile could be lifted to the genome build of the genomes. Use a harmonised one."""

    code = "liftover-failed"


class GenomesMissing(CalculationError):
    """A genotype file that the samplesheet names is not there."""

    code = "genomes-missing"


class SamplesheetInvalid(CalculationError):
    """The samplesheet is not valid: one sampleset, each chromosome once, the same samples in every file."""

    code = "samplesheet-invalid"


class EffectTypeUnsupported(CalculationError):
    """A scorefile has weights that are neither additive, dominant nor recessive. Such scores can't be calculated."""

    code = "effect-type-unsupported"
