"""A real worker and a real cluster: each trouble is told of in the right words, nothing is lost, nothing runs twice."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest
from kubernetes import client
from tests.e2e.kubernetes.place import SECONDS, WHOLE_LIFE, Place, processes

from genoferry.faults import KUBERNETES_POINTS
from genoferry.testing.waiting import wait_until


@dataclass(frozen=True)
class Failure:
    """What a job's one attempt comes to. `words`: of the event, as a regular expression; `prints`: whether what it
    printed last is in the row, for the operator."""

    code: str
    words: str
    does: str = "end"
    runs: bool = True
    prints: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)


FAILURES = {
    "exit 42 without a report": Failure(
        "job-lost",
        r"ended without its exit report.*\(It ended with exit code 42\.\)",
        "exit",
        settings={"GENOFERRY_WORKER_MAX_LOST_ATTEMPTS": "1"},
        prints=True,
    ),
    "more memory than it has": Failure(
        "job-out-of-memory", r"\(OOMKilled: it used more memory than it has\.\)", "memory", prints=True
    ),
    "more scratch than it has": Failure(
        "job-out-of-disk",
        r"\(Evicted: it used more disk than it has \(Usage of EmptyDir.*\"64Mi\"\)\.\)",
        "scratch",
        # The kubelet may have removed its log before it reads what was printed last.
    ),
    "longer than it may": Failure(
        "run-deadline",
        r"ran past its deadline",
        "wait",
        settings={"GENOFERRY_RUN_DEADLINE_SECONDS": "3"},
        prints=True,
    ),
    "an image that isn't there": Failure(
        "job-unpullable",
        r"\((ErrImagePull|ImagePullBackOff) for \d+ s: .*127\.0\.0\.1:9/nothing:1",
        runs=False,
        settings={
            "GENOFERRY_KUBERNETES_IMAGE": "127.0.0.1:9/nothing:1",
            "GENOFERRY_KUBERNETES_IMAGE_PULL_POLICY": "IfNotPresent",
            "GENOFERRY_KUBERNETES_UNPULLABLE_SECONDS": "2",
        },
    ),
    "no node that it fits on": Failure(
        "job-unschedulable",
        r"\(Unschedulable for \d+ s: 0/1 nodes are available: 1 Insufficient memory",
        runs=False,
        settings={
            "GENOFERRY_KUBERNETES_MEMORY_MIB": "100000000",
            "GENOFERRY_KUBERNETES_UNSCHEDULABLE_SECONDS": "2",
        },
    ),
}


@pytest.mark.parametrize("case", FAILURES.values(), ids=list(FAILURES))
def test_what_lasts_fails_the_job_in_words_that_help(place: Place, case: Failure) -> None:
    place.harness.worker(**case.settings)
    uuid = place.send(case.does)
    row = place.await_done(uuid, "FAILED")
    assert not case.prints or f"told to: {case.does}" in row.log_tail
    assert not any("termination message" in line for line in row.log_tail), "the job's own lines only"
    error = place.harness.inbox.await_event(uuid, "Failed")["error"]
    assert error["code"] == case.code
    assert re.search(case.words, error["userMessage"]), error["userMessage"]
    assert place.boss.executions == ([1] if case.runs else [])
    assert place.harness.inbox.names(uuid)[-1] == "Failed"


def evict(place: Place, uuid: str) -> None:
    name = place.pod(uuid)
    eviction = client.V1Eviction(metadata=client.V1ObjectMeta(name=name))
    place.cluster.core.create_namespaced_pod_eviction(name, place.namespace, eviction)


def delete_pod(place: Place, uuid: str) -> None:
    place.cluster.core.delete_namespaced_pod(place.pod(uuid), place.namespace)


def delete_job(place: Place, uuid: str) -> None:
    place.cluster.batch.delete_namespaced_job(place.name(uuid), place.namespace, propagation_policy="Background")


def kill(_: Place, uuid: str) -> None:
    (process,) = processes(uuid)
    process.kill()


LOSSES: dict[str, tuple[Callable[[Place, str], None], str]] = {
    "its pod is evicted": (evict, "Its pod was disrupted"),
    "its pod is deleted": (delete_pod, "Its pod was deleted"),
    "its Job is deleted": (delete_job, "Its Job is not in the cluster any more"),
    "its process is killed": (kill, "It was ended by signal 9"),
}


@pytest.mark.parametrize(("lose", "words"), LOSSES.values(), ids=list(LOSSES))
def test_what_may_pass_is_tried_again(place: Place, lose: Callable[[Place, str], None], words: str) -> None:
    worker = place.harness.worker()
    uuid = place.send("wait", "end")
    place.harness.await_state(uuid, "RUNNING")
    place.await_execution(1)
    lose(place, uuid)
    place.await_done(uuid, "SUCCEEDED", attempts=2)
    assert place.boss.executions == [1, 2]
    assert words in worker.text
    assert place.harness.inbox.names(uuid) == [*WHOLE_LIFE[:3], *WHOLE_LIFE[1:]]


def test_a_job_that_ends_while_the_api_server_is_away_is_seen(place: Place) -> None:
    worker = place.harness.worker(GENOFERRY_KUBERNETES_ENV=place.without_reports())
    uuid = place.send("wait")
    place.harness.await_state(uuid, "RUNNING")
    place.await_execution(1)
    place.cluster.api_server.kill()
    place.boss.words = ["end"]
    wait_until(lambda: "no look" in worker.text, what="the worker to miss the API server")
    place.cluster.api_server.start()
    place.cluster.wait_for_api()
    place.await_done(uuid, "SUCCEEDED")
    assert place.boss.executions == [1]
    assert place.harness.inbox.names(uuid) == WHOLE_LIFE


def test_a_deadline_that_passes_while_no_worker_is_there_is_seen(place: Place) -> None:
    first = place.harness.worker(GENOFERRY_START_DEADLINE_SECONDS="5", GENOFERRY_RUN_DEADLINE_SECONDS="5")
    uuid = place.send("wait")
    place.harness.await_state(uuid, "RUNNING")
    first.kill()
    wait_until(lambda: place.ended(uuid) == "DeadlineExceeded", what="Kubernetes to end it", seconds=SECONDS)
    place.harness.worker()
    place.await_done(uuid, "FAILED")
    error = place.harness.inbox.await_event(uuid, "Failed")["error"]
    assert error["code"] == "run-deadline"
    assert "(DeadlineExceeded: it ran past its Job's deadline.)" in error["userMessage"]


RULES = [
    {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create", "get", "list", "patch", "delete"]},
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"]},
    {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create", "get"]},
]
MAY_WATCH_JOBS = {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["watch"]}


def test_a_worker_without_rights_says_which_and_another_cleans_up(place: Place) -> None:
    cluster, namespace = place.cluster, place.namespace
    cluster.core.create_namespaced_service_account(namespace, {"metadata": {"name": "nobody"}})
    first = place.harness.worker(GENOFERRY_KUBERNETES_KUBECONFIG=str(cluster.kubeconfig_of(namespace, "nobody")))
    uuid = place.send("end")
    error = place.harness.inbox.await_event(uuid, "Failed")["error"]
    assert error["code"] == "submit-failed"
    assert "may not `create` `jobs`" in error["userMessage"]
    assert 'cannot create resource "jobs" in API group "batch"' in error["userMessage"]
    first.kill()
    place.harness.worker()
    place.await_done(uuid, "FAILED", pods=0)
    assert place.harness.inbox.names(uuid) == ["Requested", "Failed"]


def test_a_worker_that_may_not_watch_loses_nothing_and_goes_on_once_it_may(place: Place) -> None:
    cluster, namespace = place.cluster, place.namespace
    account, rights = {"metadata": {"name": "watcher"}}, client.RbacAuthorizationV1Api(cluster.client)
    role = {"kind": "Role", "name": "watcher", "apiGroup": "rbac.authorization.k8s.io"}
    subject = {"kind": "ServiceAccount", "name": "watcher", "namespace": namespace}
    cluster.core.create_namespaced_service_account(namespace, account)
    rights.create_namespaced_role(namespace, {**account, "rules": RULES})
    rights.create_namespaced_role_binding(namespace, {**account, "roleRef": role, "subjects": [subject]})
    worker = place.harness.worker(GENOFERRY_KUBERNETES_KUBECONFIG=str(cluster.kubeconfig_of(namespace, "watcher")))
    uuid = place.send("end")
    wait_until(lambda: "may not `watch` `jobs`" in worker.text, what="the worker to say what it may not", seconds=60)
    rights.patch_namespaced_role("watcher", namespace, {"rules": [*RULES, MAY_WATCH_JOBS]})
    place.await_done(uuid, "SUCCEEDED")
    assert place.boss.executions == [1]
    assert place.harness.inbox.names(uuid) == WHOLE_LIFE


@pytest.mark.parametrize("point", ["intent", *KUBERNETES_POINTS, "submit", "record"])
def test_a_worker_killed_on_the_way_leaves_one_job_that_is_done_once(place: Place, point: str) -> None:
    first = place.harness.worker(GENOFERRY_FAULT=point)
    uuid = place.send("end")
    assert first.wait() == -signal.SIGKILL
    if point in KUBERNETES_POINTS:
        objects = {"suspended": ["Job"], "secret": ["Job", "Secret"]}[point]
        assert place.left() == [place.name(uuid) for _ in objects], "no pod: the Job is suspended"
    place.harness.worker()
    place.await_done(uuid, "SUCCEEDED")
    assert place.boss.executions == [1]
    assert place.harness.inbox.names(uuid) == WHOLE_LIFE


def test_what_a_silent_node_holds_is_lost_and_stops_at_its_tombstone(place: Place) -> None:
    """The job program runs on while nobody can reach it: it asks before it publishes, and finds its tombstone."""
    place.harness.worker()
    uuid = place.send("wait", "end")
    place.harness.await_state(uuid, "RUNNING")
    place.await_execution(1)
    with place.cluster.spare_node():
        place.cluster.node.kubelet.kill()
        try:
            place.harness.await_row(uuid, lambda row: row.attempt == 2, what="lost", seconds=2 * SECONDS)
            tombstone = f"{uuid}/1/job.json"
            wait_until(lambda: b'"tombstone"' in place.harness.content("work", tombstone), what="its tombstone")
            assert processes(uuid), "attempt 1 must still be at work"
            place.boss.words[0] = "end"
            wait_until(lambda: not processes(uuid), what="attempt 1 to end by itself", seconds=SECONDS)
            assert place.harness.keys("results", f"{uuid}/") == []
        finally:
            place.cluster.node.kubelet.start()
        place.cluster.wait_for_node(ready=True)
    place.await_done(uuid, "SUCCEEDED", attempts=2)
    assert place.boss.executions == [1, 2]
