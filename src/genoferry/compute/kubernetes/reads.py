"""What a namespace holds of a deployment, and what a job printed, from a LIST by label. Blocking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from genoferry.compute.kubernetes.api import Api
from genoferry.compute.kubernetes.owned import labels_of, selector
from genoferry.compute.kubernetes.refusals import Refused, as_error
from genoferry.compute.manifests.kubernetes import PREFIX
from genoferry.compute.manifests.pod import CONTAINER
from genoferry.compute.protocol import Handle, Workspace, parse_job_name, parse_workspace_name
from genoferry.errors import ComputeError

JOB_NAME = "batch.kubernetes.io/job-name"
"""Label that the Job controller gives a Job's pods."""


def leftovers(api: Api, deployment: str) -> list[Handle]:
    """Raises `ComputeError`."""
    named = [(name, uid, parse_job_name(name, deployment), labels) for name, uid, labels in _jobs(api, deployment)]
    return [Handle(*of, name, uid) for name, uid, of, labels in named if of and of == _owner(labels, "attempt")]


def workspaces(api: Api, deployment: str) -> list[Workspace]:
    """Those that a Job is emptying, or has: the folders of a claim can't be seen from outside. Raises
    `ComputeError`."""
    named = [(name, parse_workspace_name(name, deployment), labels) for name, _, labels in _jobs(api, deployment)]
    return [Workspace(*of, name) for name, of, labels in named if of and of == _owner(labels, "staged-in")]


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


def _jobs(api: Api, deployment: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Name, uid and our own labels."""
    with as_error(ComputeError):
        for one in api.list("jobs", selector(deployment)):
            if "metadata" in one:
                yield one["metadata"]["name"], one["metadata"]["uid"], labels_of(one)


def _owner(labels: Mapping[str, str], number: str) -> tuple[str, int] | None:
    """uuid and number by an object's labels. A name alone is not enough, nor are labels."""
    text = labels.get(f"{PREFIX}{number}", "")
    return (labels.get(f"{PREFIX}uuid", ""), int(text)) if text.isdecimal() else None
