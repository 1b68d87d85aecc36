"""`genoferry render`: what a request would run, as files, and nothing else."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genoferry.cli import output
from genoferry.compute.registry import RUNNERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from genoferry.contracts.envelope import Request
    from genoferry.contracts.pipeline import PipelineParam
    from genoferry.settings import Settings

    Runner = str
else:
    Runner = StrEnum("Runner", {name.upper(): name for name in RUNNERS})

EPILOG = """[bold]Examples[/bold]

  genoferry render payloads/calculate_scores_s3.json --runner local --out rendered

  GENOFERRY_WORKSPACES=/shared genoferry render request.json --runner slurm --out rendered

  genoferry render - --runner local --out rendered --force < request.json
"""


def render(
    file: Annotated[str, typer.Argument(metavar="PAYLOAD|-", help="The request, a JSON object; - reads stdin.")],
    runner: Annotated[Runner, typer.Option(help="What would run the job.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the files; it is made where it isn't there.")],
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there with another content.")] = False,
) -> None:
    """Write what a request would run: params.json, the samplesheet, nextflow.config, command.sh and the compute
    object's manifest.

    It is what the worker and the job make of it, with the settings of this environment; it asks no service, and the
    same request gives the same bytes. Where GENOFERRY_NEXTFLOW_EXECUTOR isn't set, processes run where the job does:
    local, k8s, awsbatch or slurm.
    """
    from genoferry.cli.send import read_text
    from genoferry.contracts.envelope import parse_request

    request = parse_request(read_text(file))
    settings = known(runner)
    _write(files(request, _pipeline(request, settings), runner, settings), out, force=force)


def known(runner: Runner) -> Settings:
    """The settings of this environment, for the Nextflow engine and this runner. Raises `SettingsError`."""
    from genoferry.settings import load

    found = load()
    compute = found.compute.model_copy(update={"engine": "nextflow"})
    nextflow = found.nextflow
    if "executor" not in nextflow.model_fields_set:
        nextflow = nextflow.model_copy(update={"executor": RUNNERS[runner].executor})
    return found.model_copy(update={"compute": compute, "nextflow": nextflow})


def files(request: Request, pipeline: PipelineParam, runner: Runner, settings: Settings) -> Mapping[str, str]:
    """Text by name, of the first attempt. Raises what its job would: `ScorefileMissing`, `SettingsError`."""
    from genoferry.compute.protocol import JobSpec, job_name, workspace_name
    from genoferry.compute.registry import manifest
    from genoferry.contracts.keys import job_key, workspace_prefix
    from genoferry.handlers.scores.sources import score_source
    from genoferry.pgsc.nextflow.layout import Places
    from genoferry.pgsc.nextflow.render import render as render_run
    from genoferry.pgsc.nextflow.render import script

    uuid, bucket, site = request.uuid, settings.work_bucket, settings.nextflow
    workspace = workspace_name(settings.deployment, uuid, 1)
    spec = JobSpec(uuid, 1, job_name(settings.deployment, uuid, 1), f"s3://{bucket}/{job_key(uuid, 1)}", workspace)
    shared = f"s3://{bucket}/{workspace_prefix(uuid, 1)}work" if site.bucket_workspaces else None
    places = Places(settings.workspaces / workspace, 1, shared)
    local = score_source(pipeline.nxf_params_file, settings) != "pipeline"
    rendered = render_run(pipeline, site, places, local_scores=local)
    name, text = manifest(runner, spec, settings)
    return {**rendered.files, "command.sh": script(rendered, places), name: text}


def _pipeline(request: Request, settings: Settings) -> PipelineParam:
    """What a request asks pgsc_calc for. Raises `BadMessage`s, those of a deployment that doesn't offer it too."""
    from genoferry.contracts.pipeline import PipelineParam
    from genoferry.errors import InvalidBody
    from genoferry.handlers.registry import find, load, parse_body
    from genoferry.worker.intake.accept import check_offered

    handler = find(load(settings.compute.handler_modules), request.name)
    body = parse_body(handler, request)
    if handler.kind != "job" or not isinstance(pipeline := getattr(body, "pipeline_param", None), PipelineParam):
        raise InvalidBody("Only a request that calculates scores with pgsc_calc can be rendered.")
    check_offered(handler.plan(body).needs, settings.offers)
    return pipeline


def _write(files: Mapping[str, str], out: Path, *, force: bool) -> None:
    """All or none, and through no link: they are put in their places when all are whole. Raises `WouldOverwrite`."""
    from tempfile import TemporaryDirectory

    try:
        out.mkdir(parents=True, exist_ok=True)
        _check(files, out, force=force)
        with TemporaryDirectory(prefix=".render-", dir=out) as made:
            scratch = Path(made)
            for name, text in files.items():
                (scratch / name).write_text(text, encoding="utf-8")
            for name in files:
                (scratch / name).replace(out / name)
    except OSError as error:
        raise typer.BadParameter(f"can't be written to: {error.strerror}.", param_hint="--out") from None
    for name in files:
        output.line(str(out / name))


def _check(files: Mapping[str, str], out: Path, *, force: bool) -> None:
    from genoferry.errors import WouldOverwrite

    there = [name for name in files if os.path.lexists(out / name)]
    if odd := [name for name in there if (out / name).is_symlink() or not (out / name).is_file()]:
        raise typer.BadParameter(f"links and folders are left alone: {', '.join(odd)}.", param_hint="--out")
    other = [name for name in there if (out / name).read_bytes() != files[name].encode()]
    if other and not force:
        raise WouldOverwrite(f"There already, with another content: {', '.join(other)}. --force replaces them.")
