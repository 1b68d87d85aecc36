"""The watchdog of a real process: it ends what doesn't end itself, and nothing else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from genoferry.contracts.limits import RECORD_BYTES, JobLimits, LimitRecord
from genoferry.job.usage import family
from genoferry.testing.waiting import wait_until

JOB = """
import os, re, signal, subprocess, sys, threading, time
from genoferry.contracts.limits import JobLimits
from genoferry.job.watchdog import Watchdog
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
with Watchdog(JobLimits.model_validate_json(sys.argv[1]), stop):
    {code}
"""
CHILD = "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True)"
UP = "print('up', flush=True)"
SLEEPS = "time.sleep(600)"

Job = subprocess.Popen[str]
Start = Callable[..., Job]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Run code under a watchdog until the test's end, from when it says that it is up."""
    started: list[Job] = []

    def run(*code: str, **limits: Any) -> Job:
        own = JobLimits(**{"grace_seconds": 0.2, "folders": (str(tmp_path),), **limits})
        text = JOB.format(code="\n    ".join(code))
        command = [sys.executable, "-c", text, own.model_dump_json(exclude_none=True)]
        scratch = os.environ | {"GENOFERRY_SCRATCH": str(tmp_path / "scratch")}
        job = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True, env=scratch)
        started.append(job)
        assert job.stdout is not None
        assert job.stdout.readline() == "up\n"
        return job

    (tmp_path / "scratch" / "job-1").mkdir(parents=True)
    yield run
    for job in started:
        for pid in family(job.pid):
            os.kill(pid, signal.SIGKILL)
        job.communicate()


def await_end(job: Job) -> None:
    wait_until(lambda: not family(job.pid), what="the job, its children and its watchdog to end", seconds=20)


def test_nothing_is_left_of_it(start: Start, tmp_path: Path) -> None:
    """Not even a child that left its session, nor its scratch, which holds genotypes in clear."""
    job = start(CHILD, UP, "stop.set()", SLEEPS)
    await_end(job)
    assert job.wait() == -signal.SIGKILL
    assert list((tmp_path / "scratch").iterdir()) == []


def test_it_ends_what_holds_the_lock(start: Start) -> None:
    job = start(UP, "re.match('(a+)+$', 'a' * 64 + 'b')")
    job.terminate()
    await_end(job)


def test_a_job_may_use_its_grace(start: Start) -> None:
    job = start(UP, "stop.set()", grace_seconds=600)
    assert job.wait() == 0
    await_end(job)


def test_a_daemon_in_its_scratch_ends_with_it(start: Start, tmp_path: Path) -> None:
    """Its parent is gone before, and its session is its own."""
    daemon = "import os, time; os.fork() and os._exit(0); os.setsid(); print(os.getpid(), flush=True); time.sleep(600)"
    folder = str(tmp_path / "scratch")
    starts = f"child = subprocess.Popen([sys.executable, '-c', {daemon!r}], cwd={folder!r}, stdout=subprocess.PIPE)"
    job = start(starts, "pid = child.stdout.readline().decode().strip()", UP, "print(pid, flush=True)", SLEEPS)
    assert job.stdout is not None
    pid = int(job.stdout.readline())
    assert pid not in family(job.pid), "nothing but its folder tells whose it is"
    job.terminate()
    await_end(job)
    wait_until(lambda: not psutil.pid_exists(pid), what="the daemon to end", seconds=20)


def test_a_shared_scratch_is_left_alone(start: Start, tmp_path: Path) -> None:
    """Where no runner says that the folder is the job's, others work in it too."""
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    with subprocess.Popen(command, cwd=tmp_path / "scratch", start_new_session=True) as other:
        job = start(UP, "stop.set()", SLEEPS, folders=())
        await_end(job)
        assert other.poll() is None
        assert (tmp_path / "scratch" / "job-1").exists()
        other.kill()


def test_a_watchdog_does_not_outlive_a_killed_job(start: Start) -> None:
    job = start(UP, SLEEPS)
    job.kill()
    await_end(job)


@pytest.fixture
def orphan() -> Iterator[subprocess.Popen[bytes]]:
    """A watchdog of a job that was gone before it could look: its parent is another process."""
    limits = JobLimits(grace_seconds=600).model_dump_json()
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    command = [sys.executable, "-P", "-m", "genoferry.job.watchdog_process", limits, str(gone.pid)]
    orphan = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
    yield orphan
    orphan.kill()
    orphan.communicate()


def test_a_watchdog_takes_no_other_for_its_job(orphan: subprocess.Popen[bytes]) -> None:
    """Its parent may be init by then, whose family is all that runs."""
    assert orphan.wait(timeout=20) == 0


def test_a_watchdog_outlives_an_early_sigterm(start: Start) -> None:
    """A runner ends the whole session, when the watchdog is Python's start-up still."""
    early = "watchdog, = __import__('genoferry.job.usage', fromlist=['x']).family(os.getpid()) - {os.getpid()}"
    job = start(early, "os.kill(watchdog, signal.SIGTERM)", UP, SLEEPS)
    await_end(job)
    assert job.wait() == -signal.SIGKILL


def test_a_job_ends_itself_without_its_watchdog(start: Start) -> None:
    """As in a container, whose first process nobody inside can kill."""
    job = start(UP, "import genoferry.job.watchdog as w; w.SPARE_SECONDS = 0.1", "stop.wait()", SLEEPS)
    (watchdog,) = family(job.pid) - {job.pid}
    os.kill(watchdog, signal.SIGSTOP)
    job.terminate()
    assert job.wait() != 0


def test_a_fork_storm_leaves_no_orphans(start: Start, tmp_path: Path) -> None:
    """Each child leaves the session at once: with its parent gone, nothing would tell whose it is."""
    marker = str(tmp_path / "one of the storm")
    child = f"[sys.executable, '-c', 'import time; time.sleep(600)', {marker!r}]"
    job = start("stop.set()", UP, f"while True: subprocess.Popen({child}, start_new_session=True)")
    await_end(job)
    orphans = [process for process in psutil.process_iter() if marker in cmdline(process)]
    for process in orphans:
        process.kill()
    assert orphans == []


def cmdline(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:  # it has just ended
        return []


TAKES = "taken = [b'x' * 2**20 for _ in range({mib})]"


@pytest.fixture
def record(tmp_path: Path) -> Path:
    record = tmp_path / "limit.json"
    record.write_bytes(b" " * RECORD_BYTES)
    return record


def test_a_limit_is_recorded_in_the_room_kept(start: Start, record: Path) -> None:
    job = start(UP, TAKES.format(mib=150), SLEEPS, memory_mib=100, record=str(record))
    await_end(job)
    found = LimitRecord.model_validate_json(record.read_text().strip())
    assert found.cause == "out-of-memory"
    assert found.reason.endswith("its limit is 100 MiB.")
    assert record.stat().st_size == RECORD_BYTES


def test_what_grows_on_gets_no_grace(start: Start, record: Path) -> None:
    """A child that ignores SIGTERM takes ever more."""
    grows = "import signal; signal.signal(15, signal.SIG_IGN); x = []\nwhile True: x.append(b'x' * 2**20)"
    job = start(UP, f"subprocess.run([sys.executable, '-c', {grows!r}])", memory_mib=100, record=str(record))
    await_end(job)
    assert json.loads(record.read_text())["cause"] == "out-of-memory"
