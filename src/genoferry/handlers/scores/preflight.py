"""The pre-flight of a `CalculateScores` job: its staged files and its scores, looked at as streams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from genoferry.contracts.events import Warn
from genoferry.contracts.pipeline import PipelineParam
from genoferry.handlers.protocol import PreflightInput
from genoferry.handlers.scores import SCOREFILE, TARGET
from genoferry.settings import Settings

if TYPE_CHECKING:
    from genoferry.pgsc.preflight import Site

BYTES = {"KB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}
"""As Nextflow's `MemoryUnit` counts them."""

ASKED: Mapping[str, int] = {"MATCH_VARIANTS": 16 * BYTES["GB"]}
"""Memory that the largest process asks for, times the attempt. Source: pgsc_calc 2.2.0, `conf/base.config`
(`process_medium`)."""

HOLDS_TO_IT = frozenset(("k8s", "awsbatch", "slurm"))
"""Executors that end a process which takes more than it asked for; on one machine, Nextflow only counts."""


def run_preflight(inputs: PreflightInput, pipeline: PipelineParam) -> Sequence[Warn]:
    """Raises a `CalculationError` for what can't go well, unless the deployment only warns of that."""
    from genoferry.pgsc.preflight import Files, check, mirror
    from genoferry.pgsc.preflight.verdict import MAX_WARNING, MAX_WARNINGS

    settings = inputs.settings
    folder = settings.compute.score_mirror
    verdict = check(
        pipeline,
        Files(inputs.files[TARGET], inputs.files.get(SCOREFILE, {})),
        settings.preflight,
        # a mirror that this worker doesn't see is the job's alone
        lookup=mirror(folder, pipeline.nxf_params_file.target_build) if folder and folder.is_dir() else None,
        site=site_of(settings),
        stop=inputs.stop,
    )
    if verdict.failure is None:
        return verdict.warnings
    if settings.preflight.mode == "fail":
        raise verdict.failure
    told = Warn(code=verdict.failure.code, message=verdict.failure.user_message[:MAX_WARNING])
    return (told, *verdict.warnings)[:MAX_WARNINGS]


def site_of(settings: Settings) -> Site:
    """What the deployment has, as its engines will find it (`handlers.scores.engines`)."""
    from genoferry.pgsc.preflight import Site

    by_pipeline = settings.compute.engine == "nextflow" and not settings.nextflow.offline
    ids: Literal["catalogue", "nowhere"] = "catalogue" if by_pipeline else "nowhere"
    engine = settings.compute.engine
    return Site(engine, memory_ceiling(settings), "mirror" if settings.compute.score_mirror else ids)


def memory_ceiling(settings: Settings) -> int | None:
    """Bytes that one process may have; None where the engine sets no ceiling."""
    if settings.compute.engine != "nextflow":
        return None
    site = settings.nextflow
    number, unit = site.max_memory[:-2].strip(), site.max_memory[-2:]
    ceiling = int(number) * BYTES[unit]
    return min(ceiling, max(ASKED.values()) * (1 + site.max_retries)) if site.executor in HOLDS_TO_IT else ceiling
