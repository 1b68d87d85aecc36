"""What a Job and its pod come to: phase, cause, and words for a person. Pure: it is handed the time.

A Job's failure is its controller's word (condition Failed); why, the pod says. Its success is its only pod's, a second
before the controller's (syncJobBatchPeriod, pkg/controller/job/job_controller.go). What only the passing of
time says (no node, no image, a node that doesn't answer) is `doubtful`: so is a Job or a pod that isn't there.
"""

from __future__ import annotations

from dataclasses import dataclass

from genoferry.compute.kubernetes.failure import Verdict, failed, failure, millis
from genoferry.compute.kubernetes.status import JobSeen, PodSeen
from genoferry.compute.protocol import Cause, Handle, Observation

UNPULLABLE = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError"}
    | {"RegistryUnavailable", "SignatureValidationFailed"}
    | {"CreateContainerConfigError", "CreateContainerError", "RunContainerError", "PreStartHookError"}
)
"""Reasons for which the kubelet goes on trying to start a container (pkg/kubelet/images/types.go,
pkg/kubelet/kuberuntime/kuberuntime_container.go)."""

GATED = "SchedulingGated"
"""Reason of PodScheduled while another, such as a queue, holds a pod back (core/v1 PodReasonSchedulingGated)."""


@dataclass(frozen=True)
class Limits:
    """In seconds."""

    unschedulable: float
    unpullable: float
    lost: float


def judge(
    handle: Handle, job: JobSeen | None, pod: PodSeen | None, now: float, limits: Limits, *, stuck: float = 0.0
) -> Verdict | None:
    """`now` in Unix seconds; `stuck`: for how many its pod has been so by now. None is no news."""
    if job is None or not is_attempt(job, handle):
        return Verdict(Observation(handle, "gone", reason="Its Job is not in the cluster any more."), doubtful=True)
    if job.failed:
        return failed(handle, job.failed, pod, now)
    if job.complete:
        return Verdict(Observation(handle, "succeeded", exit_code=0, since=millis(job.complete.at)))
    if pod is None or (job.suspended and pod.leaving):
        return _without_pod(handle, job)
    return _live(handle, pod, now, limits, stuck)


def _live(handle: Handle, pod: PodSeen, now: float, limits: Limits, stuck: float) -> Verdict:
    if pod.phase == "Succeeded":
        return Verdict(Observation(handle, "succeeded", exit_code=0))
    if pod.ends is not None and now > pod.ends + limits.lost:
        words = f"Its node does not answer: its pod should have ended {_long(now - pod.ends)} ago"
        return Verdict(failure(handle, "lost", words, pod.disrupted), doubtful=True)
    if pod.phase != "Pending":
        return Verdict(Observation(handle, "running", since=millis(pod.started)))
    return _pending(handle, pod, now, limits, stuck)


def is_attempt(job: JobSeen, handle: Handle) -> bool:
    """Whether that Job is this attempt's, and not another of its name."""
    ours = (job.labels.get("genoferry/uuid"), job.labels.get("genoferry/attempt")) == (handle.uuid, str(handle.attempt))
    return ours and handle.ref in (None, job.uid)


def _without_pod(handle: Handle, job: JobSeen) -> Verdict:
    if job.suspended:
        seen = Observation(handle, "pending", reason="Its Job is suspended.", suspended=True)
    else:
        words = f"Its Job has no pod yet. `kubectl describe job {handle.name}` says why."
        seen = Observation(handle, "pending", reason=words, since=millis(job.started or job.created))
    return Verdict(seen)


def stuck_as(pod: PodSeen) -> Cause | None:
    """No node takes it, or its node can't have its image or make its container; both go on trying. Since when, the
    pod doesn't say: its conditions keep the time at which they were first false, behind a gate too."""
    if pod.phase != "Pending":
        return None
    if pod.scheduled and not pod.scheduled.holds:
        return None if pod.scheduled.reason == GATED else "unschedulable"
    return "unpullable" if pod.waiting and pod.waiting.reason in UNPULLABLE else None


def _pending(handle: Handle, pod: PodSeen, now: float, limits: Limits, stuck: float) -> Verdict:
    """Why it waits, in others' words, and for how long; once too long, that is its failure."""
    cause = stuck_as(pod)
    told = pod.scheduled if cause == "unschedulable" else pod.waiting
    if cause is None or told is None:
        gated = pod.scheduled is not None and not pod.scheduled.holds
        reason = "Its pod's scheduling is gated." if gated else _starts(pod)
        return Verdict(Observation(handle, "pending", reason=reason, since=millis(pod.created), suspended=gated))
    limit = limits.unschedulable if cause == "unschedulable" else limits.unpullable
    reason, since = f"{told.reason} for {_long(stuck)}: {told.message}".rstrip(": "), millis(now - stuck)
    if stuck > limit:
        return Verdict(Observation(handle, "failed", reason=reason, cause=cause, since=since), doubtful=True)
    return Verdict(Observation(handle, "pending", reason=reason, since=since))


def _starts(pod: PodSeen) -> str:
    told = pod.waiting
    return f"Its pod starts: {told.reason} {told.message}".rstrip() + "." if told else "Its pod starts."


def _long(seconds: float) -> str:
    return f"{max(0, int(seconds))} s" if seconds < 120 else f"{int(seconds // 60)} min"
