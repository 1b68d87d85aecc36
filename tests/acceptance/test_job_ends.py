"""A job ends with nobody left to end it, and past its limits: by itself, whatever its handler makes of that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from genoferry.compute.protocol import job_name
from genoferry.testing.harness import Harness
from genoferry.testing.waiting import wait_until
from genoferry.testing.workers import jobs


@pytest.mark.parametrize("end", ["deaf", "stuck"])
def test_a_job_ends_when_its_grace_is_over(harness: Harness, touch: Any, end: str) -> None:
    """Its worker is gone, and its handler ignores that it is to stop."""
    worker = harness.worker(GENOFERRY_LOCAL_GRACE_SECONDS="0.5")
    job = touch(ends=[end])
    wait_until(lambda: job.executions, what="the job to run")
    worker.kill()
    (process,) = jobs(harness.local_dir)
    process.terminate()
    wait_until(lambda: not list(jobs(harness.local_dir)), what="the job to end", seconds=20)
    wait_until(lambda: not scratches(harness), what="its scratch, which is in clear, to go")


@pytest.mark.parametrize(
    ("end", "limit", "words"),
    [
        ("memory", "GENOFERRY_LOCAL_MEMORY_MIB", "of memory; its limit is 200 MiB"),
        ("disk", "GENOFERRY_LOCAL_SCRATCH_MIB", "of disk; its limit is 200 MiB"),
    ],
)
def test_a_job_past_its_limit_is_ended(harness: Harness, touch: Any, end: str, limit: str, words: str) -> None:
    assert harness.inbox.drain() == []
    harness.worker(**{limit: "200"})
    job = touch(ends=[end])
    assert harness.await_done(job.uuid).state == "FAILED"
    error = harness.inbox.await_event(job.uuid, "Failed")["error"]
    assert (error["code"], error["retryable"]) == (f"job-out-of-{end}", False)
    assert words in error["userMessage"]
    assert limit in error["userMessage"], "it says what to set"
    assert job.executions == [1]


def test_a_limit_met_without_a_worker_is_told_later(harness: Harness, touch: Any) -> None:
    assert harness.inbox.drain() == []
    first = harness.worker(GENOFERRY_LOCAL_MEMORY_MIB="200")
    job = touch(gated=True, ends=["memory"])
    wait_until(lambda: job.executions, what="the job to run")
    first.kill()
    job.open_gate()
    wait_until(lambda: not list(jobs(harness.local_dir)), what="the job to end")
    harness.worker()
    assert harness.inbox.await_event(job.uuid, "Failed")["error"]["code"] == "job-out-of-memory"
    assert job.executions == [1]


def test_a_full_disk_under_its_log_hides_nothing(harness: Harness, touch: Any) -> None:
    """Its failure is told all the same, by the first attempt."""
    assert harness.inbox.drain() == []
    job = touch(ends=["crash"] * 3)
    deployment = harness.environment.get("GENOFERRY_DEPLOYMENT") or harness.environment["CLUSTER_ENV"]
    folder = harness.local_dir / job_name(deployment, job.uuid, 1)
    folder.mkdir(parents=True)
    (folder / "job.log").symlink_to("/dev/full")
    harness.worker()
    assert harness.inbox.await_event(job.uuid, "Failed")["error"]["code"] == "internal-error"
    assert job.executions == [1]


def scratches(harness: Harness) -> list[Path]:
    return list(harness.local_dir.glob("*/scratch/*"))
