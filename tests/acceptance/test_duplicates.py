"""The same uuid again: delivered twice, sent again with each `onDuplicate`, or with another body."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from genoferry.testing.harness import Harness
from genoferry.testing.waiting import wait_until

WHOLE_LIFE = ["Requested", "Created", "Deployed", "Succeeded", "Result"]


@pytest.fixture(scope="module")
def shared(deployment: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """Two workers on a standard queue, where nothing keeps messages of one group apart."""
    with deployment(tmp_path_factory.mktemp("duplicates")) as harness:
        harness.environment["WORK_QUEUE"] = harness.environment["WORK_QUEUE"].removesuffix(".fifo")
        harness.worker()
        harness.worker()
        yield harness


@pytest.fixture
def harness(shared: Harness) -> Harness:
    return shared


def test_sent_twice_at_once_it_runs_once(harness: Harness, touch: Any) -> None:
    job = touch(gated=True)
    for _ in range(5):
        job.send()
    harness.await_state(job.uuid, "RUNNING")
    wait_until(lambda: not harness.messages_left(), what="all copies to be accepted")
    job.open_gate()
    assert harness.await_done(job.uuid).state == "SUCCEEDED"
    assert job.executions == [1]
    told = harness.inbox.names(job.uuid)
    assert told.count("Succeeded") == told.count("Result") == 1
    assert told[-2:] == ["Succeeded", "Result"]


def test_another_body_is_a_conflict_and_leaves_the_first_alone(harness: Harness, touch: Any) -> None:
    job = touch(gated=True)
    harness.await_state(job.uuid, "RUNNING")
    harness.send(job.body | {"text": "another"}, uuid=job.uuid, socketId="second-sender")
    rejected = harness.inbox.await_event(job.uuid, "Rejected")
    assert rejected["error"]["code"] == "conflict"
    assert rejected["socketId"] == "second-sender"
    assert "sequence" not in rejected
    job.open_gate()
    assert harness.await_done(job.uuid).state == "SUCCEEDED"
    assert job.executions == [1]
    assert harness.inbox.names(job.uuid) == ["Rejected", *WHOLE_LIFE]
    letter = next(r for r in wait_until(harness.dead.drain, what="the dead letter") if job.uuid in r.body)
    assert letter.attributes["code"] == "conflict"
    assert letter.attributes["originalMessageId"] == rejected["event_id"]


def test_another_experiment_is_a_conflict_too(harness: Harness, touch: Any) -> None:
    job = touch()
    harness.await_done(job.uuid)
    job.send(experimentId="another", onDuplicate="restart")
    assert harness.inbox.await_event(job.uuid, "Rejected")["error"]["code"] == "conflict"
    assert job.executions == [1]


@pytest.mark.parametrize("on_duplicate", ["attach", "retry-if-failed", "restart"])
def test_on_a_live_job_each_attaches(harness: Harness, touch: Any, on_duplicate: str) -> None:
    job = touch(gated=True)
    harness.await_state(job.uuid, "RUNNING")
    harness.inbox.await_event(job.uuid, "Deployed")
    wait_until(lambda: not harness.row(job.uuid).outbox, what="all events to be marked")
    job.send(onDuplicate=on_duplicate, socketId="newest")
    assert harness.inbox.await_event(job.uuid, "Deployed", times=2)["socketId"] == "newest"
    job.open_gate()
    assert harness.await_done(job.uuid).state == "SUCCEEDED"
    assert job.executions == [1]
    assert harness.inbox.names(job.uuid) == [*WHOLE_LIFE[:3], "Deployed", *WHOLE_LIFE[3:]]


@pytest.mark.parametrize("on_duplicate", ["attach", "retry-if-failed"])
def test_a_succeeded_one_is_told_of_again(harness: Harness, touch: Any, on_duplicate: str) -> None:
    job = touch()
    harness.await_done(job.uuid)
    job.send(onDuplicate=on_duplicate)
    harness.inbox.await_event(job.uuid, "Result", times=2)
    assert harness.inbox.names(job.uuid) == [*WHOLE_LIFE, "Succeeded", "Result"]
    first, again = (m for m in harness.inbox.messages(job.uuid) if m["event"] == "Result")
    assert again["results"] == first["results"]
    assert again["sequence"] > first["sequence"]
    assert harness.row(job.uuid).attempt == 1
    assert job.executions == [1]


def test_a_failed_one_is_told_of_again_by_attach(harness: Harness, touch: Any) -> None:
    job = touch(ends=["fail"])
    harness.await_done(job.uuid)
    job.send()
    again = harness.inbox.await_event(job.uuid, "Failed", times=2)
    assert again["error"]["code"] == "zero-matches"
    assert (again["trace_name"], again["trace_exit"]) == ("PGSCATALOG:MATCH", 15)
    assert job.executions == [1]


@pytest.mark.parametrize("on_duplicate", ["retry-if-failed", "restart"])
def test_a_failed_one_is_tried_again(harness: Harness, touch: Any, on_duplicate: str) -> None:
    job = touch(ends=["fail"])
    harness.await_done(job.uuid)
    job.send(onDuplicate=on_duplicate)
    harness.await_state(job.uuid, "SUCCEEDED")
    row = harness.await_done(job.uuid)
    assert (row.attempt, row.error) == (2, None)
    assert job.executions == [1, 2]
    assert harness.inbox.names(job.uuid) == [*WHOLE_LIFE[:3], "Failed", *WHOLE_LIFE]


def test_a_succeeded_one_is_restarted(harness: Harness, touch: Any) -> None:
    job = touch()
    harness.await_done(job.uuid)
    job.send(onDuplicate="restart")
    harness.inbox.await_event(job.uuid, "Result", times=2)
    row = harness.await_done(job.uuid)
    assert (row.state, row.attempt) == ("SUCCEEDED", 2)
    assert job.executions == [1, 2]
    assert harness.inbox.names(job.uuid) == WHOLE_LIFE * 2


def test_a_redelivered_restart_restarts_once(deployment: Any, make_touch: Any, tmp_path: Any) -> None:
    """The worker dies between the row's write and the message's deletion, so that SQS delivers the message again."""
    with deployment(tmp_path) as harness:
        first = harness.worker()
        job = make_touch(harness)()
        harness.await_done(job.uuid)
        wait_until(lambda: not harness.messages_left(), what="the message to be deleted")
        first.terminate()
        first.wait()
        doomed = harness.worker(GENOFERRY_FAULT="accept")
        job.send(onDuplicate="restart")
        assert doomed.wait() < 0
        worker = harness.worker()
        wait_until(lambda: not harness.messages_left(), what="the message to come back and be deleted")
        wait_until(lambda: json.dumps(job.uuid) in worker.text, what="the worker to say that it accepted it")
        row = harness.await_done(job.uuid)
        assert (row.state, row.attempt) == ("SUCCEEDED", 2)
        assert job.executions == [1, 2]
        assert harness.inbox.names(job.uuid) == WHOLE_LIFE * 2
