"""Thousands of Jobs at once under one lease holder: what it asks of the API server, its memory, and who goes on after.

The pods only say that they run (kwok), so the test leaves what each job would leave before its pod ends: its exit
report, which says that all went well and that there are no outputs. No job sends its hint on the report queue: the
watch alone tells. Everything else is real: messages, worker, rows, Jobs, events.

Each pod waits for a node that there is not, is handed to the pretended one by the test, and ends when the test says so.
`GENOFERRY_TEST_JOBS` is how many, `GENOFERRY_TEST_ENDS` how many end in a second (0: as many as may be).
"""

from __future__ import annotations

import json
import math
import os
import re
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from tests.conftest import Deployment
from tests.e2e.kubernetes.cluster import Cluster
from tests.e2e.kubernetes.node import NAME
from tests.e2e.kubernetes.places import free_port

from genoferry.contracts.jobfile import JobFile
from genoferry.contracts.keys import exit_key, job_key
from genoferry.contracts.reports import ExitReport
from genoferry.testing.harness import Harness
from genoferry.testing.waiting import wait_until
from genoferry.testing.workers import WorkerProcess

log = structlog.get_logger()
JOBS = int(os.environ.get("GENOFERRY_TEST_JOBS") or 500)
ENDS = float(os.environ.get("GENOFERRY_TEST_ENDS") or 0)
MOST_MEMORY = 200 * 1024**2
RELIST_SECONDS = 60
EXPERIMENTS = 50
"""So many messages of the queue can be under way at once."""
AT_ONCE = 8
A_DAY = "86400000"
SECONDS = 1800
PACE = {
    "GENOFERRY_QUEUE_VISIBILITY_SECONDS": "60",
    "GENOFERRY_WORKER_LEASE_SECONDS": "20",
    "GENOFERRY_WORKER_TICK_SECONDS": "1",
    "GENOFERRY_WORKER_IDLE_TICK_SECONDS": "5",
    "GENOFERRY_WORKER_WATCH_SECONDS": "5",
    "GENOFERRY_WORKER_GONE_SECONDS": "60",
    "GENOFERRY_WORKER_PROGRESS_SECONDS": "15",
    "GENOFERRY_STAGING_JOBS_AT_ONCE": "16",
    "GENOFERRY_MAX_RUNNING": str(JOBS),
}
"""A worker's own, not the quick one of other tests."""

pytestmark = pytest.mark.timeout(3600)


@dataclass
class Told:
    """What a worker's log says, read as it grows: how often, and when which event of a request was published."""

    log: Path
    counts: Counter[str] = field(default_factory=Counter)
    published: dict[tuple[str, str], float] = field(default_factory=dict)
    holds: bool = False
    _read: int = 0

    def more(self) -> Told:
        with self.log.open("rb") as file:
            file.seek(self._read)
            *lines, rest = file.read().split(b"\n")
            self._read = file.tell() - len(rest)
        for line in lines:
            if line.startswith(b"{"):
                self._take(json.loads(line))
        return self

    def _take(self, entry: Mapping[str, Any]) -> None:
        self.counts[entry["event"]] += 1
        if entry["event"] == "published":
            at = datetime.fromisoformat(entry["timestamp"]).timestamp()
            self.published.setdefault((entry["uuid"], entry["published"]), at)
        if entry["event"] == "runner lease":
            self.holds = entry["held"]


@dataclass
class Pretended:
    """The pods of a namespace on the pretended node. LISTs are of the whole cluster, to be told from a worker's."""

    cluster: Cluster
    namespace: str

    def pods(self) -> dict[str, str]:
        """Names by the uuid of their request."""
        selector = f"metadata.namespace={self.namespace}"
        answer = self.cluster.core.list_pod_for_all_namespaces(field_selector=selector, _preload_content=False)
        found = (one["metadata"] for one in json.loads(answer.data)["items"])
        return {one["labels"]["genoferry/uuid"]: one["name"] for one in found}

    def start(self, pod: str) -> None:
        """It runs, for a day."""
        meta = {"name": pod, "annotations": {"kwok/milliseconds": A_DAY}}
        binding = {"metadata": meta, "target": {"kind": "Node", "name": NAME}}
        self.cluster.core.create_namespaced_pod_binding(pod, self.namespace, binding, _preload_content=False)

    def end(self, pod: str) -> None:
        """It ends, with exit code 0."""
        now = {"metadata": {"annotations": {"kwok/milliseconds": "0"}}}
        self.cluster.core.patch_namespaced_pod(pod, self.namespace, now, _preload_content=False)

    def jobs(self) -> int:
        selector = f"metadata.namespace={self.namespace}"
        answer = self.cluster.batch.list_job_for_all_namespaces(field_selector=selector, _preload_content=False)
        return len(json.loads(answer.data)["items"])


def test_thousands_of_jobs_under_one_holder_and_another_goes_on(
    kwok_cluster: Cluster, kwok_namespace: str, deployment: Deployment, tmp_path: Path
) -> None:
    node, began = Pretended(kwok_cluster, kwok_namespace), time.monotonic()
    with deployment(tmp_path) as harness:
        before = calls(kwok_cluster)
        first, told = worker(harness, kwok_cluster, kwok_namespace)
        uuids = send(harness, JOBS)
        wait_until(lambda: told.more().counts["submitted"] >= JOBS, what="all to be submitted", seconds=SECONDS)
        say("submitted", jobs=JOBS, seconds=time.monotonic() - began)
        pods = wait_until(lambda: whole(node.pods()), what="all pods", seconds=SECONDS)
        at_once(node.start, pods.values())
        wait_until(lambda: len(events(told.more(), "Deployed")) == JOBS, what="all to run", seconds=SECONDS)
        say("running", jobs=JOBS, seconds=time.monotonic() - began)

        ended = end(harness, node, pods, uuids[: JOBS // 2])
        wait_until(lambda: events(told.more(), "Result") >= set(ended), what="results", seconds=SECONDS)
        say("published", **delays(told, ended))
        assert first.peak_rss() <= MOST_MEMORY
        say("first", rss_mib=first.peak_rss() / 1024**2)

        second, told_second = worker(harness, kwok_cluster, kwok_namespace)
        first.kill()
        killed = time.monotonic()
        unseen = end(harness, node, pods, uuids[JOBS // 2 :][:10])
        wait_until(lambda: told_second.more().holds, what="another to hold the lease", seconds=SECONDS)
        say("taken over", seconds=time.monotonic() - killed)
        ended = end(harness, node, pods, uuids[JOBS // 2 + 10 :])
        last = {**unseen, **ended}
        wait_until(lambda: events(told_second.more(), "Result") >= set(last), what="results", seconds=SECONDS)
        say("published", **delays(told_second, ended))
        assert second.peak_rss() <= MOST_MEMORY
        say("second", rss_mib=second.peak_rss() / 1024**2)

        wait_until(lambda: not node.jobs(), what="all Jobs to be cleaned up", seconds=SECONDS)
        check_calls(calls(kwok_cluster) - before, time.monotonic() - began, holders=2)
        rows = [harness.await_done(uuid) for uuid in uuids]
        assert Counter((row.state, row.attempt) for row in rows) == {("SUCCEEDED", 1): JOBS}


def worker(harness: Harness, cluster: Cluster, namespace: str) -> tuple[WorkerProcess, Told]:
    """One that takes messages, and what it tells."""
    started = harness.worker(
        **PACE,
        GENOFERRY_RUNNER="kubernetes",
        GENOFERRY_KUBERNETES_KUBECONFIG=str(cluster.kubeconfig),
        GENOFERRY_KUBERNETES_NAMESPACE=namespace,
        GENOFERRY_KUBERNETES_NODE_SELECTOR='{"node": "that-there-is-not"}',
        GENOFERRY_KUBERNETES_RELIST_SECONDS=str(RELIST_SECONDS),
        GENOFERRY_HEALTH_PORT=str(free_port()),
    )
    return started, Told(started.log)


def send(harness: Harness, number: int) -> list[str]:
    """So many requests; their uuids."""
    body = {"name": "Touch", "log": str(harness.folder / "executions")}
    harness.client("sqs")
    return at_once(lambda index: harness.send(body, experimentId=f"experiment-{index % EXPERIMENTS}"), range(number))


def end(harness: Harness, node: Pretended, pods: Mapping[str, str], uuids: Iterable[str]) -> dict[str, float]:
    """End their jobs one after another: when each did, by Unix time."""
    ended, began = {}, time.monotonic()
    for number, uuid in enumerate(uuids):
        if ENDS:
            time.sleep(max(0.0, began + number / ENDS - time.monotonic()))  # the load itself: so many in a second
        report(harness, uuid)
        ended[uuid] = time.time()
        node.end(pods[uuid])
    return ended


def report(harness: Harness, uuid: str) -> None:
    """The exit report of a job that went well."""
    job = JobFile.model_validate_json(harness.content("work", job_key(uuid, 1)))
    text = ExitReport(uuid=uuid, attempt=1, nonce=job.nonce, exit_code=0).model_dump_json()
    harness.client("s3").put_object(Bucket=harness.bucket("work"), Key=exit_key(uuid, 1), Body=text.encode())


def at_once(act: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(act, items))


def whole(pods: dict[str, str]) -> dict[str, str] | None:
    return pods if len(pods) == JOBS else None


def events(told: Told, name: str) -> set[str]:
    """The requests of which that event was published."""
    return {uuid for uuid, event in told.published if event == name}


def delays(told: Told, ended: Mapping[str, float]) -> dict[str, float]:
    """From a pod's end to the event that tells of it, in seconds."""
    found = sorted(told.published[uuid, "Succeeded"] - at for uuid, at in ended.items())
    took = max(ended.values()) - min(ended.values())
    return {"median": statistics.median(found), "p95": found[len(found) * 95 // 100], "in_a_second": len(found) / took}


def calls(cluster: Cluster) -> Counter[str]:
    """The LISTs and WATCHes of Jobs and of pods in one namespace that the API server has counted; open WATCHes too."""
    found: Counter[str] = Counter()
    for line in cluster.metrics().splitlines():
        if line.startswith(("apiserver_request_total{", "apiserver_longrunning_requests{")):
            labels = dict(re.findall(r'(\w+)="([^"]*)"', line))
            if labels["scope"] == "namespace" and labels["resource"] in ("jobs", "pods"):
                found[f"{labels['verb']} {labels['resource']}"] += int(float(line.rpartition(" ")[2]))
    return found


def check_calls(counted: Counter[str], seconds: float, *, holders: int) -> None:
    """One LIST and one WATCH of each kind for each period, however many Jobs there are; each holder begins with one,
    and looks once for leftovers."""
    say("calls", **counted)
    most = math.ceil(seconds / RELIST_SECONDS) + holders
    leftovers = {"LIST jobs": holders}
    for kind in ("LIST jobs", "WATCH jobs", "LIST pods", "WATCH pods"):
        assert 0 < counted[kind] <= most + leftovers.get(kind, 0), kind


def say(what: str, **figures: float) -> None:
    """For who looks at them: `pytest -s`, or a failure."""
    log.info(what, **{name: round(figure, 2) for name, figure in figures.items()})
