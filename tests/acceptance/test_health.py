"""A real worker asked after its health: while it works, is suspended, is cut off from a queue, and drains."""

from __future__ import annotations

import http.client
import json
import re
import threading
import urllib.error
import urllib.request
from typing import Any

import pytest

from genoferry.testing.crypt4gh_writer import new_key
from genoferry.testing.harness import Harness
from genoferry.testing.https_source import Fault, HttpsSource, Synthesised
from genoferry.testing.waiting import wait_until
from genoferry.testing.workers import WorkerProcess

MIB = 1024**2
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
PATIENT = {"GENOFERRY_HEALTH_PORT": "0", "GENOFERRY_HEALTH_LATE_SECONDS": "3"}
NO_ANSWER_SECONDS = 2.0


def ask(worker: WorkerProcess, path: str, *, seconds: float = 30) -> tuple[int, str]:
    """Status and body of `/healthz`, `/readyz` or `/metrics`. Raises `TimeoutError` where no answer comes."""
    found = re.search(r'\{[^}]*"event": "health"[^}]*\}', worker.text)
    assert found is not None, worker.text
    port = json.loads(found[0])["port"]
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=seconds) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def readiness(worker: WorkerProcess) -> dict[str, Any]:
    status, body = ask(worker, "/readyz")
    document: dict[str, Any] = json.loads(body)
    assert document["ready"] == (status == 200)
    return document


def await_ready(worker: WorkerProcess) -> None:
    wait_until(lambda: readiness(worker)["ready"], what="the worker to be ready")


def test_a_worker_at_work(harness: Harness, touch: Any) -> None:
    worker = harness.worker(**PATIENT)
    await_ready(worker)
    job = touch()
    harness.send_text("CANARY is not json")
    wait_until(harness.dead.drain, what="the dead letter")
    harness.await_done(job.uuid)
    assert json.loads(ask(worker, "/healthz")[1])["alive"] is True
    status, page = ask(worker, "/metrics")
    assert status == 200
    assert 'genoferry_transitions_total{after="SUCCEEDED",before="RUNNING"} 1.0' in page
    assert 'genoferry_events_total{event="Result"} 1.0' in page
    assert "genoferry_runner_lease 1.0" in page
    assert 'genoferry_messages_total{code="not-json",outcome="rejected"} 1.0' in page
    assert "CANARY" not in page
    assert job.uuid not in page
    assert str(harness.folder) not in page


def test_a_suspended_worker_gives_no_answer_and_wakes_to_be_ready(harness: Harness) -> None:
    worker = harness.worker(**PATIENT)
    await_ready(worker)
    worker.suspend()
    with pytest.raises((TimeoutError, urllib.error.URLError, http.client.HTTPException)):
        ask(worker, "/healthz", seconds=NO_ANSWER_SECONDS)
    worker.resume()
    await_ready(worker)
    assert ask(worker, "/healthz")[0] == 200


def test_a_queue_that_is_gone_turns_it_red_and_its_return_green(harness: Harness, touch: Any) -> None:
    worker = harness.worker(**PATIENT)
    await_ready(worker)
    sqs, url = harness.client("sqs"), harness.environment["GENOFERRY_REPORT_QUEUE"]
    if not url.startswith("http"):
        url = sqs.get_queue_url(QueueName=url)["QueueUrl"]
    sqs.delete_queue(QueueUrl=url)
    wait_until(lambda: "reports" in readiness(worker)["late"], what="the reports' poll to be late")
    assert set(readiness(worker)["late"]) == {"reports"}
    assert ask(worker, "/healthz")[0] == 200
    sqs.create_queue(QueueName=url.rpartition("/")[2])
    await_ready(worker)
    job = touch()
    assert harness.await_done(job.uuid).state == "SUCCEEDED"


def test_a_draining_worker_is_alive_and_not_ready(harness: Harness, touch: Any) -> None:
    secret, public = new_key()
    (harness.folder / "key").write_bytes(secret)
    hang = threading.Event()
    with HttpsSource({"big.c4gh": Synthesised(6 * MIB, public)}) as source:
        source.fail(Fault(hang=hang))
        size = Synthesised(6 * MIB, public).size
        worker = harness.worker(**PATIENT, GENOFERRY_ALLOW_HOSTS=source.host)
        await_ready(worker)
        job = touch(
            source={"type": "https", "baseUrl": source.url, "files": [{"path": "big.c4gh", "size": size}]},
            key={"type": "file", "path": str(harness.folder / "key")},
        )
        wait_until(lambda: source.gets, what="the source to be asked")
        worker.terminate()
        wait_until(lambda: readiness(worker)["draining"], what="the worker to drain")
        found = readiness(worker)
        assert (found["ready"], found["late"]) == (False, {})
        assert ask(worker, "/healthz")[0] == 200
        hang.set()
        assert worker.wait() == 0
        harness.worker()
        assert harness.await_done(job.uuid).state == "SUCCEEDED"


def test_a_port_that_is_taken_ends_it_at_once(harness: Harness) -> None:
    first = harness.worker(**PATIENT)
    await_ready(first)
    found = re.search(r'"port": (\d+)', first.text)
    assert found is not None
    second = harness.start(GENOFERRY_HEALTH_PORT=found[1])
    assert second.wait() != 0
    assert "GENOFERRY_HEALTH_PORT" in second.text
    assert ask(first, "/healthz")[0] == 200


def test_the_trace_goes_on_to_the_job(harness: Harness, touch: Any) -> None:
    harness.worker()
    job = touch(gated=True, envelope={"traceparent": TRACEPARENT})
    wait_until(lambda: job.executions, what="the job to run")
    document = json.loads(harness.content("work", f"{job.uuid}/1/job.json"))
    assert document["traceparent"] == TRACEPARENT
    job.open_gate()
    harness.await_done(job.uuid)


def test_a_bad_trace_is_dropped_and_the_request_done(harness: Harness, touch: Any) -> None:
    harness.worker()
    job = touch(envelope={"traceparent": "00-CANARY"})
    assert harness.await_done(job.uuid).state == "SUCCEEDED"
    told = [received for received in harness.inbox.drain() if received.message.get("uuid") == job.uuid]
    assert told
    assert not any("traceparent" in received.attributes for received in told)
