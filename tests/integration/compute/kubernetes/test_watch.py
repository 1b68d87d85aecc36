"""Observation: one LIST and one WATCH of each kind, whatever happens to the connection, and no word that isn't sure."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from genoferry.compute.kubernetes import informer as mirrors
from genoferry.compute.kubernetes import observer
from genoferry.compute.kubernetes.runner import KubernetesRunner
from genoferry.compute.protocol import Handle, JobSpec, Observation, job_name
from genoferry.errors import ComputeError
from genoferry.testing.waiting import wait_until

UUID = "5a70fd19-4215-5128-a2a7-91796b890924"
Make = Callable[..., KubernetesRunner]
RUNNING = {"phase": "Running", "startTime": "2026-01-01T00:00:10Z"}


def spec(attempt: int = 1) -> JobSpec:
    return JobSpec(UUID, attempt, job_name("prod", UUID, attempt), f"s3://work/{UUID}/{attempt}/job.json")


def start(runner: KubernetesRunner, attempt: int = 1) -> Handle:
    one = spec(attempt)
    return Handle(one.uuid, one.attempt, one.name, asyncio.run(runner.submit(one)))


def look(runner: KubernetesRunner, handle: Handle) -> Observation | None:
    try:
        found = asyncio.run(runner.observe([handle]))
    except ComputeError:
        return None
    return found[0] if found else None


def until(runner: KubernetesRunner, handle: Handle, phase: str) -> Observation:
    def seen() -> Observation | None:
        found = look(runner, handle)
        return found if found and found.phase == phase else None

    return wait_until(seen, what=f"{phase} is seen")


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observer, "RELIST_SECONDS", 0.1)
    monkeypatch.setattr(mirrors, "MOST_BACKOFF_SECONDS", 0.2)
    monkeypatch.setattr(mirrors, "SHORT_SECONDS", 0.0)


def test_nothing_is_asked_before_the_first_look_and_nothing_said_before_the_first_list(
    cluster: Any, make: Make
) -> None:
    runner = make()
    handle = start(runner)
    assert not {verb for verb, _ in cluster.calls} & {"list", "watch"}
    cluster.listing.clear()
    assert look(runner, handle) is None
    wait_until(lambda: cluster.calls["list", "jobs"], what="the LIST is under way")
    assert look(runner, handle) is None
    cluster.listing.set()
    assert until(runner, handle, "pending").reason == (
        f"Its Job has no pod yet. `kubectl describe job {handle.name}` says why."
    )


def test_a_life_is_seen_by_one_list_and_one_watch_of_each_kind(cluster: Any, make: Make) -> None:
    runner = make()
    handle = start(runner)
    until(runner, handle, "pending")
    cluster.pod(handle.name, **RUNNING)
    assert until(runner, handle, "running").since == 1767225610000
    for attempt in range(2, 30):
        start(runner, attempt)
    cluster.condition(handle.name, "Complete")
    until(runner, handle, "succeeded")
    for _ in range(50):
        look(runner, handle)
    asked = {call: n for call, n in cluster.calls.items() if call[0] != "create"}
    assert asked == {("list", "jobs"): 1, ("watch", "jobs"): 1, ("list", "pods"): 1, ("watch", "pods"): 1}
    assert {one["labelSelector"] for one in cluster.asked} == {"genoferry/deployment=prod"}


def test_a_watch_that_breaks_is_resumed_where_it_was(cluster: Any, make: Make) -> None:
    runner = make()
    handle = start(runner)
    until(runner, handle, "pending")
    cluster.bookmark()
    marked = cluster.version
    wait_until(lambda: cluster.open_watches == 2, what="both watches are open")
    wait_until(
        lambda: all(mirror._store.version == str(marked) for mirror in runner._watch._mirrors or ()),
        what="the bookmark is seen",
    )
    cluster.break_watches()
    cluster.pod(handle.name, **RUNNING)
    until(runner, handle, "running")
    assert cluster.calls["list", "jobs"] == cluster.calls["list", "pods"] == 1
    assert str(marked) in {one["resourceVersion"] for one in cluster.asked if one["kind"] == "pods"}


def test_a_version_that_is_forgotten_means_a_list(cluster: Any, make: Make) -> None:
    runner = make()
    handle = start(runner)
    until(runner, handle, "pending")
    with cluster.changed:  # at once, or the open watch tells of what is newer than all that is forgotten
        cluster.forget()
        cluster.condition(handle.name, "Complete")
        cluster.drop("jobs", "none")
        cluster.break_watches()
    until(runner, handle, "succeeded")
    cluster.events.clear()  # what is seen from now on can only be from a LIST
    wait_until(lambda: cluster.calls["list", "jobs"] == 2, what="a second LIST")
    until(runner, handle, "succeeded")


def test_what_is_told_of_a_forgotten_version_names_the_kind(cluster: Any, make: Make) -> None:
    runner = make()
    until(runner, start(runner), "pending")
    wait_until(lambda: cluster.open_watches == 2, what="both watches are open")
    cluster.forget()
    with capture_logs() as told:
        cluster.break_watches()
        wait_until(lambda: len(expired(told)) == 2, what="both watches to expire")
    assert expired(told) == {
        ("jobs", "Kubernetes answered 410 to `watch` of `jobs`: too old resource version."),
        ("pods", "Kubernetes answered 410 to `watch` of `pods`: too old resource version."),
    }


def expired(told: Sequence[Mapping[str, Any]]) -> set[tuple[str, str]]:
    return {(one["kind"], one["cause"]) for one in told if "answered 410" in one.get("cause", "")}


def test_trouble_is_told_and_ends(cluster: Any, make: Make) -> None:
    runner = make()
    handle = start(runner)
    cluster.refuse["list", "pods"] = (403, "Forbidden", "no")

    def told() -> str | None:
        try:
            asyncio.run(runner.observe([handle]))
        except ComputeError as error:
            return str(error)
        return None

    assert "may not `list` `pods`" in wait_until(told, what="the trouble is told")
    del cluster.refuse["list", "pods"]
    until(runner, handle, "pending")


def test_what_a_watch_says_is_told_by_name_and_once(cluster: Any, make: Make) -> None:
    runner, woken = make(), threading.Event()
    runner.listen(woken.set)
    first, second = start(runner), start(runner, 2)
    until(runner, first, "pending")
    wait_until(lambda: cluster.open_watches == 2, what="both watches are open")
    assert runner.take_changes() == frozenset()
    cluster.pod(first.name, phase="Pending")
    cluster.pod(first.name, **RUNNING)
    assert woken.wait(30), "of a pod, by its Job's name"
    assert runner.take_changes() == {first.name}
    woken.clear()
    cluster.condition(second.name, "Complete")
    assert woken.wait(30), "of a Job"
    assert runner.take_changes() == {second.name}
    assert runner.take_changes() == frozenset()
    assert look(runner, second).phase == "succeeded", "what was told is there to be seen"


def test_what_comes_and_goes_wakes_nobody(cluster: Any, make: Make) -> None:
    runner, told = make(), []
    runner.listen(lambda: told.append(1))
    handle = start(runner)
    until(runner, handle, "pending")
    wait_until(lambda: cluster.open_watches == 2, what="both watches are open")
    pod = cluster.pod(handle.name, phase="Pending")
    meta = pod["metadata"] | {"deletionTimestamp": "2026-01-01T00:00:00Z"}
    cluster.put("pods", pod | {"metadata": meta})
    cluster.drop("pods", meta["name"])
    cluster.drop("jobs", handle.name)
    until(runner, handle, "gone")
    assert not told


def test_a_look_at_others_leaves_a_doubt_as_old_as_it_is(cluster: Any, make: Make) -> None:
    runner = make()
    doubtful, other = start(runner), start(runner, 2)
    until(runner, doubtful, "pending")
    cluster.listing.clear()
    cluster.drop("jobs", doubtful.name)
    wait_until(lambda: look(runner, doubtful) is None, what="the Job is missed")
    since = runner._watch._doubts[doubtful.name].since
    look(runner, other)
    look(runner, doubtful)
    assert runner._watch._doubts[doubtful.name].since == since
    cluster.listing.set()
    until(runner, doubtful, "gone")


def test_lists_that_do_not_come_are_trouble(cluster: Any, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = make()
    handle = start(runner)
    cluster.listing.clear()
    assert look(runner, handle) is None, "no trouble yet"
    monkeypatch.setattr(observer, "PATIENCE_SECONDS", 0.0)
    with pytest.raises(ComputeError, match="could not be listed"):
        asyncio.run(runner.observe([handle]))
    cluster.listing.set()
    until(runner, handle, "pending")


def test_what_is_missing_counts_as_gone_after_a_list_only(cluster: Any, make: Make) -> None:
    runner = make()
    handle = start(runner)
    until(runner, handle, "pending")
    before = cluster.calls["list", "jobs"]
    cluster.listing.clear()
    cluster.drop("jobs", handle.name)
    wait_until(lambda: look(runner, handle) is None, what="the Job is missed")
    wait_until(lambda: look(runner, handle) is None and cluster.calls["list", "jobs"] > before, what="a LIST is asked")
    assert look(runner, handle) is None
    cluster.listing.set()
    until(runner, handle, "gone")
    lists = cluster.calls["list", "jobs"]
    for _ in range(20):
        assert (seen := look(runner, handle)) is None or seen.phase == "gone"
    assert cluster.calls["list", "jobs"] == lists, "what is certain is not asked again"


def test_a_job_of_the_same_name_made_anew_is_not_ours(cluster: Any, make: Make) -> None:
    runner = make()
    handle = start(runner)
    until(runner, handle, "pending")
    body = cluster.job(handle.name)
    cluster.drop("jobs", handle.name)
    cluster.put("jobs", {**body, "metadata": {**body["metadata"], "uid": "another"}})
    until(runner, handle, "gone")


def test_too_long_without_a_node_is_a_failure_after_a_list(cluster: Any, make: Make) -> None:
    runner = make(unschedulable_seconds=0.2)
    handle = start(runner)
    told = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes are available"}
    cluster.pod(handle.name, phase="Pending", conditions=[told | {"lastTransitionTime": "2026-01-01T00:00:00Z"}])
    seen = until(runner, handle, "failed")
    assert seen.cause == "unschedulable"
    assert (seen.reason or "").endswith("0/1 nodes are available")
    assert cluster.calls["list", "pods"] >= 2


def test_the_time_behind_a_gate_is_not_without_a_node(cluster: Any, make: Make) -> None:
    """The condition keeps the time at which it was first false (pkg/api/v1/pod UpdatePodCondition)."""
    runner = make(unschedulable_seconds=600)
    handle = start(runner)
    told = {"type": "PodScheduled", "status": "False", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    cluster.pod(handle.name, phase="Pending", conditions=[told | {"reason": "SchedulingGated"}])
    wait_until(lambda: (seen := look(runner, handle)) and seen.suspended, what="the gate is seen")
    cluster.pod(handle.name, phase="Pending", conditions=[told | {"reason": "Unschedulable", "message": "0/1 nodes"}])
    wait_until(lambda: (seen := look(runner, handle)) and not seen.suspended, what="it is lifted")
    seen = look(runner, handle)
    assert seen is not None
    assert (seen.phase, seen.reason) == ("pending", "Unschedulable for 0 s: 0/1 nodes")


def test_the_periodic_list_finds_what_a_watch_never_said(cluster: Any, make: Make) -> None:
    runner = make(relist_seconds=10)
    runner._watch._relist_seconds = 1.0
    handle = start(runner)
    until(runner, handle, "pending")
    body = cluster.job(handle.name)
    body["status"] = {"conditions": [{"type": "Complete", "status": "True"}]}  # with no event
    until(runner, handle, "succeeded")


def test_the_watch_ends_when_nobody_looks_and_begins_anew(cluster: Any, make: Make) -> None:
    runner = make()
    runner._watch._relist_seconds = 1.0
    handle = start(runner)
    until(runner, handle, "pending")
    runner._watch._idle_seconds = 0.0
    wait_until(lambda: cluster.open_watches == 0, what="the watches end")
    wait_until(lambda: all(one.ended for one in runner._watch._mirrors or ()), what="the threads end")
    runner._watch._idle_seconds = 60.0
    until(runner, handle, "pending")


def test_closing_ends_the_threads(cluster: Any, make: Make) -> None:
    runner = make()
    until(runner, start(runner), "pending")
    runner.close()
    wait_until(
        lambda: not any(thread.name.startswith("mirror") for thread in threading.enumerate()), what="the threads end"
    )
    wait_until(lambda: cluster.open_watches == 0, what="the watches end")
