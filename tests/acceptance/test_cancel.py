"""A job is cancelled wherever it is in its life, or before it has one; and a request that comes too late expires."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from genoferry.testing.crypt4gh_writer import new_key
from genoferry.testing.harness import Harness
from genoferry.testing.https_source import Fault, HttpsSource, Synthesised
from genoferry.testing.waiting import wait_until
from genoferry.testing.workers import jobs

MIB = 1024**2
WHOLE_LIFE = ["Requested", "Created", "Deployed", "Succeeded", "Result"]


@pytest.fixture(scope="module")
def shared(deployment: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """One worker that lets one job in at a time."""
    with deployment(tmp_path_factory.mktemp("cancel")) as harness:
        harness.environment |= {"GENOFERRY_MAX_RUNNING": "1", "GENOFERRY_STAGING_PART_SIZE": str(5 * MIB)}
        with HttpsSource({}) as source:
            harness.environment["GENOFERRY_ALLOW_HOSTS"] = source.host
            harness.worker()
            yield harness


@pytest.fixture
def harness(shared: Harness) -> Harness:
    return shared


def cancel(harness: Harness, target: str, **envelope: Any) -> str:
    return harness.send({"name": "CancelJob", "target": target}, **envelope)


def test_while_it_is_queued(harness: Harness, touch: Any) -> None:
    running = touch(gated=True)
    harness.await_state(running.uuid, "RUNNING")
    queued = touch()
    harness.inbox.await_event(queued.uuid, "Requested")
    cancel(harness, queued.uuid)
    assert harness.await_done(queued.uuid).state == "CANCELLED"
    running.open_gate()
    assert harness.await_done(running.uuid).state == "SUCCEEDED"
    assert harness.inbox.names(queued.uuid) == ["Requested", "Cancelled"]
    assert queued.executions == []


def test_while_it_is_running(harness: Harness, touch: Any) -> None:
    job = touch(gated=True)
    wait_until(lambda: job.executions, what="the job to run")
    assert len(list(jobs(harness.local_dir))) == 1
    cancel(harness, job.uuid)
    assert harness.await_done(job.uuid).state == "CANCELLED"
    assert list(jobs(harness.local_dir)) == []
    assert harness.job_folders() == []
    assert harness.inbox.names(job.uuid)[-1] == "Cancelled"
    assert harness.keys("results", f"{job.uuid}/") == []


def test_after_its_end_it_is_told_of_again(harness: Harness, touch: Any) -> None:
    job = touch()
    harness.await_done(job.uuid)
    cancel(harness, job.uuid)
    harness.inbox.await_event(job.uuid, "Result", times=2)
    assert harness.inbox.names(job.uuid) == [*WHOLE_LIFE, "Succeeded", "Result"]
    assert harness.await_done(job.uuid).state == "SUCCEEDED"


def test_before_its_request(harness: Harness, touch: Any, make_touch: Any) -> None:
    uuid = str(uuid4())
    cancel(harness, uuid)
    wait_until(lambda: not harness.messages_left(), what="the cancellation to be accepted")
    assert harness.inbox.names(uuid) == []
    body = {"name": "Touch", "log": str(harness.folder / "never")}
    harness.send(body, uuid=uuid)
    assert harness.await_done(uuid).state == "CANCELLED"
    assert harness.inbox.names(uuid) == ["Requested", "Cancelled"]
    assert not (harness.folder / "never").exists()


def test_before_the_request_of_another_experiment_it_does_nothing(harness: Harness, touch: Any) -> None:
    uuid = str(uuid4())
    cancel(harness, uuid, experimentId="stranger")
    wait_until(lambda: not harness.messages_left(), what="the cancellation to be accepted")
    harness.send({"name": "Touch", "log": str(harness.folder / "once")}, uuid=uuid)
    assert harness.await_done(uuid).state == "SUCCEEDED"


def test_another_experiment_may_not(harness: Harness, touch: Any) -> None:
    job = touch(gated=True)
    harness.await_state(job.uuid, "RUNNING")
    command = cancel(harness, job.uuid, experimentId="stranger")
    assert harness.inbox.await_event(command, "Rejected")["error"]["code"] == "unknown-target"
    job.open_gate()
    assert harness.await_done(job.uuid).state == "SUCCEEDED"


def test_while_it_is_staged(deployment: Any, make_touch: Any, tmp_path: Any) -> None:
    """In the middle of a file: the upload is dropped and the source is let go."""
    secret, public = new_key()
    (tmp_path / "key").write_bytes(secret)
    hang = threading.Event()
    file = Synthesised(30 * MIB, public)
    with HttpsSource({"big.c4gh": file}) as source, deployment(tmp_path) as harness:
        source.fail(Fault(hang=hang), after=3, times=100)
        harness.worker(GENOFERRY_ALLOW_HOSTS=source.host, GENOFERRY_STAGING_PART_SIZE=str(5 * MIB))
        job = make_touch(harness)(
            source={"type": "https", "baseUrl": source.url, "files": [{"path": "big.c4gh", "size": file.size}]},
            key={"type": "file", "path": str(tmp_path / "key")},
        )
        wait_until(lambda: harness.uploads(job.uuid), what="the upload to begin")
        cancel(harness, job.uuid)
        row = harness.await_done(job.uuid)
        hang.set()
        assert row.state == "CANCELLED"
        assert harness.inbox.names(job.uuid) == ["Requested", "Cancelled"]
        assert harness.uploads(job.uuid) == []
        assert [key for key in harness.keys("work", f"{job.uuid}/") if "/request-" not in key] == []
        assert job.executions == []


def test_a_request_past_its_timeout_expires_at_once(harness: Harness, touch: Any) -> None:
    job = touch(envelope={"timeout": "2020-01-01 00:00:00"})
    assert harness.await_done(job.uuid).state == "EXPIRED"
    assert harness.inbox.names(job.uuid) == ["Requested", "Expired"]
    assert job.executions == []


def test_a_request_expires_in_the_queue(harness: Harness, touch: Any) -> None:
    running = touch(gated=True)
    harness.await_state(running.uuid, "RUNNING")
    soon = datetime.now(UTC) + timedelta(seconds=1.5)
    queued = touch(envelope={"timeout": soon.isoformat()})
    assert harness.await_done(queued.uuid).state == "EXPIRED"
    assert datetime.now(UTC) >= soon
    running.open_gate()
    assert harness.await_done(running.uuid).state == "SUCCEEDED"
    assert harness.inbox.names(queued.uuid) == ["Requested", "Expired"]
    assert queued.executions == []


def test_a_running_job_does_not_expire(harness: Harness, touch: Any) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=4)
    job = touch(gated=True, envelope={"timeout": soon.isoformat()})
    harness.await_state(job.uuid, "RUNNING")
    wait_until(lambda: datetime.now(UTC) > soon + timedelta(seconds=0.5), what="the timeout to pass")
    job.open_gate()
    assert harness.await_done(job.uuid).state == "SUCCEEDED"


def test_a_job_past_its_run_deadline_is_ended(deployment: Any, make_touch: Any, tmp_path: Any) -> None:
    with deployment(tmp_path) as harness:
        harness.worker(GENOFERRY_RUN_DEADLINE_SECONDS="1")
        job = make_touch(harness)(gated=True)
        assert harness.await_done(job.uuid).state == "FAILED"
        assert harness.inbox.await_event(job.uuid, "Failed")["error"]["code"] == "run-deadline"
        assert list(jobs(harness.local_dir)) == []
