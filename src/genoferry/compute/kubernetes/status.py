"""Of a Job and of a pod, the little that is kept in memory to judge them by. Pure.

Source of the fields: the Kubernetes API reference, batch/v1 JobStatus and core/v1 PodStatus.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

Object = Mapping[str, Any]
MOST = 500
"""Characters of another's words that are kept."""
NOT_STARTED = frozenset({"StartError", "ContainerCannotRun"})
"""Reasons whose message is the runtime's. Any other end's is what the container printed last, for the operator only."""

UNREADABLE = "Error on reading termination message from logs:"
"""What the kubelet says where a log is gone before it is read, as after an eviction (pkg/kubelet/kuberuntime,
getTerminationMessage)."""


@dataclass(frozen=True, slots=True)
class Told:
    """A condition, which `holds` or not, or a container's state: why, in words, and since when (Unix seconds)."""

    reason: str
    message: str
    at: float | None
    holds: bool = True


@dataclass(frozen=True, slots=True)
class JobSeen:
    name: str
    uid: str
    labels: Mapping[str, str]
    created: float | None
    started: float | None
    suspended: bool
    complete: Told | None
    failed: Told | None


@dataclass(frozen=True, slots=True)
class PodSeen:
    """`ends` is when its deletion should be over. `waiting` to `log_tail` are its container's; the last is what it
    printed before it failed."""

    name: str
    job_uid: str
    created: float
    phase: str
    reason: str
    message: str
    started: float | None
    ends: float | None
    scheduled: Told | None
    disrupted: Told | None
    waiting: Told | None
    ended: Told | None
    exit_code: int | None
    log_tail: tuple[str, ...]
    gone: bool = False

    @property
    def leaving(self) -> bool:
        """Whether it is being deleted, or was."""
        return self.gone or self.ends is not None


def job_seen(found: Object) -> JobSeen:
    meta, status = found["metadata"], found.get("status") or {}
    conditions = _conditions(status)
    return JobSeen(
        name=meta["name"],
        uid=meta["uid"],
        labels={n: v for n, v in (meta.get("labels") or {}).items() if n.startswith("genoferry/")},
        created=unix(meta.get("creationTimestamp")),
        started=unix(status.get("startTime")),
        suspended=bool(found["spec"].get("suspend")),
        complete=_held(conditions, "Complete"),
        failed=_held(conditions, "Failed"),
    )


def pod_seen(found: Object) -> PodSeen:
    meta, status = found["metadata"], found.get("status") or {}
    conditions = _conditions(status)
    state = next((one.get("state") or {} for one in status.get("containerStatuses") or ()), {})
    ended = state.get("terminated") or {}
    told = ended.get("message") or ""
    own_words = ended.get("reason") not in NOT_STARTED
    return PodSeen(
        name=meta["name"],
        job_uid=next((owner["uid"] for owner in meta.get("ownerReferences") or () if owner["kind"] == "Job"), ""),
        created=unix(meta.get("creationTimestamp")) or 0.0,
        phase=status.get("phase") or "Pending",
        reason=status.get("reason") or "",
        message=_words(status),
        started=unix(status.get("startTime")),
        ends=unix(meta.get("deletionTimestamp")),
        scheduled=conditions.get("PodScheduled"),
        disrupted=_held(conditions, "DisruptionTarget"),
        waiting=_told(state.get("waiting")),
        ended=_told({**ended, "message": ""} if own_words and ended else ended),
        exit_code=ended.get("exitCode"),
        log_tail=tuple(told.splitlines()) if own_words and not told.startswith(UNREADABLE) else (),
    )


def last_seen(found: Object) -> PodSeen:
    """A pod that was deleted: it still says why its Job failed."""
    return replace(pod_seen(found), gone=True)


def forget(_: Object) -> None:
    """Of a Job that was deleted nothing is kept."""


def newest_by_job(pods: Iterable[PodSeen]) -> dict[str, PodSeen]:
    """A Job that was suspended for a while has had several."""
    found: dict[str, PodSeen] = {}
    for pod in sorted(pods, key=lambda pod: (pod.created, not pod.leaving)):
        found[pod.job_uid] = pod
    return found


def _conditions(status: Object) -> dict[str, Told]:
    return {
        one["type"]: Told(
            one.get("reason") or "", _words(one), unix(one.get("lastTransitionTime")), one["status"] == "True"
        )
        for one in status.get("conditions") or ()
    }


def _held(conditions: Mapping[str, Told], name: str) -> Told | None:
    found = conditions.get(name)
    return found if found and found.holds else None


def _told(state: Object | None) -> Told | None:
    return Told(state.get("reason") or "", _words(state), None) if state else None


def _words(found: Object) -> str:
    return (found.get("message") or "").strip()[:MOST]


def unix(text: str | None) -> float | None:
    """RFC 3339, to the second."""
    return datetime.fromisoformat(text).timestamp() if text else None
