"""What calculates: the engines by the name that the deployment's settings have for them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from genoferry.contracts.pipeline import PipelineParam
from genoferry.handlers.protocol import Task
from genoferry.handlers.scores import SCOREFILE, TARGET
from genoferry.handlers.scores.sources import score_source
from genoferry.pgsc.inputs import Inputs, Outcome


def _inputs(task: Task, pipeline: PipelineParam) -> Inputs:
    nxf = pipeline.nxf_params_file
    return Inputs(
        run_id=pipeline.id,
        targets=pipeline.target_genomes,
        files=task.files[TARGET],
        scorefiles=_scorefiles(task, pipeline),
        build=nxf.target_build,
        min_overlap=nxf.min_overlap,
        keep_ambiguous=nxf.keep_ambiguous,
        keep_multiallelic=nxf.keep_multiallelic,
        plink2=Path(found) if (found := shutil.which("plink2")) else None,
    )


def _embedded(task: Task, pipeline: PipelineParam) -> Outcome:
    from genoferry.pgsc.engine import run

    return run(
        _inputs(task, pipeline),
        work=task.work,
        out=task.out,
        progress=lambda phase, done, total: task.progress(phase, done, total, "steps"),
        stop=task.stop,
    )


def _nextflow(task: Task, pipeline: PipelineParam) -> Outcome:
    from genoferry.pgsc.nextflow.engine import Calculation, run
    from genoferry.pgsc.nextflow.layout import Places

    assert task.shared is not None  # noqa: S101  # a job of this engine gets one
    site = task.settings.nextflow
    places = Places(task.shared.folder, task.attempt, f"{task.shared.prefix}work" if site.bucket_workspaces else None)
    return run(
        Calculation(_inputs(task, pipeline), pipeline, site, places),
        out=task.out,
        progress=lambda info: task.progress(
            info.phase, info.done, info.total, info.unit, steps=info.steps, cpu_hours=info.cpu_hours
        ),
        stop=task.stop,
    )


ENGINES: dict[str, Callable[[Task, PipelineParam], Outcome]] = {"embedded": _embedded, "nextflow": _nextflow}


def _scorefiles(task: Task, pipeline: PipelineParam) -> list[Path]:
    """Those sent or those of the mirror; none where pgsc_calc gets them. Raises `ScorefileMissing`."""
    from genoferry.pgsc.scorefiles import resolve

    nxf, mirror = pipeline.nxf_params_file, task.settings.compute.score_mirror
    if score_source(nxf, task.settings) == "mirror" and mirror is not None:
        return list(resolve(nxf.pgs_ids, mirror, nxf.target_build))
    return list(task.files.get(SCOREFILE, {}).values())
