"""SIGTERM drains, a second one stops at once, and a worker that sleeps past its lease does no harm when it wakes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from genoferry.testing.crypt4gh_writer import new_key
from genoferry.testing.harness import Harness
from genoferry.testing.https_source import Fault, HttpsSource, Synthesised
from genoferry.testing.waiting import wait_until

MIB = 1024**2
WHOLE_LIFE = ["Requested", "Created", "Deployed", "Succeeded", "Result"]


@dataclass
class Slow:
    """A source that serves three ranges and then nothing until `hang` is set; one range at a time."""

    source: HttpsSource
    hang: threading.Event
    inputs: dict[str, Any]


@pytest.fixture
def slow(harness: Harness) -> Iterator[Slow]:
    secret, public = new_key()
    (harness.folder / "key").write_bytes(secret)
    file, hang = Synthesised(40 * MIB, public), threading.Event()
    with HttpsSource({"big.c4gh": file}) as source:
        source.fail(Fault(hang=hang), after=4)
        harness.environment |= {
            "GENOFERRY_ALLOW_HOSTS": source.host,
            "GENOFERRY_STAGING_PART_SIZE": str(5 * MIB),
            "GENOFERRY_STAGING_PARTS_IN_FLIGHT": "1",
        }
        files = [{"path": "big.c4gh", "size": file.size}]
        yield Slow(
            source,
            hang,
            {
                "source": {"type": "https", "baseUrl": source.url, "files": files},
                "key": {"type": "file", "path": str(harness.folder / "key")},
            },
        )
        hang.set()


def parts_there(harness: Harness, uuid: str) -> list[int]:
    """The numbers of the parts that the unfinished upload has."""
    uploads = harness.uploads(uuid)
    if not uploads:
        return []
    answer = harness.client("s3").list_parts(
        Bucket=harness.bucket("work"), Key=uploads[0]["Key"], UploadId=uploads[0]["UploadId"]
    )
    return [part["PartNumber"] for part in answer.get("Parts", ())]


def test_sigterm_amid_staging_another_worker_goes_on(harness: Harness, touch: Any, slow: Slow) -> None:
    """No part that is in the bucket is fetched again."""
    first = harness.worker(GENOFERRY_WORKER_GRACE_SECONDS="0.2")
    job = touch(**slow.inputs)
    wait_until(lambda: len(slow.source.gets) >= 5 and len(parts_there(harness, job.uuid)) >= 3, what="three parts")
    first.terminate()
    assert first.wait() == 0
    row = harness.row(job.uuid)
    assert row is not None
    assert row.state == "STAGING"
    assert row.lease_token is None, "given back, not left to run out"
    assert row.files[0].upload_id == harness.uploads(job.uuid)[0]["UploadId"]
    before, done = slow.source.gets, len(parts_there(harness, job.uuid))
    slow.hang.set()
    harness.worker()
    assert harness.await_done(job.uuid).state == "SUCCEEDED"
    after = slow.source.gets[len(before) :]
    fetched = before[1 : 1 + done]  # the first is of the header; then one part after another
    assert done >= 3
    assert not set(fetched) & set(after)
    assert job.executions == [1]
    assert harness.inbox.names(job.uuid) == WHOLE_LIFE


def test_what_is_running_gets_its_grace(harness: Harness, touch: Any, slow: Slow) -> None:
    """A staging that ends in time is finished by the worker that was asked to end; nothing new is taken."""
    first = harness.worker()
    job = touch(**slow.inputs)
    wait_until(lambda: len(slow.source.gets) >= 5, what="the source to hang")
    first.terminate()
    wait_until(lambda: '"draining"' in first.text, what="the worker to drain")
    late = touch()
    slow.hang.set()
    assert first.wait() == 0
    row = harness.row(job.uuid)
    assert row is not None
    assert row.state != "STAGING"
    assert harness.row(late.uuid) is None
    assert harness.messages_left() == 1
    harness.worker()
    assert harness.await_done(late.uuid).state == "SUCCEEDED"
    assert harness.await_done(job.uuid).state == "SUCCEEDED"


def test_a_second_sigterm_stops_at_once_without_loss(harness: Harness, touch: Any, slow: Slow) -> None:
    first = harness.worker(GENOFERRY_WORKER_GRACE_SECONDS="300")
    job = touch(**slow.inputs)
    wait_until(lambda: len(slow.source.gets) >= 5, what="the source to hang")
    first.terminate()
    wait_until(lambda: '"draining"' in first.text, what="the worker to drain")
    assert first.exit_code is None
    first.terminate()
    assert first.wait(seconds=5) == 130
    slow.hang.set()
    harness.worker()
    assert harness.await_done(job.uuid).state == "SUCCEEDED"
    assert job.executions == [1]
    assert harness.inbox.names(job.uuid) == WHOLE_LIFE


def test_a_running_job_outlives_its_worker(harness: Harness, touch: Any) -> None:
    first = harness.worker()
    job = touch(gated=True)
    wait_until(lambda: job.executions, what="the job to run")
    first.terminate()
    assert first.wait() == 0
    job.open_gate()
    harness.worker()
    assert harness.await_done(job.uuid).state == "SUCCEEDED"
    assert job.executions == [1]


def test_a_watcher_that_slept_past_its_lease_tells_nothing_twice(harness: Harness, touch: Any) -> None:
    sleeper = harness.worker()
    job = touch(gated=True)
    harness.await_state(job.uuid, "RUNNING")
    harness.await_row(job.uuid, lambda row: not row.outbox and not row.lease_token, what="told, and held by nobody")
    sleeper.suspend()
    other = harness.worker()
    job.open_gate()
    harness.inbox.await_event(job.uuid, "Result")
    harness.await_done(job.uuid)
    sleeper.resume()
    other.kill()
    next_one = touch()
    assert harness.await_done(next_one.uuid).state == "SUCCEEDED", "the sleeper works on"
    assert harness.inbox.names(job.uuid) == WHOLE_LIFE
    assert [m["event"] for m in harness.inbox.copies(job.uuid) if m["event"] != "Progress"] == WHOLE_LIFE
    assert job.executions == [1]


def test_a_stager_that_slept_past_its_lease_overwrites_nothing(harness: Harness, touch: Any, slow: Slow) -> None:
    """Two workers race for one row: the second stages and submits while the first, asleep, believes that it does."""
    sleeper = harness.worker()
    job = touch(**slow.inputs)
    wait_until(lambda: len(slow.source.gets) >= 5, what="the source to hang")
    sleeper.suspend()
    slow.hang.set()
    harness.worker()
    assert harness.await_done(job.uuid).state == "SUCCEEDED"
    sleeper.resume()
    wait_until(lambda: '"lease lost"' in sleeper.text, what="the sleeper to notice")
    next_one = touch()
    assert harness.await_done(next_one.uuid).state == "SUCCEEDED"
    assert job.executions == [1]
    assert harness.inbox.names(job.uuid) == WHOLE_LIFE
    assert harness.uploads(job.uuid) == []
    left = [key for key in harness.keys("work", f"{job.uuid}/") if "/request-" not in key]
    assert left == [f"{job.uuid}/1/job.json"]
