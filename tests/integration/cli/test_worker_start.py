"""A worker that is asked to end while it starts: AWS takes its connection, and never answers."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from genoferry.testing.waiting import wait_until
from genoferry.testing.workers import WorkerProcess

SECONDS = 60


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(SECONDS)
        yield server


@pytest.fixture
def starting(silent: socket.socket, tmp_path: Path) -> Iterator[WorkerProcess]:
    """A worker whose first call of AWS has no answer yet."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{silent.getsockname()[1]}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "GENOFERRY_LOG_FORMAT": "json",
        "GENOFERRY_MAX_RUNING": "4",
    }
    with WorkerProcess(environment, tmp_path / "worker.log") as worker:
        connection, _ = silent.accept()
        with connection:
            assert connection.recv(1)
            yield worker


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_start_as_it_ends_a_worker(starting: WorkerProcess, number: signal.Signals) -> None:
    os.kill(starting.pid, number)
    assert starting.wait(seconds=20) == 0
    assert json.loads(starting.text.splitlines()[-1])["event"] == "worker stopped"


def test_a_misspelt_variable_is_told_at_start(starting: WorkerProcess) -> None:
    entry = json.loads(starting.text.splitlines()[0])
    assert (entry["level"], entry["event"]) == ("warning", "variable is no setting")
    assert (entry["variable"], entry["advice"]) == ("GENOFERRY_MAX_RUNING", "Did you mean GENOFERRY_MAX_RUNNING?")


@pytest.mark.parametrize(
    ("command", "settings"),
    [
        (["worker"], {"GENOFERRY_QUEUE_BATCH": "99"}),
        (["worker"], {"GENOFERRY_LOG_FORMAT": "json"}),
        (["job", "run", "s3://b/u/1/job.json"], {"GENOFERRY_LOG_FORMAT": "json"}),
    ],
)
def test_what_ends_a_program_is_json(command: list[str], settings: dict[str, str], tmp_path: Path) -> None:
    """To a pipe, whatever else is wrong: here neither topic nor region is set."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **settings}
    argv = [sys.executable, "-m", "genoferry", *command]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    (line,) = done.stderr.splitlines()
    assert (json.loads(line)["event"], json.loads(line)["code"]) == ("program ended", "bad-settings")
    assert done.returncode == 6


def test_a_job_without_its_watchdog_says_json(tmp_path: Path) -> None:
    """Its limits can't be read; likewise where no process more can be started."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GENOFERRY_JOB_LIMITS": "{"}
    argv = [sys.executable, "-m", "genoferry", "job", "run", "s3://b/u/1/job.json"]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    (line,) = done.stderr.splitlines()
    assert json.loads(line)["event"] == "exception was not handled"
    assert done.returncode == 1


def test_the_signals_are_the_workers_own_before_it_asks_aws(starting: WorkerProcess) -> None:
    """A container's first process is not ended by a signal that it has no handler for."""

    def caught() -> bool:
        status = Path(f"/proc/{starting.pid}/status").read_text()
        (mask,) = (int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigCgt:"))
        return all(mask >> (number - 1) & 1 for number in (signal.SIGTERM, signal.SIGINT))

    wait_until(caught, what="handlers of both signals", seconds=1)
