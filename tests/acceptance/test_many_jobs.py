"""Two workers and twenty jobs at once, through either kind of queue: each is calculated once."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from typing import Any

from genoferry.testing.harness import Harness
from genoferry.testing.waiting import wait_until
from genoferry.testing.workers import jobs

WHOLE_LIFE = ["Requested", "Created", "Deployed", "Succeeded", "Result"]


def test_twenty_jobs_each_once(harness: Harness, touch: Any) -> None:
    workers = [harness.worker(), harness.worker()]
    sent = [touch(envelope={"experimentId": f"experiment-{number % 4}"}, text=str(number)) for number in range(20)]
    rows = [harness.await_done(job.uuid, seconds=120) for job in sent]
    assert Counter(row.state for row in rows) == {"SUCCEEDED": 20}
    assert [job.executions for job in sent] == [[1]] * 20
    for number, job in enumerate(sent):
        assert harness.inbox.names(job.uuid) == WHOLE_LIFE
        assert harness.content("results", f"{job.uuid}/1/touched.txt") == str(number).encode()
    assert harness.messages_left() == 0
    assert harness.job_folders() == []
    assert list(jobs(harness.local_dir)) == []
    for worker in workers:
        assert '"accepted"' in worker.text, "both took messages"
        assert '"submitted"' in worker.text, "both started jobs"


def test_a_standard_queue_does_as_well(harness: Harness, touch: Any) -> None:
    fifo = harness.environment["WORK_QUEUE"]
    harness.environment["WORK_QUEUE"] = standard = fifo.removesuffix(".fifo")
    assert standard != fifo
    harness.worker()
    job = touch()
    harness.await_done(job.uuid)
    assert harness.inbox.names(job.uuid) == WHOLE_LIFE
    wait_until(lambda: not harness.messages_left(), what="the message to be deleted")


def test_no_more_run_at_once_than_the_limit(harness: Harness, touch: Any) -> None:
    """And one experiment's many don't keep another's one waiting."""
    harness.worker(GENOFERRY_MAX_RUNNING="2")
    first = [touch(gated=True, envelope={"experimentId": "many"}) for _ in range(2)]
    for job in first:
        harness.await_state(job.uuid, "RUNNING")
    many = touch(gated=True, envelope={"experimentId": "many"})
    harness.inbox.await_event(many.uuid, "Requested")
    one = touch(gated=True, envelope={"experimentId": "one"})
    harness.inbox.await_event(one.uuid, "Requested")
    first[0].open_gate()
    harness.await_state(one.uuid, "RUNNING")
    assert harness.row(many.uuid).state == "REQUESTED"
    assert len(list(jobs(harness.local_dir))) == 2
    for job in (first[1], one, many):
        job.open_gate()
        assert harness.await_done(job.uuid).state == "SUCCEEDED"


def test_a_killed_job_runs_again_as_the_next_attempt(harness: Harness, touch: Any) -> None:
    harness.worker()
    job = touch(ends=["kill", "kill"])
    row = harness.await_done(job.uuid)
    assert (row.state, row.attempt) == ("SUCCEEDED", 3)
    assert job.executions == [1, 2, 3]
    assert harness.inbox.await_event(job.uuid, "Result")["attempt"] == 3
    assert harness.keys("results", f"{job.uuid}/") == [f"{job.uuid}/3/touched.txt"]


def test_a_job_that_is_killed_each_time_fails(harness: Harness, touch: Any) -> None:
    harness.worker(GENOFERRY_WORKER_MAX_LOST_ATTEMPTS="2")
    job = touch(ends=["kill", "kill", "kill"])
    assert harness.await_done(job.uuid).state == "FAILED"
    assert harness.inbox.await_event(job.uuid, "Failed")["error"]["code"] == "job-lost"
    assert job.executions == [1, 2]


def test_a_job_that_ends_without_its_report_fails(harness: Harness, touch: Any) -> None:
    """It says that it succeeded, so nothing is known of its results, and nobody may guess."""
    harness.worker()
    job = touch(ends=["exit"])
    assert harness.await_done(job.uuid).state == "FAILED"
    failed = harness.inbox.await_event(job.uuid, "Failed")
    assert failed["error"] == {
        "code": "no-exit-report",
        "retryable": False,
        "userMessage": "The job says it succeeded but wrote no exit report, so nothing is known of its scores.",
    }
    assert (failed["trace_name"], failed["trace_exit"]) == (None, None)
    assert job.executions == [1]
    assert "Result" not in harness.inbox.names(job.uuid)


def test_a_second_process_of_an_attempt_does_nothing(harness: Harness, touch: Any) -> None:
    """As a platform may start one that retries on its own, or a stalled worker that submits after a clean-up."""
    harness.worker()
    job = touch(gated=True)
    wait_until(lambda: job.executions, what="the job to run")
    (first,) = jobs(harness.local_dir)
    again = [sys.executable, "-m", "genoferry", *first.cmdline()[-3:]]
    environment = first.environ()
    assert subprocess.run(again, env=environment, check=False, capture_output=True).returncode == 3
    job.open_gate()
    assert harness.await_done(job.uuid).state == "SUCCEEDED"
    environment |= job_environment(harness)
    assert subprocess.run(again, env=environment, check=False, capture_output=True).returncode == 3
    assert job.executions == [1]
    assert harness.keys("work", f"{job.uuid}/1/") == [f"{job.uuid}/1/job.json", f"{job.uuid}/1/started"]
    assert harness.inbox.names(job.uuid) == WHOLE_LIFE


def job_environment(harness: Harness) -> dict[str, str]:
    """Credentials of the job's identity after its own went with its folder."""
    return {
        "HOME": str(harness.folder),
        "AWS_ACCESS_KEY_ID": harness.environment["GENOFERRY_JOB_AWS_ACCESS_KEY_ID"],
        "AWS_SECRET_ACCESS_KEY": harness.environment["GENOFERRY_JOB_AWS_SECRET_ACCESS_KEY"],
        "GENOFERRY_SCRATCH": str(harness.folder),
    }


def test_a_failed_calculation_names_process_and_exit_code(harness: Harness, touch: Any) -> None:
    harness.worker()
    job = touch(ends=["fail"], envelope={"socketId": "socket-1"})
    assert harness.await_done(job.uuid).state == "FAILED"
    failed = harness.inbox.await_event(job.uuid, "Failed")
    assert failed["error"]["code"] == "zero-matches"
    assert (failed["trace_name"], failed["trace_exit"]) == ("PGSCATALOG:MATCH", 15)
    assert failed["socketId"] == "socket-1"
    assert harness.keys("results", f"{job.uuid}/") == []


def test_a_bug_in_a_handler_fails_its_job_alone(harness: Harness, touch: Any) -> None:
    harness.worker()
    broken, good = touch(ends=["crash"]), touch()
    assert harness.await_done(broken.uuid).state == "FAILED"
    assert harness.inbox.await_event(broken.uuid, "Failed")["error"]["code"] == "internal-error"
    assert harness.await_done(good.uuid).state == "SUCCEEDED"
