"""Why a Job failed, as its condition and its pod's last state say. Pure.

What the worker makes of it follows from the cause: a job that the platform took away gets another attempt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from genoferry.compute.kubernetes.status import PodSeen, Told
from genoferry.compute.protocol import Cause, Handle, Observation
from genoferry.contracts.limits import EXIT_OUT_OF_DISK

ADVICE: Mapping[Cause, str] = {
    "out-of-memory": "GENOFERRY_KUBERNETES_MEMORY_MIB sets how much a job gets.",
    "out-of-disk": "GENOFERRY_KUBERNETES_SCRATCH_MIB sets how much a job gets.",
}
SIGNALS = range(129, 193)
"""Exit codes that mean 128 + a signal."""
SETTLES_SECONDS = 60
"""For which a failed Job's pod may still look alive: the two watches aren't in step."""


@dataclass(frozen=True)
class Verdict:
    """`doubtful`: nothing said so, it only follows from what is missing or from the time."""

    seen: Observation
    doubtful: bool = False


def failed(handle: Handle, told: Told, pod: PodSeen | None, now: float) -> Verdict | None:
    """Of the Job's condition Failed. None while its pod isn't seen to have ended."""
    if told.reason == "DeadlineExceeded":
        return Verdict(failure(handle, "run-deadline", "DeadlineExceeded: it ran past its Job's deadline", pod=pod))
    if pod is None:
        disrupted = told.reason == "PodFailurePolicy"
        words = f"Its pod was disrupted ({told.message})" if disrupted else "Its pod was deleted"
        return Verdict(failure(handle, "lost", words), doubtful=not disrupted)
    alive = pod.phase in ("Pending", "Running") and pod.ended is None and not pod.leaving and not pod.disrupted
    if alive and now < (told.at or 0) + SETTLES_SECONDS:
        return None
    return Verdict(_of_pod(handle, pod, told))


def failure(
    handle: Handle, cause: Cause, words: str, told: Told | None = None, pod: PodSeen | None = None
) -> Observation:
    """`told`: whose words and time go with it; `pod`: whose exit code and last lines."""
    more = f" ({told.message.rstrip('.')})" if told and told.message else ""
    return Observation(
        handle,
        "failed",
        exit_code=_code(pod) if pod else None,
        reason=f"{words}{more}.",
        cause=cause,
        since=millis(told.at) if told else None,
        log_tail=pod.log_tail if pod else (),
    )


def _of_pod(handle: Handle, pod: PodSeen, told: Told) -> Observation:
    """Disruption before all else: whatever the container made of it, it did not fail by itself."""
    if pod.disrupted:
        words = f"Its pod was disrupted: {pod.reason or pod.disrupted.reason}"
        return failure(handle, "lost", words, pod.disrupted, pod)
    if pod.reason == "Evicted":
        words = "Evicted: it used more disk than it has"
        return failure(handle, "out-of-disk", words, Told("", pod.message, None), pod)
    if pod.ended and pod.ended.reason == "OOMKilled":
        return failure(handle, "out-of-memory", "OOMKilled: it used more memory than it has", None, pod)
    if pod.leaving:
        return failure(handle, "lost", "Its pod was deleted", None, pod)
    return _by_code(handle, pod, told)


def _by_code(handle: Handle, pod: PodSeen, told: Told) -> Observation:
    code = _code(pod)
    if code is None:
        return failure(handle, "lost", f"Its pod failed: {pod.reason or told.reason}", told, pod)
    if code < 0:
        return failure(handle, "lost", f"It was ended by signal {-code}", None, pod)
    started = pod.ended is None or not pod.ended.message
    if code == EXIT_OUT_OF_DISK:
        return failure(handle, "out-of-disk", "It found no space left on its disk", None, pod)
    words = f"It ended with exit code {code}" if started else "Its program could not be started"
    return failure(handle, "exit", words, pod.ended, pod)


def _code(pod: PodSeen) -> int | None:
    code = pod.exit_code
    return 128 - code if code is not None and code in SIGNALS else code


def millis(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds * 1000)
