"""A job of AWS Batch: the request of SubmitJob, attempted once. A lost one is followed by an attempt of ours."""

from __future__ import annotations

import json

from genoferry.compute.job_command import (
    HeadSettings,
    check_place,
    command,
    deadline,
    environment,
    identity,
    needed,
)
from genoferry.compute.protocol import JobSpec
from genoferry.settings import Settings
from genoferry.validation import checked


def manifest(spec: JobSpec, settings: Settings, head: HeadSettings) -> str:
    """Source of the fields: the AWS Batch API reference, SubmitJob. The image's entry point is the program."""
    check_place(settings)
    _, *arguments = command(spec)
    queue = needed("GENOFERRY_NEXTFLOW_QUEUE", head.job_queue or settings.nextflow.queue, "Batch needs a job queue")
    request = {
        "jobName": spec.name,
        "jobQueue": checked("GENOFERRY_NEXTFLOW_QUEUE", queue),
        "jobDefinition": checked("job_definition", head.job_definition),
        "containerOverrides": {
            "command": arguments,
            "environment": [{"name": name, "value": text} for name, text in environment(spec, settings).items()],
            "resourceRequirements": [
                {"type": "VCPU", "value": str(head.cpus)},
                {"type": "MEMORY", "value": str(head.memory_mib)},
            ],
        },
        "retryStrategy": {"attempts": 1},
        "timeout": {"attemptDurationSeconds": max(60, deadline(settings))},
        "tags": {f"genoferry:{name}": text for name, text in identity(spec, settings).items()},
        "propagateTags": True,
    }
    return json.dumps(request, indent=2) + "\n"
