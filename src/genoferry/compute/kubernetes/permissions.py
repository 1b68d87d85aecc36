"""What the runner does in its namespace, and which of it the API server would refuse; what isn't there. Blocking.

It is asked by SelfSubjectAccessReview, which takes no right of one's own: the ClusterRole `system:basic-user` lets
every account ask about itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from genoferry.compute.kubernetes.api import Api, Kind
from genoferry.compute.kubernetes.errors import Refused
from genoferry.compute.kubernetes.submit import example
from genoferry.settings import KubernetesSettings, Settings

Right = tuple[str, str, str]
"""API group, resource (as `pods/log`) and verb, as a Role has them."""
ALWAYS: tuple[Right, ...] = (
    *(("batch", "jobs", verb) for verb in ("create", "get", "list", "watch", "delete")),
    *(("", "pods", verb) for verb in ("list", "watch")),
    ("", "pods/log", "get"),
)
WITH_SECRETS: tuple[Right, ...] = (
    ("batch", "jobs", "patch"),
    *(("", "secrets", verb) for verb in ("create", "get")),
)
"""A Job waits for its Secret, then it is let go; a Secret is read where another worker may have made it."""


def needed(settings: KubernetesSettings) -> tuple[Right, ...]:
    return ALWAYS + (WITH_SECRETS if settings.credentials == "secret" else ())


def refused(api: Api, settings: KubernetesSettings) -> list[Right]:
    """Of those that are needed. Raises `Refused` where the server doesn't answer that."""
    return [right for right in needed(settings) if not api.may(*right)]


def absent(api: Api, settings: Settings) -> list[tuple[Kind, str]]:
    """Of what a job's pod needs in the namespace, so far as this account happens to be let look: a worker's own in a
    cluster isn't, a person's often is. Every namespace has a service account `default`. Raises `Refused`."""
    return [(kind, name) for kind, name in _of_pod(settings) if _is_absent(api, kind, name)]


def _of_pod(settings: Settings) -> Iterator[tuple[Kind, str]]:
    pod = example(settings)["spec"]["template"]["spec"]
    yield "serviceaccounts", pod.get("serviceAccountName", "default")
    for volume in pod["volumes"]:
        if claim := volume.get("persistentVolumeClaim"):
            yield "persistentvolumeclaims", claim["claimName"]


def _is_absent(api: Api, kind: Kind, name: str) -> bool:
    try:
        return api.read(kind, name) is None
    except Refused as error:
        if error.status == 403:
            return False
        raise
