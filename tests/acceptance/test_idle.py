"""What a worker costs: calls while it has nothing to do, memory while it stages."""

from __future__ import annotations

import http.client
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import pytest

from genoferry.testing.crypt4gh_writer import new_key
from genoferry.testing.harness import Harness
from genoferry.testing.http_double import Handler, HttpDouble, Request
from genoferry.testing.https_source import HttpsSource, Synthesised
from genoferry.testing.waiting import wait_until
from genoferry.testing.workers import WorkerProcess

MIB = 1024**2
POLL_SECONDS = 20
LEDGER_READS, LEDGER_WRITES = 8, 4
"""In 20 s of idleness, at most. It is 6 and 3: each 7 s a look at the index, the runner's lease read and renewed."""


@dataclass(frozen=True)
class Call:
    at: float
    name: str
    queue: str | None


class Counting(HttpDouble):
    """Passes all requests on to an AWS endpoint, and keeps when each came and what it asked for."""

    def __init__(self, endpoint: str) -> None:
        super().__init__()
        self.calls: list[Call] = []
        self._there = urlsplit(endpoint).netloc

    def answer(self, request: Request, handler: Handler) -> None:
        name = request.headers.get("X-Amz-Target", "").rpartition(".")[2] or f"{request.method} {request.path}"
        queue = json.loads(request.body).get("QueueUrl") if name == "ReceiveMessage" else None
        self.calls.append(Call(time.monotonic(), name, queue))
        connection = http.client.HTTPConnection(self._there, timeout=60)
        headers = {n: v for n, v in request.headers.items() if n.lower() not in ("connection", "accept-encoding")}
        connection.request(request.method, request.path, request.body, headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        kept = {n.replace("-", "_"): v for n, v in answer.getheaders() if n.lower() in PASSED_ON}
        handler.reply(answer.status, body, **kept)


PASSED_ON = ("content-type", "x-amzn-requestid", "x-amz-crc32")


@dataclass
class Idle:
    """A worker with its settings as they come and nothing to do, and the calls that it makes."""

    worker: WorkerProcess
    calls: list[Call]


@pytest.fixture(scope="module")
def idle(deployment: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Idle]:
    with (
        deployment(tmp_path_factory.mktemp("idle")) as harness,
        Counting(harness.environment["AWS_ENDPOINT_URL"]) as proxy,
    ):
        for name in [n for n in harness.environment if n.startswith(("GENOFERRY_QUEUE_", "GENOFERRY_WORKER_"))]:
            del harness.environment[name]
        yield Idle(harness.worker(AWS_ENDPOINT_URL=proxy.url), proxy.calls)


def test_memory_stays_bounded_while_a_large_file_is_staged(idle: Idle, harness: Harness, touch: Any) -> None:
    """256 MiB through a worker of at most 200 MiB; `bench/` shows 4 GiB. The idle worker idles meanwhile."""
    secret, public = new_key()
    (harness.folder / "key").write_bytes(secret)
    file = Synthesised(256 * MIB, public)
    with HttpsSource({"big.c4gh": file}) as source:
        worker = harness.worker(GENOFERRY_ALLOW_HOSTS=source.host)
        before = worker.peak_rss()
        job = touch(
            source={"type": "https", "baseUrl": source.url, "files": [{"path": "big.c4gh", "size": file.size}]},
            key={"type": "file", "path": str(harness.folder / "key")},
        )
        row = harness.await_row(job.uuid, lambda row: row.submitted_at is not None or row.terminal, what="staged")
        assert row.state != "FAILED", row.error
        peak = worker.peak_rss()
        assert harness.await_done(job.uuid, seconds=120).state == "SUCCEEDED"
    assert before < peak <= 200 * MIB


def test_an_idle_worker_asks_little(idle: Idle) -> None:
    """One receive per queue and 20 s, a handful of reads."""
    wait_until(lambda: any(call.name == "Scan" for call in idle.calls), what="it to be idle")
    start = next(call.at for call in idle.calls if call.name == "Scan")
    wait_until(lambda: time.monotonic() > start + POLL_SECONDS, what="one poll's time")
    counts = Counter(call.name for call in idle.calls if start <= call.at < start + POLL_SECONDS)
    assert set(counts) <= {"ReceiveMessage", "Scan", "GetItem", "PutItem", "Query"}, counts
    assert counts["Scan"] + counts["GetItem"] + counts["Query"] <= LEDGER_READS, counts
    assert counts["PutItem"] <= LEDGER_WRITES, counts
    receives = [call for call in idle.calls if call.name == "ReceiveMessage"]
    assert len({call.queue for call in receives}) == 2
    assert len(receives) >= 4, "two of each queue were seen"
    for queue in {call.queue for call in receives}:
        times = [call.at for call in receives if call.queue == queue]
        assert all(later - earlier > POLL_SECONDS - 1 for earlier, later in pairwise(times))
    assert idle.worker.exit_code is None
