"""A process of this machine: what `compute.local` starts."""

from __future__ import annotations

import json

from genoferry.compute.credentials import PASSED_ON, PASSED_ON_PREFIXES
from genoferry.compute.job_command import HeadSettings, command, workspace
from genoferry.compute.protocol import JobSpec
from genoferry.settings import Settings

OWN = (
    "AWS_CONFIG_FILE", "AWS_EC2_METADATA_DISABLED", "AWS_SHARED_CREDENTIALS_FILE", "GENOFERRY_JOB_LIMITS",
    "GENOFERRY_LOG_FORMAT", "GENOFERRY_SCRATCH", "GENOFERRY_WORKSPACE", "HOME", "TMPDIR",
)  # fmt: skip
"""What the runner sets for each job; of the two files one, which holds its credentials."""


def manifest(spec: JobSpec, settings: Settings, _: HeadSettings) -> str:
    """Its arguments, its folder, and which variables it gets: their names, not their values."""
    folder = f"{settings.compute.local_dir}/{spec.name}"
    document = {
        "name": spec.name,
        "argv": command(spec),
        "folder": folder,
        "scratch": f"{folder}/scratch",
        "workspace": workspace(spec, settings),
        "environment": sorted([*PASSED_ON, *OWN, *(f"{prefix}*" for prefix in PASSED_ON_PREFIXES)]),
    }
    return json.dumps(document, indent=2) + "\n"
