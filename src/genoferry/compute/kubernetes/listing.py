"""What a namespace holds of a deployment, and what a job printed, from a LIST by label. Blocking."""

from __future__ import annotations

import time
from collections.abc import Callable

from genoferry.compute.kubernetes.api import Api, Object
from genoferry.compute.kubernetes.errors import Refused, as_error
from genoferry.compute.kubernetes.manifest import PREFIX
from genoferry.compute.kubernetes.objects import labels_of, selector
from genoferry.compute.kubernetes.pod import CONTAINER
from genoferry.compute.kubernetes.status import unix
from genoferry.compute.protocol import Handle, Leftover, Workspace, parse_job_name, parse_workspace_name
from genoferry.errors import ComputeError

Parse = Callable[[str, str], tuple[str, int] | None]
JOB_NAME = "batch.kubernetes.io/job-name"
"""Label that the Job controller gives a Job's pods."""


def leftovers(api: Api, deployment: str) -> list[Leftover]:
    """Raises `ComputeError`."""
    found = _ours(api, deployment, "job", "attempt", parse_job_name)
    return [Leftover(Handle(uuid, number, meta["name"], meta["uid"]), _age(meta)) for meta, uuid, number in found]


def workspaces(api: Api, deployment: str) -> list[Workspace]:
    """Those that a Job is emptying, or has: the folders of a claim can't be seen from outside. Raises
    `ComputeError`."""
    found = _ours(api, deployment, "discard", "staged-in", parse_workspace_name)
    return [Workspace(uuid, number, meta["name"], _age(meta)) for meta, uuid, number in found]


def _age(meta: Object) -> float:
    """In seconds, by this machine's clock."""
    made = unix(meta.get("creationTimestamp"))
    return time.time() - made if made else 0.0


def logs(api: Api, deployment: str, handle: Handle, tail: int) -> list[str]:
    """None while it has not started, or once it is gone. Raises `ComputeError`."""
    of_job = f"{selector(deployment)},{JOB_NAME}={handle.name}"
    with as_error(ComputeError):
        pods = [one["metadata"]["name"] for one in api.list("pods", of_job) if "metadata" in one]
        try:
            return [line for pod in pods for line in api.log(pod, CONTAINER, tail).splitlines()][-tail:]
        except Refused as error:
            if error.status in (400, 404):
                return []
            raise


def _ours(api: Api, deployment: str, component: str, number: str, parse: Parse) -> list[tuple[Object, str, int]]:
    """Metadata, request's uuid and number of the Jobs that both their labels and their names say are ours."""
    with as_error(ComputeError):
        jobs = api.list("jobs", f"{selector(deployment)},app.kubernetes.io/component={component}")
        found = [(one["metadata"], labels_of(one)) for one in jobs if "metadata" in one]
    named = [(meta, parse(meta["name"], deployment), labels) for meta, labels in found]
    return [
        (meta, *of)
        for meta, of, labels in named
        if of and (of[0], str(of[1])) == (labels.get(f"{PREFIX}uuid"), labels.get(f"{PREFIX}{number}"))
    ]
