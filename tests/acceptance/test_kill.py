"""kill -9 of a worker at each named fault point: another finishes, nothing runs twice, the backend is told.

Those of the Kubernetes runner alone need a cluster: tests/e2e/kubernetes/test_worker_failures.py.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from genoferry.faults import POINTS
from genoferry.testing.crypt4gh_writer import encrypt, new_key
from genoferry.testing.harness import Harness
from genoferry.testing.waiting import wait_until

AT_ONCE = 3
"""Scenarios that run beside each other: each mostly waits for a dead worker's lease to run out."""
WHOLE_LIFE = ["Requested", "Created", "Deployed", "Succeeded", "Result"]
PLAIN = b"ACGT" * 50_000

Scenario = Callable[[Harness, Callable[..., Any], str], None]


def killed_on_the_way(harness: Harness, touch: Callable[..., Any], point: str) -> None:
    first = harness.worker(GENOFERRY_FAULT=point)
    job = touch(**staged_file(harness))
    assert first.wait() == -signal.SIGKILL
    harness.worker()
    check_done_once(harness, job)
    if point == "publish":
        assert "Requested" in told_twice(harness, job.uuid), "published, not marked, published again"


def killed_at_the_end(harness: Harness, touch: Callable[..., Any], point: str) -> None:
    """With `Succeeded` and `Result` in the outbox and a clean-up owed."""
    first = harness.worker()
    job = touch(gated=True)
    harness.await_state(job.uuid, "RUNNING")
    harness.inbox.await_event(job.uuid, "Deployed")
    wait_until(lambda: not harness.row(job.uuid).outbox, what="all events to be marked")
    first.terminate()
    first.wait()
    second = harness.worker(GENOFERRY_FAULT=point)
    job.open_gate()
    assert second.wait() == -signal.SIGKILL
    assert harness.row(job.uuid).clean_up
    harness.worker()
    check_done_once(harness, job)
    assert ("Succeeded" in told_twice(harness, job.uuid)) == (point == "publish")


SCENARIOS: dict[str, tuple[Scenario, str]] = {
    **{point: (killed_on_the_way, point) for point in POINTS},
    "publish at the end": (killed_at_the_end, "publish"),
    "mark at the end": (killed_at_the_end, "mark"),
}


@pytest.fixture(scope="module")
def running(
    deployment: Any, make_touch: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[None]]]:
    """All scenarios, under way."""
    with ExitStack() as stack:
        places = {name: stack.enter_context(deployment(tmp_path_factory.mktemp("kill"))) for name in SCENARIOS}
        with ThreadPoolExecutor(AT_ONCE) as pool:
            yield {
                name: pool.submit(scenario, places[name], make_touch(places[name]), point)
                for name, (scenario, point) in SCENARIOS.items()
            }


@pytest.mark.parametrize("name", SCENARIOS)
def test_killed_at_any_point_another_worker_finishes(running: dict[str, Future[None]], name: str) -> None:
    running[name].result()


def staged_file(harness: Harness) -> dict[str, Any]:
    """A small encrypted file and its key, as a request's body names them."""
    secret, public = new_key()
    stored = encrypt(PLAIN, [public])
    (harness.folder / "a.c4gh").write_bytes(stored)
    (harness.folder / "key").write_bytes(secret)
    source = {"type": "file", "root": str(harness.folder), "files": [{"path": "a.c4gh", "size": len(stored)}]}
    return {"source": source, "key": {"type": "file", "path": str(harness.folder / "key")}}


def told_twice(harness: Harness, uuid: str) -> list[str]:
    """The names of what came in several copies, which their `event_id` shows."""
    ids = [message["event_id"] for message in harness.inbox.copies(uuid)]
    return [m["event"] for m in harness.inbox.messages(uuid) if ids.count(m["event_id"]) > 1]


def check_done_once(harness: Harness, job: Any) -> None:
    harness.await_done(job.uuid)
    assert job.executions == [1]
    assert harness.inbox.names(job.uuid) == WHOLE_LIFE
    wait_until(lambda: not harness.messages_left(), what="the message to be deleted")
    assert harness.row(job.uuid).attempt == 1
    assert harness.inbox.names(job.uuid) == WHOLE_LIFE, "a redelivered message must act once"
    check_nothing_left(harness, job.uuid, attempts=1)


def check_nothing_left(harness: Harness, uuid: str, *, attempts: int) -> None:
    """Of the attempts only the tombstones, of the requests their documents."""
    assert harness.job_folders() == []
    assert harness.uploads(uuid) == []
    kept = [key for key in harness.keys("work", f"{uuid}/") if "/request-" not in key]
    assert kept == [f"{uuid}/{attempt}/job.json" for attempt in range(1, attempts + 1)]
    assert all(b'"tombstone"' in harness.content("work", key) for key in kept)
