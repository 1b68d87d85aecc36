"""A batch script for Slurm's sbatch: never requeued, with no environment but its own."""

from __future__ import annotations

import math
import shlex

from genoferry.compute.job_command import (
    HeadSettings,
    check_place,
    command,
    deadline,
    environment,
    identity,
)
from genoferry.compute.protocol import JobSpec
from genoferry.settings import Settings
from genoferry.validation import checked


def manifest(spec: JobSpec, settings: Settings, head: HeadSettings) -> str:
    """Source of the options: sbatch(1). Every one is checked, since a header has no quotes that can be relied on.

    Its log is beside the workspaces, which all nodes see: `%` would stand for something there."""
    check_place(settings)
    log = f"{settings.workspaces}/{spec.name}.log"
    options = {
        "job-name": spec.name,
        "comment": ":".join(("genoferry", *identity(spec, settings).values())),
        "partition": head.partition or settings.nextflow.queue,
        "nodes": "1",
        "ntasks": "1",
        "cpus-per-task": str(head.cpus),
        "mem": f"{head.memory_mib}M",
        "time": str(math.ceil(deadline(settings) / 60)),
        "output": log.replace("%", "%%"),
        "export": "NONE",
    }
    headers = [f"#SBATCH --{name}={checked(VARIABLES.get(name, name), text)}" for name, text in options.items() if text]
    exports = [f"export {name}={shlex.quote(text)}" for name, text in environment(spec, settings).items()]
    profile = [f". {shlex.quote(head.profile)}"] if head.profile else []
    steps = ["set -eu", "umask 077", *profile, *exports, f"exec {shlex.join(command(spec))}"]
    return "\n".join(["#!/bin/sh", *headers, "#SBATCH --no-requeue", *steps, ""])


VARIABLES = {"partition": "GENOFERRY_NEXTFLOW_QUEUE", "output": "GENOFERRY_WORKSPACES"}
"""The setting that an option comes from."""
