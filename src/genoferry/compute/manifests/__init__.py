"""The compute object of one attempt, as a pure function of its spec and the settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from genoferry.compute.manifests import batch, kubernetes, local, slurm
from genoferry.compute.manifests.head import HeadSettings, RunnerName
from genoferry.compute.protocol import JobSpec
from genoferry.settings import Settings

__all__ = ["HeadSettings", "RunnerName", "manifest"]

Manifest = Callable[[JobSpec, Settings, HeadSettings], str]
BY_RUNNER: Mapping[RunnerName, tuple[str, Manifest]] = {
    "local": ("process.json", local.manifest),
    "kubernetes": ("job.yaml", kubernetes.manifest),
    "batch": ("submit-job.json", batch.manifest),
    "slurm": ("job.sbatch", slurm.manifest),
}


def manifest(
    runner: RunnerName, spec: JobSpec, settings: Settings, head: HeadSettings | None = None
) -> tuple[str, str]:
    """File name and text. Raises `SettingsError` for a setting that is missing, or doesn't fit where it would stand."""
    name, made = BY_RUNNER[runner]
    return name, made(spec, settings, head or HeadSettings())
