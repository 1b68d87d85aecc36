"""Real worker processes for tests: started, signalled, killed, measured; and an end of the jobs that they leave."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from genoferry.testing.waiting import wait_until

STARTED = "worker started"


class WorkerProcess:
    """`genoferry worker` with the environment given and nothing else; what it prints goes to `log`.

    A context manager: leaving it kills the worker, so that no test leaves one behind.
    """

    def __init__(self, environment: Mapping[str, str], log: Path, *arguments: str) -> None:
        self.log = log
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "genoferry", "worker", *arguments],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """Negative for a signal, None while it runs."""
        return self._process.poll()

    @property
    def text(self) -> str:
        """What it has printed so far."""
        return self.log.read_text(errors="replace")

    def await_started(self, seconds: float = 60) -> None:
        """Until it takes messages. Raises `AssertionError` where it ended instead, or doesn't get there."""
        wait_until(self._started, what=f"the worker to start ({self.log})", seconds=seconds)

    def terminate(self) -> None:
        """SIGTERM: drain. A second one: stop at once."""
        self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL, and wait for its end."""
        self._process.kill()
        self._process.wait()

    def suspend(self) -> None:
        """SIGSTOP: it lives and does nothing, as in a long pause of its machine."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def wait(self, seconds: float = 60) -> int:
        """Its exit code. Raises `AssertionError` where it doesn't end."""
        wait_until(lambda: self.exit_code is not None, what=f"the worker to end ({self.log})", seconds=seconds)
        return self._process.wait()

    def peak_rss(self) -> int:
        """The most memory that it has had resident since its start, in bytes (Linux: `VmHWM`)."""
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text())
        assert found is not None  # noqa: S101  # every live process has it
        return int(found[1]) * 1024

    def _started(self) -> bool:
        if self.exit_code is not None:
            raise AssertionError(f"the worker ended with {self.exit_code}: {self.text[-2000:]}")
        return STARTED in self.text

    def __enter__(self) -> WorkerProcess:
        return self

    def __exit__(self, *_: object) -> None:
        if self.exit_code is None:
            self.kill()


def jobs(local_dir: Path) -> Iterator[psutil.Process]:
    """The job processes of this machine whose folders are in that folder (`GENOFERRY_LOCAL_DIR`)."""
    for process in psutil.process_iter(["cmdline", "cwd"]):
        command, folder = process.info["cmdline"] or [], process.info["cwd"] or "/"
        if command[-3:-1] == ["job", "run"] and Path(folder).is_relative_to(local_dir):
            yield process


def end_jobs(local_dir: Path) -> None:
    """Kill those jobs, each with its process group: they outlive their workers by design."""
    for process in jobs(local_dir):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
