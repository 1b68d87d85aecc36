"""What the runner does in its namespace, and which of it the API server would refuse. Blocking.

It is asked by SelfSubjectAccessReview, which takes no right of one's own: the ClusterRole `system:basic-user` lets
every account ask about itself.
"""

from __future__ import annotations

from genoferry.compute.kubernetes.api import Api
from genoferry.settings import KubernetesSettings

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
