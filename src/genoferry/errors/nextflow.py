"""The Nextflow engine."""

from __future__ import annotations

from genoferry.errors.base import GenoferryError
from genoferry.errors.calculation import CalculationError


class HeadLost(CalculationError):
    """Nextflow itself was ended before the calculation was. The next attempt goes on where it was."""

    code = "head-lost"
    retryable = True


class HeadStillRuns(CalculationError):
    """Nextflow of an earlier attempt still runs in the job's workspace. The next attempt looks again."""

    code = "head-still-runs"
    retryable = True


class WorkspaceTaken(GenoferryError):
    """The job's workspace is another user's folder, or a link. Remove it, or set GENOFERRY_WORKSPACES to a folder that
    only genoferry's user may write to."""

    code = "workspace-taken"


class NodeLost(CalculationError):
    """The machine that a process ran on was lost. The next attempt goes on where it was."""

    code = "node-lost"
    retryable = True


class OutOfMemory(CalculationError):
    """A process was killed for want of memory, on its last try too. Raise the ceiling (GENOFERRY_NEXTFLOW_MAX_MEMORY)
    or send fewer scores in one request."""

    code = "out-of-memory"


class MemoryCeiling(CalculationError):
    """The calculation needs more memory than a process may have. Raise the ceiling (GENOFERRY_NEXTFLOW_MAX_MEMORY),
    or send fewer scores or one file per chromosome."""

    code = "memory-ceiling"


class DiskFull(CalculationError):
    """The disk that the calculation works on is full. Give the workspaces more room."""

    code = "disk-full"


class TimeLimit(CalculationError):
    """A process ran longer than it may. Raise the limit (GENOFERRY_NEXTFLOW_MAX_TIME)."""

    code = "time-limit"


class PipelineConfigInvalid(CalculationError):
    """Nextflow could not read the pipeline or its configuration. The operator finds the cause in the job's log tail;
    `genoferry render` shows what is run."""

    code = "pipeline-config"


class PipelineMissing(CalculationError):
    """The pipeline, its revision or a plugin of it could not be had. Put it into a folder (GENOFERRY_NEXTFLOW_PIPELINE,
    GENOFERRY_NEXTFLOW_PLUGINS_DIR), or let Nextflow go online."""

    code = "pipeline-missing"


class NextflowMissing(CalculationError):
    """Nextflow could not be started: it, or a Java that it can use, is not there. See GENOFERRY_NEXTFLOW_COMMAND."""

    code = "nextflow-missing"


class PipelineFailed(CalculationError):
    """Nextflow ended with an error for which no process is to blame. The operator finds the cause in the job's log
    tail."""

    code = "pipeline-failed"


class ChromosomesMismatch(CalculationError):
    """The genomes name their chromosomes otherwise than the samplesheet or the scorefiles do. Name them 1-22, X, Y, XY
    and MT, without a prefix, and give each row the chromosome that its files hold."""

    code = "chromosome-mismatch"


class DuplicateSamples(CalculationError):
    """The genomes hold a sample id more than once. Give every sample an id of its own."""

    code = "duplicate-samples"
