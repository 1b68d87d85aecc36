"""What the compute objects of all backends have in common: the job program's command, environment and resources."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from genoferry.compute.protocol import JobSpec
from genoferry.errors import SettingsError
from genoferry.settings import PREFIXES, NextflowSettings, Settings
from genoferry.validation import checked

USER = 10001
"""Of the image (Dockerfile)."""

NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
"""What a Kubernetes label, a Batch tag and a Slurm comment all take."""


@dataclass(frozen=True)
class HeadSettings:
    """What a job gets for itself; its processes' resources are Nextflow's matter.

    `memory_mib` in MiB; `job_queue`, `job_definition`: of AWS Batch; `partition`: of Slurm; `profile`: a file that a
    Slurm job reads first, with the site's modules and credentials. Kubernetes has settings of its own.
    """

    cpus: int = 2
    memory_mib: int = 4096
    job_queue: str | None = None
    job_definition: str = "genoferry-job"
    partition: str | None = None
    profile: str | None = None


def command(spec: JobSpec) -> list[str]:
    return ["genoferry", "job", "run", checked("GENOFERRY_WORK_BUCKET", spec.uri)]


def identity(spec: JobSpec, settings: Settings) -> dict[str, str]:
    """By what an attempt's object is found again."""
    deployment = checked("GENOFERRY_DEPLOYMENT", settings.deployment, NAME)
    return {"deployment": deployment, "uuid": spec.uuid, "attempt": str(spec.attempt)}


def deadline(settings: Settings) -> int:
    """Seconds that a job may run."""
    return math.ceil(settings.compute.run_deadline_seconds)


def environment(spec: JobSpec, settings: Settings) -> dict[str, str]:
    """What the job program reads of the settings, by variable, sorted. None of it is a secret."""
    compute = settings.compute
    found: dict[str, Any] = {
        "GENOFERRY_ENGINE": compute.engine,
        "GENOFERRY_HANDLER_MODULES": compute.handler_modules,
        "GENOFERRY_LOG_FORMAT": "json",
        "GENOFERRY_LOG_LEVEL": settings.genoferry_log_level,
        "GENOFERRY_SCORE_MIRROR": compute.score_mirror,
        "GENOFERRY_WORKSPACE": workspace(spec, settings),
        "AWS_REGION": settings.nextflow.region,
    }
    found |= _of_section(settings.nextflow)
    return {name: _text(value) for name, value in sorted(found.items()) if value not in (None, ())}


def workspace(spec: JobSpec, settings: Settings) -> str | None:
    return f"{settings.workspaces}/{spec.workspace}" if spec.workspace else None


def check_place(settings: Settings) -> None:
    """For another machine. Raises `SettingsError` where its workspace would be in the home of who submits it."""
    if settings.compute.engine == "nextflow" and settings.compute.workspaces is None:
        raise SettingsError("GENOFERRY_WORKSPACES is not set: workspaces of other machines need a folder of their own.")


def _of_section(section: NextflowSettings) -> dict[str, Any]:
    """What is set, and not the defaults, which the job program knows itself."""
    prefix = PREFIXES[type(section).__name__]
    return {f"{prefix}{name}".upper(): getattr(section, name) for name in section.model_fields_set}


def _text(value: Any) -> str:
    """As a setting is written in the environment."""
    if isinstance(value, SecretStr):
        raise SettingsError("A secret can't stand in a compute object.")
    if isinstance(value, dict):
        return json.dumps(value, sort_keys=True)
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, tuple) else str(value)


def needed(variable: str, text: str | None, why: str) -> str:
    """Raises `SettingsError` where it is not set."""
    if not text:
        raise SettingsError(f"{variable} is not set: {why}.")
    return text
