"""One deployment as a test sees it: sends requests, runs real workers, and reads what came of it.

Against any deployment that an environment names: the embedded AWS (`genoferry local env`) or another endpoint. A
handler of yours is tested end to end with it; see the acceptance tests of genoferry.
"""

from __future__ import annotations

import itertools
import json
import os
import uuid as uuids
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any

from genoferry.ledger.row import Row
from genoferry.testing.clients import Clients
from genoferry.testing.inbox import Inbox
from genoferry.testing.waiting import wait_until
from genoferry.testing.workers import WorkerProcess, end_jobs

QUICK = {
    "GENOFERRY_LOG_FORMAT": "json",
    "GENOFERRY_QUEUE_WAIT_SECONDS": "1",
    "GENOFERRY_QUEUE_VISIBILITY_SECONDS": "5",
    "GENOFERRY_WORKER_LEASE_SECONDS": "1.5",
    "GENOFERRY_WORKER_TICK_SECONDS": "0.2",
    "GENOFERRY_WORKER_IDLE_TICK_SECONDS": "0.2",
    "GENOFERRY_WORKER_WATCH_SECONDS": "0.3",
    "GENOFERRY_WORKER_GONE_SECONDS": "1",
    "GENOFERRY_WORKER_PROGRESS_SECONDS": "0",
    "GENOFERRY_WORKER_BACKOFF_SECONDS": "0.5",
    "GENOFERRY_MAX_RUNNING": "4",
}
"""Settings by which a worker does at once what it else takes its time for."""


class Harness:
    """A context manager; leaving it kills the workers that it started and the jobs that they left.

    `environment`: a worker's, whole. `folder`: the test's own; logs of workers go there, and its jobs run there.
    """

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self.folder = folder
        base = {"PATH": os.environ["PATH"], "HOME": str(folder), "GENOFERRY_LOCAL_DIR": str(folder / "jobs")}
        self.environment = base | QUICK | dict(environment)
        self.workers: list[WorkerProcess] = []
        self._numbers = itertools.count()
        self._stack = ExitStack()

    # --- workers ------------------------------------------------------------------------------------------------
    def start(self, *arguments: str, **settings: str) -> WorkerProcess:
        """A worker, not awaited; `settings` are further variables of its environment."""
        log = self.folder / f"worker-{next(self._numbers)}.log"
        worker = self._stack.enter_context(WorkerProcess(self.environment | settings, log, *arguments))
        self.workers.append(worker)
        return worker

    def worker(self, **settings: str) -> WorkerProcess:
        """A worker that takes messages."""
        worker = self.start(**settings)
        worker.await_started()
        return worker

    # --- requests -----------------------------------------------------------------------------------------------
    def send(self, body: Mapping[str, Any], *, uuid: str | None = None, **envelope: Any) -> str:
        """Send a request; its uuid. `envelope`: `experimentId`, `timeout`, `onDuplicate`, `socketId`."""
        uuid = uuid or str(uuids.uuid4())
        document = {"uuid": uuid, "experimentId": "experiment", **envelope, "body": dict(body)}
        self.send_text(json.dumps(document), group=document["experimentId"])
        return uuid

    def send_text(self, text: str, *, group: str = "experiment") -> str:
        """Send any text; its MessageId."""
        url = self.environment["WORK_QUEUE"]
        own = {"MessageDeduplicationId": str(uuids.uuid4())} if url.endswith(".fifo") else {}
        answer = self.client("sqs").send_message(QueueUrl=url, MessageBody=text, MessageGroupId=group, **own)
        return str(answer["MessageId"])

    def messages_left(self) -> int:
        """In the work queue, hidden ones too."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        url = self.environment["WORK_QUEUE"]
        found = self.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    # --- what came of it ------------------------------------------------------------------------------------------
    @cached_property
    def inbox(self) -> Inbox:
        """All events and results, by an SQS subscription. Touch it before anything is sent."""
        return Inbox.subscribed(self.client("sqs"), self.client("sns"), self.environment["GENOFERRY_TOPIC_ARN"])

    @cached_property
    def dead(self) -> Inbox:
        """The dead letters."""
        sqs, url = self.client("sqs"), self.environment["WORK_QUEUE"]
        policy = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]["RedrivePolicy"]
        name = json.loads(policy)["deadLetterTargetArn"].rpartition(":")[2]
        return Inbox(sqs, sqs.get_queue_url(QueueName=name)["QueueUrl"])

    def row(self, uuid: str) -> Row | None:
        """The ledger's row; None where there is none, or only the mark of a cancellation."""
        table = self.environment["GENOFERRY_TABLE"]
        found = self.client("dynamodb").get_item(TableName=table, Key={"uuid": {"S": uuid}}, ConsistentRead=True)
        document = found.get("Item", {}).get("doc", {}).get("S", "{}")
        return Row.model_validate_json(document) if json.loads(document).get("kind") == "job" else None

    def await_row(
        self, uuid: str, condition: Callable[[Row], bool], *, what: str = "another state", seconds: float = 60
    ) -> Row:
        """The row once it is as wished."""

        def look() -> Row | None:
            row = self.row(uuid)
            return row if row is not None and condition(row) else None

        return wait_until(look, what=f"the row of {uuid}: {what}", seconds=seconds)

    def await_state(self, uuid: str, state: str, *, seconds: float = 60) -> Row:
        return self.await_row(uuid, lambda row: row.state == state, what=state, seconds=seconds)

    def await_done(self, uuid: str, *, seconds: float = 60) -> Row:
        """The row once it is terminal and nothing is owed to it: told, cleaned up, and held by nobody."""
        return self.await_row(uuid, _done, what="done with", seconds=seconds)

    def keys(self, bucket: str, prefix: str = "") -> list[str]:
        """The keys of `work` or `results` below a prefix."""
        pages = self.client("s3").get_paginator("list_objects_v2").paginate(Bucket=self.bucket(bucket), Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", ())]

    def content(self, bucket: str, key: str) -> bytes:
        body: bytes = self.client("s3").get_object(Bucket=self.bucket(bucket), Key=key)["Body"].read()
        return body

    def uploads(self, uuid: str) -> list[dict[str, Any]]:
        """A request's unfinished uploads."""
        answer = self.client("s3").list_multipart_uploads(Bucket=self.bucket("work"), Prefix=f"{uuid}/")
        return [upload for upload in answer.get("Uploads", ()) if upload["Key"].startswith(f"{uuid}/")]

    def job_folders(self) -> list[Path]:
        """What the local runner's jobs have left."""
        return sorted(self.local_dir.iterdir()) if self.local_dir.exists() else []

    @property
    def local_dir(self) -> Path:
        return Path(self.environment["GENOFERRY_LOCAL_DIR"])

    def bucket(self, name: str) -> str:
        return self.environment[f"GENOFERRY_{name.upper()}_BUCKET"]

    def client(self, service: str) -> Any:
        """A client of the worker's identity."""
        return self._clients.get(service)

    @cached_property
    def _clients(self) -> Clients:
        return Clients(self.environment)

    def __enter__(self) -> Harness:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        end_jobs(self.local_dir)
        self._clients.close()


def _done(row: Row) -> bool:
    return row.terminal and not (row.outbox or row.clean_up or row.lease_token)
