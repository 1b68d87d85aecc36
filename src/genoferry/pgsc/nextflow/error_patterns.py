"""What Nextflow, the places that it runs tasks on, and tools say of a failure, and the error that each is.

Each row says where its words come from; "seen" are those that real Nextflow 24.10.0, plink2 or Python wrote when the
failure was provoked; the others are read from the source named. The first row that fits decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from genoferry import errors
from genoferry.errors import CalculationError

Rows = tuple[tuple[str, type[CalculationError]], ...]

CAUSES: Rows = (
    (r"exceeded running time limit", errors.TimeLimit),  # LocalTaskHandler; seen
    (r"Process requirement exceeds available memory", errors.MemoryCeiling),  # LocalPollingMonitor; seen
    (r"Process requirement exceeds available", errors.PipelineConfigInvalid),  # the same, of CPUs; seen
    (r"Not a valid .* value in process definition", errors.PipelineConfigInvalid),  # TaskConfig; seen
    (r"MISCONFIGURATION:", errors.MemoryCeiling),  # AwsBatchTaskHandler: no machine of the queue is big enough
    (r"Memory specification can not be satisfied", errors.MemoryCeiling),  # Slurm, slurm_errno.c
    (r"cannot be scheduled.*Insufficient memory", errors.MemoryCeiling),  # K8sClient; kube-scheduler's NodeResourcesFit
    (r"OutOfMemoryError: Container killed", errors.OutOfMemory),  # Amazon ECS, stopped tasks: error codes
    (r"OOMKilled|low on resource: memory", errors.OutOfMemory),  # Kubernetes: container state; eviction manager
    (r"low on resource: (ephemeral-storage|inodes)", errors.DiskFull),  # Kubernetes: eviction manager
    (r"No space left on device|Disk quota exceeded", errors.DiskFull),  # ENOSPC and EDQUOT, strerror(3)
    (r"Job attempt duration exceeded timeout", errors.TimeLimit),  # AWS Batch, job timeouts
    (r"longer than (the )?specified deadline|DeadlineExceeded", errors.TimeLimit),  # Kubernetes: activeDeadlineSeconds
    (r"Host EC2 \(instance .*\) terminated", errors.NodeLost),  # AWS Batch, job retries: a Spot machine taken back
    (r"evicted by a node shutdown event", errors.NodeLost),  # K8sClient, NodeTerminationException
    (r"reason: (Shutdown|NodeShutdown|Terminated|NodeLost|Preempting|Evicted)", errors.NodeLost),  # K8sClient
    (r"Cannot run program|rror submitting process|ailed to submit", errors.PipelineFailed),  # GridTaskHandler; seen
)
"""Of a task, in what Nextflow gives as the cause of its error."""

PRINTED: Rows = (
    (r"No space left on device|Disk quota exceeded", errors.DiskFull),  # ENOSPC, EDQUOT; seen of plink2 and Python
    (r"DUE TO TIME LIMIT", errors.TimeLimit),  # slurmstepd, in .command.log
    (r"DUE TO NODE FAILURE|DUE TO PREEMPTION", errors.NodeLost),  # slurmstepd, in .command.log
    (r"oom[-_]kill", errors.OutOfMemory),  # slurmstepd: cgroup events
    (r"Invalid --memory argument", errors.MemoryCeiling),  # plink2 wants 640 MiB at the least; seen
    (r"Out of memory|std::bad_alloc|^MemoryError|Cannot allocate memory", errors.OutOfMemory),  # plink2: seen
)
"""Of a task, in what it printed."""

UNKNOWN_END: Rows = ((r"terminated by the external system", errors.NodeLost),)  # TaskProcessor; seen (Slurm, no exit)
"""Of a task, when nothing else is known: a scheduler's own words, in the task's log, say more."""

HEAD: Rows = (
    (r"Unable to acquire lock on session", errors.HeadStillRuns),  # DefaultCacheStore; seen
    (r"No space left on device|Disk quota exceeded", errors.DiskFull),  # ENOSPC, EDQUOT
    (r"Cannot find Java|needs a Java virtual machine|UnsupportedClassVersionError", errors.NextflowMissing),  # launcher
    (r"Plugin with id .* not found in any repository", errors.PipelineMissing),  # pf4j-update; seen
    (r"Cannot find version for .* plugin", errors.PipelineMissing),  # PluginUpdater, offline; seen
    (r"Missing plugin", errors.PipelineMissing),  # PluginUpdater, where it may not install; seen
    (r"Unable (to )?start plugin", errors.PipelineMissing),  # PluginsFacade, IncludeDef
    (r"Unknown project|Cannot find the specified project", errors.PipelineMissing),  # CmdRun, AssetManager; seen
    (r"Cannot find script file|Missing project main script", errors.PipelineMissing),  # CmdRun, AssetManager; seen
    (r"Cannot find revision|Not a valid revision|Remote resource not found", errors.PipelineMissing),  # AssetManager
    (r"Cannot find `.*` -- Make sure exists", errors.PipelineMissing),  # RepositoryProvider
    (r"Can't find a matching module file", errors.PipelineMissing),  # IncludeDef; seen
    (r"Cannot download nextflow required file", errors.PipelineMissing),  # the launcher
    (r"does not match workflow required version", errors.PipelineConfigInvalid),  # CmdRun; seen
    (r"Unable to parse config", errors.PipelineConfigInvalid),  # ConfigBuilder; seen
    (r"Unknown config(uration)? (attribute|profile|settings)", errors.PipelineConfigInvalid),  # ConfigBuilder; seen
    (r"(Script|Module) compilation error", errors.PipelineConfigInvalid),  # ScriptParser; seen
    (r"No such (variable|property)|Missing process or function", errors.PipelineConfigInvalid),  # LoggerHelper; seen
    (r"params file does not exist|Cannot parse params file", errors.PipelineConfigInvalid),  # CmdRun; seen
    (r"specified configuration file does not exist", errors.PipelineConfigInvalid),  # ConfigBuilder; seen
    (r"Unknown option: -", errors.PipelineConfigInvalid),  # Launcher; seen
    (r"Not a valid .* value in process definition", errors.PipelineConfigInvalid),  # TaskConfig; seen
    (r"samplesets? detected! Maximum|missing chromosomes detected!", errors.SamplesheetInvalid),  # SamplesheetParser
    (r"Duplicated chromosome entries|Reserved sampleset name", errors.SamplesheetInvalid),  # of pgsc_calc 2.2.0
)
"""Of Nextflow itself, in what it printed."""

LOG: Rows = (
    (r"No space left on device|Disk quota exceeded", errors.DiskFull),  # ENOSPC, EDQUOT
    (r"Session aborted -- Cause: SIG", errors.HeadLost),  # Session, on SIGTERM (then it exits 1); seen
)
"""Of Nextflow itself, in its own log only."""


def kind(rows: Rows, text: str) -> type[CalculationError] | None:
    return next((error for pattern, error in rows if re.search(pattern, text, re.M)), None)


def first(kinds: Iterable[type[CalculationError] | None]) -> type[CalculationError]:
    """The first that is one; the last always is."""
    return next(found for found in kinds if found is not None)
