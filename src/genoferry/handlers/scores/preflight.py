"""The pre-flight of a `CalculateScores` job: its staged files and its scores, looked at as streams."""

from __future__ import annotations

from collections.abc import Sequence

from genoferry.contracts.events import Warn
from genoferry.contracts.pipeline import PipelineParam
from genoferry.handlers.protocol import Look
from genoferry.handlers.scores import SCOREFILE, TARGET
from genoferry.settings import Settings

BYTES = {"KB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}
"""As Nextflow's `MemoryUnit` counts them."""


def look_at(look: Look, pipeline: PipelineParam) -> Sequence[Warn]:
    """Raises a `CalculationError` for what can't go well, unless the deployment only warns of that."""
    from genoferry.pgsc.preflight import Files, check, mirror
    from genoferry.pgsc.preflight.verdict import MAX_WARNING, MAX_WARNINGS

    settings = look.settings
    folder = settings.compute.score_mirror
    verdict = check(
        pipeline,
        Files(look.files[TARGET], look.files.get(SCOREFILE, {})),
        settings.preflight,
        # a mirror that this worker doesn't see is the job's alone
        lookup=mirror(folder, pipeline.nxf_params_file.target_build) if folder and folder.is_dir() else None,
        max_memory_bytes=memory_ceiling(settings),
        stop=look.stop,
    )
    if verdict.failure is None:
        return verdict.warnings
    if settings.preflight.mode == "fail":
        raise verdict.failure
    told = Warn(code=verdict.failure.code, message=verdict.failure.user_message[:MAX_WARNING])
    return (told, *verdict.warnings)[:MAX_WARNINGS]


def memory_ceiling(settings: Settings) -> int | None:
    """Bytes that one process may have; None where the engine sets no ceiling."""
    if settings.compute.engine != "nextflow":
        return None
    number, unit = settings.nextflow.max_memory[:-2].strip(), settings.nextflow.max_memory[-2:]
    return int(number) * BYTES[unit]
