"""What a Job and its pod come to. The statuses are those that Kubernetes 1.34 shows."""

from __future__ import annotations

from typing import Any

import pytest

from genoferry.compute.kubernetes.job_status import Limits, Verdict, judge
from genoferry.compute.kubernetes.status import job_seen, last_seen, newest_by_job, pod_seen
from genoferry.compute.protocol import Handle, job_name

UUID = "5a70fd19-4215-5128-a2a7-91796b890924"
HANDLE = Handle(UUID, 2, job_name("prod", UUID, 2), "job-uid")
AT, UNIX = "2026-01-01T00:00:00Z", 1767225600.0
LIMITS = Limits(unschedulable=600, unpullable=60, lost=300)
DISRUPTED = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}
UNSCHEDULABLE = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes."}


def conditions(*told: dict[str, str]) -> dict[str, Any]:
    return {"conditions": [{"lastTransitionTime": AT, **one} for one in told]}


def job(*told: dict[str, str], labels: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    own = {"genoferry/deployment": "prod", "genoferry/uuid": UUID, "genoferry/attempt": "2"}
    meta = {"name": HANDLE.name, "uid": "job-uid", "labels": own if labels is None else labels, "creationTimestamp": AT}
    return {"metadata": meta, "spec": spec, "status": {"startTime": AT, **conditions(*told)}}


def failed(reason: str = "BackoffLimitExceeded", message: str = "") -> dict[str, Any]:
    return job(
        {"type": "FailureTarget", "status": "True", "reason": reason},
        {"type": "Failed", "status": "True", "reason": reason, "message": message},
    )


def pod(phase: str, *told: dict[str, str], state: Any = None, ends: str | None = None, **status: Any) -> dict[str, Any]:
    owner = {"kind": "Job", "uid": "job-uid"}
    meta = {"name": "p", "creationTimestamp": AT, "ownerReferences": [owner]}
    if ends:
        meta["deletionTimestamp"] = ends
    containers = {"containerStatuses": [{"name": "job", "state": state}]} if state else {}
    return {"metadata": meta, "status": {"phase": phase, "startTime": AT, **conditions(*told), **containers, **status}}


def ended(code: int, reason: str = "Error", message: str = "") -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "reason": reason, "message": message, "finishedAt": AT}}


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"waiting": {"reason": reason, "message": message}}


def seen(a_job: Any, a_pod: Any = None, *, after: float = 30, handle: Handle = HANDLE) -> Verdict | None:
    return judge(handle, a_job and job_seen(a_job), a_pod and pod_seen(a_pod), UNIX + after, LIMITS, stuck=after)


COMPLETE = {"type": "Complete", "status": "True", "reason": "CompletionsReached"}
PHASES = {
    "fine": (job(COMPLETE), pod("Succeeded", state=ended(0, "Completed")), "succeeded", 0),
    "fine, its pod not seen": (job(COMPLETE), None, "succeeded", 0),
    "ending": (job({"type": "SuccessCriteriaMet", "status": "True"}), pod("Running"), "running", None),
    "runs": (job(), pod("Running"), "running", None),
    "fine, its controller hasn't said": (job(), pod("Succeeded", state=ended(0, "Completed")), "succeeded", 0),
    "ended, its controller hasn't said": (job(), pod("Failed", state=ended(1)), "running", None),
    "starts": (job(), pod("Pending", state=waiting("ContainerCreating")), "pending", None),
    "no pod yet": (job(), None, "pending", None),
}


@pytest.mark.parametrize("name", PHASES)
def test_phases(name: str) -> None:
    a_job, a_pod, phase, code = PHASES[name]
    found = seen(a_job, a_pod)
    assert found is not None
    assert (found.seen.phase, found.seen.exit_code, found.seen.cause, found.doubtful) == (phase, code, None, False)


FAILURES = {
    "exit 42": (failed(), pod("Failed", state=ended(42)), "exit", 42, "It ended with exit code 42."),
    "OOM": (
        failed(),
        pod("Failed", state=ended(137, "OOMKilled")),
        "out-of-memory",
        -9,
        "OOMKilled: it used more memory than it has.",
    ),
    "a full disk": (failed(), pod("Failed", state=ended(28)), "out-of-disk", 28, "It found no space left on its disk."),
    "no such program": (
        failed(),
        pod("Failed", state=ended(128, "StartError", "stat /nothing: no such file")),
        "exit",
        128,
        "Its program could not be started (stat /nothing: no such file).",
    ),
    "deadline": (
        failed("DeadlineExceeded"),
        None,
        "run-deadline",
        None,
        "DeadlineExceeded: it ran past its Job's deadline.",
    ),
    "evicted over its own limit": (
        failed(),
        pod("Failed", state=ended(137), reason="Evicted", message='Usage of EmptyDir volume "s" exceeds "20Mi". '),
        "out-of-disk",
        -9,
        'Evicted: it used more disk than it has (Usage of EmptyDir volume "s" exceeds "20Mi").',
    ),
    "evicted by its node": (
        failed("PodFailurePolicy"),
        pod("Failed", DISRUPTED | {"message": "The node was low on memory"}, state=ended(137), reason="Evicted"),
        "lost",
        -9,
        "Its pod was disrupted: Evicted (The node was low on memory).",
    ),
    "drained": (
        failed("PodFailurePolicy"),
        pod("Running", DISRUPTED | {"message": "Eviction API: evicting"}, ends=AT),
        "lost",
        None,
        "Its pod was disrupted: EvictionByEvictionAPI (Eviction API: evicting).",
    ),
    "drained, its pod not seen": (
        failed("PodFailurePolicy", "Pod has condition DisruptionTarget"),
        None,
        "lost",
        None,
        "Its pod was disrupted (Pod has condition DisruptionTarget).",
    ),
    "deleted": (failed(), pod("Failed", state=ended(143), ends=AT), "lost", -15, "Its pod was deleted."),
    "killed": (failed(), pod("Failed", state=ended(137)), "lost", -9, "It was ended by signal 9."),
    "node shut down": (failed(), pod("Failed", reason="NodeShutdown"), "lost", None, "Its pod failed: NodeShutdown."),
}


@pytest.mark.parametrize("name", FAILURES)
def test_failures(name: str) -> None:
    a_job, a_pod, cause, code, words = FAILURES[name]
    found = seen(a_job, a_pod)
    assert found is not None
    one = found.seen
    assert (one.phase, one.cause, one.exit_code, one.reason) == ("failed", cause, code, words)
    assert not found.doubtful


def test_what_a_job_printed_is_kept_apart_from_the_words() -> None:
    found = seen(failed(), pod("Failed", state=ended(42, message="line 1\nCANARY genotype")))
    assert found is not None
    assert found.seen.log_tail == ("line 1", "CANARY genotype")
    assert "CANARY" not in (found.seen.reason or "")


def test_what_the_kubelet_says_of_a_log_is_not_the_jobs() -> None:
    words = "Error on reading termination message from logs: failed to try resolving symlinks"
    found = seen(failed(), pod("Failed", state=ended(137, message=words)))
    assert found is not None
    assert (found.seen.log_tail, found.seen.cause) == ((), "lost")


def test_a_failed_job_without_its_pod_is_lost_but_in_doubt() -> None:
    found = seen(failed())
    assert found is not None
    assert (found.seen.cause, found.seen.reason, found.doubtful) == ("lost", "Its pod was deleted.", True)


def test_a_deleted_pod_still_says_why() -> None:
    drained = pod("Running", DISRUPTED | {"message": "Eviction API: evicting"})
    found = judge(HANDLE, job_seen(failed("PodFailurePolicy")), last_seen(drained), UNIX, LIMITS)
    assert found is not None
    assert found.seen.reason == "Its pod was disrupted: EvictionByEvictionAPI (Eviction API: evicting)."


def test_a_failed_jobs_pod_that_looks_alive_is_waited_for() -> None:
    assert seen(failed(), pod("Running"), after=30) is None
    found = seen(failed(), pod("Running"), after=90)
    assert found is not None
    assert found.seen.cause == "lost"


STUCK = {
    "unschedulable": (pod("Pending", UNSCHEDULABLE), 600, "Unschedulable for {}: 0/1 nodes."),
    "unpullable": (pod("Pending", state=waiting("ErrImagePull", "refused")), 60, "ErrImagePull for {}: refused"),
    "unpullable too": (pod("Pending", state=waiting("InvalidImageName")), 60, "InvalidImageName for {}"),
    "unpullable as well": (
        pod("Pending", state=waiting("CreateContainerConfigError", "no secret")),
        60,
        "CreateContainerConfigError for {}: no secret",
    ),
}


@pytest.mark.parametrize("name", STUCK)
def test_what_waits_too_long_fails_by_its_own_words(name: str) -> None:
    a_pod, limit, words = STUCK[name]
    early, late = seen(job(), a_pod, after=5), seen(job(), a_pod, after=limit + 1)
    assert early is not None
    assert late is not None
    assert (early.seen.phase, early.seen.reason, early.doubtful) == ("pending", words.format("5 s"), False)
    assert early.seen.since == late.seen.since == UNIX * 1000
    long = "10 min" if limit == 600 else "61 s"
    assert (late.seen.phase, late.seen.reason, late.doubtful) == ("failed", words.format(long), True)
    assert late.seen.cause == name.split(maxsplit=1)[0]


def test_an_image_that_can_not_be_had_counts_from_when_that_was_seen() -> None:
    slow = pod_seen(pod("Pending", state=waiting("ErrImagePull", "refused")))
    found = judge(HANDLE, job_seen(job()), slow, UNIX + 900, LIMITS, stuck=5)
    assert found is not None
    assert (found.seen.phase, found.seen.reason) == ("pending", "ErrImagePull for 5 s: refused"), "a slow volume before"


def test_a_gated_pod_is_held_back_and_not_unschedulable() -> None:
    found = seen(job(), pod("Pending", UNSCHEDULABLE | {"reason": "SchedulingGated"}), after=10**6)
    assert found is not None
    assert (found.seen.phase, found.seen.suspended, found.doubtful) == ("pending", True, False)


def test_a_pod_that_outlives_its_end_is_on_a_lost_node() -> None:
    going = pod("Running", ends=AT)
    early, late = seen(job(), going, after=300), seen(job(), going, after=301)
    assert early is not None
    assert late is not None
    assert early.seen.phase == "running"
    assert (late.seen.phase, late.seen.cause, late.doubtful) == ("failed", "lost", True)
    assert "node does not answer" in (late.seen.reason or "")


@pytest.mark.parametrize("a_pod", [None, pod("Running", ends=AT)])
def test_a_suspended_job_is_not_waiting_by_itself(a_pod: Any) -> None:
    found = seen(job(suspend=True), a_pod, after=10**6)
    assert found is not None
    assert (found.seen.phase, found.seen.suspended, found.seen.since) == ("pending", True, None)


@pytest.mark.parametrize(
    ("a_job", "handle"),
    [
        (None, HANDLE),
        (job(labels={}), HANDLE),
        (job(labels={"genoferry/uuid": UUID, "genoferry/attempt": "3"}), HANDLE),
        (job(), Handle(UUID, 2, HANDLE.name, "another-uid")),
    ],
)
def test_what_is_not_this_attempts_is_gone_but_in_doubt(a_job: Any, handle: Handle) -> None:
    found = seen(a_job, handle=handle)
    assert found is not None
    assert (found.seen.phase, found.doubtful) == ("gone", True)


def test_an_attempt_whose_submission_was_not_recorded_is_found_by_its_labels() -> None:
    found = seen(job(), pod("Running"), handle=Handle(UUID, 2, HANDLE.name, None))
    assert found is not None
    assert found.seen.phase == "running"


def test_of_two_pods_the_newer_counts_then_the_one_that_stays() -> None:
    old, going, new = pod("Failed"), pod("Running", ends=AT), pod("Pending")
    old["metadata"]["creationTimestamp"] = "2025-12-31T23:59:59Z"
    for order in ([old, going, new], [new, going, old]):
        assert newest_by_job([pod_seen(one) for one in order])["job-uid"].phase == "Pending"
