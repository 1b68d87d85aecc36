"""The runners that there are: one table from a runner's name to all that is its own.

Whatever has to know the runners reads it: the worker, `genoferry render`, `genoferry doctor`. A new runner is a package
beside `local` and one entry here. An entry's code is imported when it is used, so that a worker loads no other runner's
client and the command line starts at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from genoferry.compute.job_command import HeadSettings
    from genoferry.compute.protocol import JobSpec, Runner
    from genoferry.settings import Settings

    Build = Callable[[AsyncExitStack, Settings], Runner]
    Manifest = Callable[[JobSpec, Settings, HeadSettings], str]


@dataclass(frozen=True)
class RunnerEntry:
    """One runner's own things.

    `package` has a module `manifest` with `manifest(spec, settings, head)`, the text of an attempt's compute object;
    and, unless `rendered_only`, a module `runner` with `build(stack, settings)`. `manifest_file` is the file that
    `genoferry render` writes that text to, `executor` Nextflow's executor for processes that run where the job does.
    """

    package: str
    manifest_file: str
    executor: str
    rendered_only: bool = False


RUNNERS: Mapping[str, RunnerEntry] = {
    "local": RunnerEntry("genoferry.compute.local", "process.json", "local"),
    "kubernetes": RunnerEntry("genoferry.compute.kubernetes", "job.yaml", "k8s"),
    "batch": RunnerEntry("genoferry.compute.batch", "submit-job.json", "awsbatch", rendered_only=True),
    "slurm": RunnerEntry("genoferry.compute.slurm", "job.sbatch", "slurm", rendered_only=True),
}


def manifest(runner: str, spec: JobSpec, settings: Settings, head: HeadSettings | None = None) -> tuple[str, str]:
    """Return the file name and the text of an attempt's compute object.

    Raises `SettingsError` for a setting that is missing, or doesn't fit where it would stand.
    """
    from genoferry.compute.job_command import HeadSettings

    entry = RUNNERS[runner]
    make = cast("Manifest", resolve_name(f"{entry.package}.manifest:manifest"))
    return entry.manifest_file, make(spec, settings, head or HeadSettings())


def build(stack: AsyncExitStack, settings: Settings) -> Runner:
    """Return the runner that the settings name; `stack` closes what it opens. Raises `SettingsError`."""
    make = cast("Build", resolve_name(f"{RUNNERS[settings.compute.runner].package}.runner:build"))
    return make(stack, settings)
