"""One deployment whose worker is here and whose jobs run in a namespace of a cluster, doing what the test says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
from tests.e2e.kubernetes import checkout
from tests.e2e.kubernetes.cluster import Cluster

from genoferry.compute.protocol import job_name
from genoferry.ledger.row import Row
from genoferry.testing.harness import Harness
from genoferry.testing.http_double import Handler, HttpDouble, Request
from genoferry.testing.waiting import wait_until

HANDLERS = Path(__file__).parent / "handlers"
QUICK = {
    "GENOFERRY_RUNNER": "kubernetes",
    "GENOFERRY_HANDLER_MODULES": "ask",
    "PYTHONPATH": str(HANDLERS),
    "GENOFERRY_KUBERNETES_IMAGE": checkout.NAME,
    "GENOFERRY_KUBERNETES_IMAGE_PULL_POLICY": "Never",
    "GENOFERRY_KUBERNETES_HOST_NETWORK": "true",
    "GENOFERRY_KUBERNETES_CREDENTIALS": "secret",
    "GENOFERRY_KUBERNETES_CPUS": "1",
    "GENOFERRY_KUBERNETES_MEMORY_MIB": "256",
    "GENOFERRY_KUBERNETES_SCRATCH_MIB": "64",
    "GENOFERRY_KUBERNETES_GRACE_SECONDS": "1",
    "GENOFERRY_KUBERNETES_LOST_SECONDS": "3",
    "GENOFERRY_KUBERNETES_CLEAN_SECONDS": "3",
}
FOR_JOBS = ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3")
WHOLE_LIFE = ["Requested", "Created", "Deployed", "Succeeded", "Result"]
NOWHERE = "http://127.0.0.1:9"
SECONDS = 120


def settings(cluster: Cluster, namespace: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Of a worker in that environment, whose jobs find the embedded AWS on the network that they share with it."""
    known = {name: environment[name] for name in FOR_JOBS if name in environment}
    return QUICK | {
        "GENOFERRY_KUBERNETES_KUBECONFIG": str(cluster.kubeconfig),
        "GENOFERRY_KUBERNETES_NAMESPACE": namespace,
        "GENOFERRY_KUBERNETES_ENV": json.dumps(known),
    }


class Boss(HttpDouble):
    """Tells the jobs what to do: `words` by attempt, the last for all that come after."""

    def __init__(self) -> None:
        super().__init__()
        self.words = ["end"]

    def answer(self, request: Request, handler: Handler) -> None:
        attempt = int(request.path[1:])
        handler.reply(200, self.words[min(attempt, len(self.words)) - 1].encode())

    @property
    def executions(self) -> list[int]:
        """The attempt of each execution that there was, in order."""
        return [int(request.path[1:]) for request in list(self.requests) if request.method == "POST"]


@dataclass(frozen=True)
class Place:
    """A namespace with the deployment whose jobs run there."""

    cluster: Cluster
    namespace: str
    harness: Harness
    boss: Boss

    def send(self, *words: str) -> str:
        """A request for one job; its uuid."""
        self.boss.words = list(words)
        return self.harness.send({"name": "Ask", "url": self.boss.url})

    def without_reports(self) -> str:
        """The jobs' environment, with a queue service that isn't there: then the cluster alone tells of their ends."""
        known: dict[str, str] = json.loads(self.harness.environment["GENOFERRY_KUBERNETES_ENV"])
        return json.dumps({**known, "AWS_ENDPOINT_URL_SQS": NOWHERE})

    def await_execution(self, attempt: int) -> None:
        wait_until(lambda: attempt in self.boss.executions, what=f"attempt {attempt} to run", seconds=SECONDS)

    def name(self, uuid: str, attempt: int = 1) -> str:
        return job_name(self.harness.environment["GENOFERRY_DEPLOYMENT"], uuid, attempt)

    def pod(self, uuid: str) -> str:
        """The name of the first attempt's pod."""
        selector = f"batch.kubernetes.io/job-name={self.name(uuid)}"
        (found,) = self.cluster.core.list_namespaced_pod(self.namespace, label_selector=selector).items
        return str(found.metadata.name)

    def ended(self, uuid: str) -> str | None:
        """Why the first attempt's Job has failed."""
        conditions = self.cluster.batch.read_namespaced_job_status(self.name(uuid), self.namespace).status.conditions
        return next((str(one.reason) for one in conditions or () if one.type == "Failed"), None)

    def pods_made(self) -> list[str]:
        """The Job of each pod that there was, as its controller has noted."""
        notes = self.cluster.core.list_namespaced_event(self.namespace, field_selector="reason=SuccessfulCreate").items
        return sorted(note.involved_object.name for note in notes for _ in range(note.count or 1))

    def left(self) -> list[str]:
        """Of the Jobs, their pods and their Secrets."""
        core, batch = self.cluster.core, self.cluster.batch
        lists = (batch.list_namespaced_job, core.list_namespaced_pod, core.list_namespaced_secret)
        return [item.metadata.name for ask in lists for item in ask(self.namespace).items]

    def await_done(self, uuid: str, state: str, *, attempts: int = 1, pods: int | None = None) -> Row:
        """Its end, with one Job an attempt, one pod a Job, and nothing left of them."""
        row = self.harness.await_done(uuid, seconds=SECONDS)
        assert (row.state, row.attempt) == (state, attempts), self.harness.inbox.messages(uuid)[-1]
        numbers = range(1, (attempts if pods is None else pods) + 1)
        assert self.pods_made() == [self.name(uuid, number) for number in numbers]
        assert self.left() == []
        kept = [key for key in self.harness.keys("work", f"{uuid}/") if "/request-" not in key]
        assert kept == [f"{uuid}/{attempt}/job.json" for attempt in range(1, attempts + 1)]
        assert all(b'"tombstone"' in self.harness.content("work", key) for key in kept)
        results = [f"{uuid}/{attempts}/asked.txt"] if state == "SUCCEEDED" else []
        assert self.harness.keys("results", f"{uuid}/") == results
        wait_until(lambda: not self.harness.messages_left(), what="the message to be deleted")
        return row


def processes(uuid: str, attempt: int = 1) -> list[psutil.Process]:
    """The job program's, in its container."""
    found = psutil.process_iter(["cmdline"])
    return [one for one in found if (one.info["cmdline"] or [""])[-1].endswith(f"/{uuid}/{attempt}/job.json")]
