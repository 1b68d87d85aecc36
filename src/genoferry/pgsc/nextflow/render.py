"""All that a run of pgsc_calc is: its files, its command line and its environment, as a pure function."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid5

from genoferry import validation
from genoferry.contracts.pipeline import PipelineParam
from genoferry.errors import SettingsError
from genoferry.pgsc.nextflow import config, params, samplesheet
from genoferry.pgsc.nextflow.checks import checked, variable
from genoferry.pgsc.nextflow.layout import Places
from genoferry.settings import NextflowSettings

SESSIONS = UUID("7c0f2d1c-0a52-5c0b-8f0e-3d2b8f6a4e11")
"""The uuid5 namespace of `session`."""
REPOSITORY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*/[A-Za-z0-9_][A-Za-z0-9_.-]*")


@dataclass(frozen=True)
class Rendered:
    """`files`: text by name, for the folder `places.rendered`; `command`: what is started in `places.launch`;
    `environment`: what it gets beyond what its parent passes on. Nothing in it is a secret."""

    files: Mapping[str, str]
    command: tuple[str, ...]
    environment: Mapping[str, str]


def render(pipeline: PipelineParam, site: NextflowSettings, places: Places, *, local_scores: bool) -> Rendered:
    """Raises `SamplesheetInvalid` for files that pgsc_calc can't read, and `SettingsError`, which names the setting."""
    name, sheet = samplesheet.render(pipeline, places.genomes)
    values = params.render(pipeline.nxf_params_file, site, places, local_scores=local_scores)
    files = {
        params.FILE: json.dumps(values, indent=2) + "\n",
        name: sheet,
        config.FILE: config.render(site, places),
    }
    return Rendered(files, command(site, places), environment(site, places))


def command(site: NextflowSettings, places: Places) -> tuple[str, ...]:
    """The head's arguments. Each stands for itself in a shell, since pgsc_calc's SCORE_REPORT echoes them in one."""
    source, revision = _source(site, places)
    return (
        checked("command", site.command),
        "-log", _path(places.log),
        "run", source,
        *(("-r", checked("revision", revision)) if revision else ()),
        "-c", _path(places.rendered / config.FILE),
        "-params-file", _path(places.rendered / params.FILE),
        *(("-profile", checked("profile", ",".join(site.profile))) if site.profile else ()),
        *(("-plugins", checked("plugins", ",".join(site.plugins))) if site.plugins else ()),
        "-work-dir", _path(places.work),
        "-ansi-log", "false",
        *(("-offline",) if site.offline else ()),
        *_run(places),
    )  # fmt: skip


def _source(site: NextflowSettings, places: Places) -> tuple[str, str | None]:
    """A folder, which has no revision, or a repository with its own."""
    name = checked("pipeline", site.pipeline)
    if name.startswith("/"):
        return name, None
    if name.startswith("s3://"):
        return _path(fetched(places)), None
    if not REPOSITORY.fullmatch(name):
        raise SettingsError(f"{variable('pipeline')} must be OWNER/NAME, an absolute folder or s3://BUCKET/PREFIX.")
    return name, site.revision


def fetched(places: Places) -> Path:
    """Where a pipeline from a bucket has to lie before Nextflow is started: the same in every attempt."""
    return places.workspace / "pipeline"


def _run(places: Places) -> tuple[str, ...]:
    """It goes on with what there is; a first run is told so and begins anew.

    With a cache in the bucket, the launch folder with Nextflow's history may be gone: the run is named and its
    session told instead of looked up there, be it new or not (Nextflow asks for both where it keeps no history)."""
    if places.bucket_work:
        return "-name", f"attempt-{places.attempt}", "-resume", session(places)
    return ("-resume",)


def session(places: Places) -> str:
    """The session that all attempts in a workspace share, where the cache is in a bucket."""
    return str(uuid5(SESSIONS, str(places.workspace)))


def environment(site: NextflowSettings, places: Places) -> Mapping[str, str]:
    """Nextflow's variables (its documentation, "Environment variables"; `NXF_UUID`, a new session's id, is in its
    source `Session.groovy`)."""
    found = {
        "NXF_ANSI_LOG": "false",
        "NXF_DISABLE_CHECK_LATEST": "true",
        "NXF_TEMP": _path(scratch(places)),
        "TMPDIR": _path(scratch(places)),
    }
    if site.offline:
        found["NXF_OFFLINE"] = "true"
    if site.plugins_dir:
        found["NXF_PLUGINS_DIR"] = checked("plugins_dir", str(site.plugins_dir))
    if places.bucket_work:
        found |= {"NXF_UUID": session(places), "NXF_IGNORE_RESUME_HISTORY": "true"}
    return dict(sorted(found.items()))


def scratch(places: Places) -> Path:
    """The folder of temporary files; it must be there before Nextflow is started."""
    return places.attempt_folder / "tmp"


def _path(path: Path | str) -> str:
    return validation.checked("GENOFERRY_WORKSPACES", str(path))


def write(rendered: Rendered, folder: Path) -> None:
    """Its files, into a folder that is made where it isn't there; makes the folder of temporary files too."""
    folder.mkdir(parents=True, exist_ok=True)
    Path(rendered.environment["TMPDIR"]).mkdir(parents=True, exist_ok=True)
    for name, text in rendered.files.items():
        (folder / name).write_text(text, encoding="utf-8")


def script(rendered: Rendered, places: Places) -> str:
    """The launch as a shell script, for a person to read or run."""
    made = " ".join(shlex.quote(str(path)) for path in (places.launch, scratch(places)))
    variables = [f"export {name}={shlex.quote(text)}" for name, text in rendered.environment.items()]
    steps = [
        f"mkdir -p {made}",
        f"cd {shlex.quote(str(places.launch))}",
        *variables,
        f"exec {shlex.join(rendered.command)}",
    ]
    return "\n".join(["#!/bin/sh", "set -eu", *steps, ""])
