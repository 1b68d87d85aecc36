"""The pre-flight of a `CalculateScores` job: its staged files and its scores, looked at as streams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from genoferry.contracts.events import Warn
from genoferry.contracts.pipeline import PipelineParam
from genoferry.handlers.protocol import Look, Opener
from genoferry.handlers.scores import SCOREFILE, TARGET
from genoferry.settings import Settings

BYTES = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def look_at(look: Look, pipeline: PipelineParam) -> Sequence[Warn]:
    """Raises a `CalculationError` for what can't go well, unless the deployment only warns of that."""
    from genoferry.pgsc.preflight import Files, check

    settings = look.settings
    scores = dict(look.files.get(SCOREFILE, {})) | mirrored(pipeline, settings)
    verdict = check(
        pipeline,
        Files(look.files[TARGET], scores),
        settings.preflight,
        max_memory_bytes=memory_ceiling(settings),
        stop=look.stop,
    )
    if verdict.failure is None:
        return verdict.warnings
    if settings.preflight.mode == "fail":
        raise verdict.failure
    return (*verdict.warnings, Warn(code=verdict.failure.code, message=verdict.failure.user_message))


def mirrored(pipeline: PipelineParam, settings: Settings) -> Mapping[str, Opener]:
    """The scorefiles that the mirror has of the ids asked for. Raises `ScorefileMissing` for those that it lacks."""
    from genoferry.pgsc.scorefiles import resolve

    nxf, mirror = pipeline.nxf_params_file, settings.compute.score_mirror
    if mirror is None or not mirror.is_dir():
        return {}  # the job's alone, or the pipeline downloads them
    return {path.name: partial(path.open, "rb") for path in resolve(nxf.pgs_ids, mirror, nxf.target_build)}


def memory_ceiling(settings: Settings) -> int | None:
    """Bytes that one process may have; None where the engine sets no ceiling."""
    if settings.compute.engine != "nextflow":
        return None
    number, unit = settings.nextflow.max_memory[:-2].strip(), settings.nextflow.max_memory[-2:]
    return int(number) * BYTES[unit]
