"""A worker as a process of the demo's own, ended with all that it started."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from genoferry.errors import DemoFailed

GRACE_SECONDS = 10.0


class WorkerProcess:
    """A context manager. `jobs` is where its local jobs have their folders; they end with it."""

    def __init__(self, variables: Mapping[str, str], *, jobs: Path, log: Path) -> None:
        self._jobs, self._log = jobs, log
        passed = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TZ", "PYTHONPATH") if name in os.environ}
        self._environment = {**passed, **variables, "GENOFERRY_LOCAL_DIR": str(jobs), "GENOFERRY_LOG_FORMAT": "json"}

    def __enter__(self) -> Self:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "genoferry", "worker"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C at the terminal is the demo's, which then ends its worker
            )
        return self

    @property
    def pid(self) -> int:
        return self._process.pid

    def check(self) -> None:
        """Raises `DemoFailed` once it has ended."""
        if self._process.poll() is not None:
            raise DemoFailed(f"The worker ended with code {self._process.returncode}. Its log says why: {self._log}")

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        end_jobs(self._jobs)


def end_jobs(jobs: Path) -> None:
    """End the local jobs that have their folders here, and remove those: they outlive their worker by design."""
    from genoferry.compute.local.runner import LocalRunner
    from genoferry.compute.protocol import Handle

    runner = LocalRunner(jobs, host=socket.gethostname(), credentials=_NoCredentials())
    for folder in sorted(jobs.iterdir()) if jobs.is_dir() else ():
        record = folder / "process.json"
        ref = record.read_text() if record.exists() else None
        asyncio.run(runner.clean(Handle("", 0, folder.name, ref)))


class _NoCredentials:
    """For a runner that only ends jobs."""

    def environment(self, uuid: str, attempt: int, folder: Path) -> Mapping[str, str]:
        raise NotImplementedError

    def renew(self, uuid: str, attempt: int, folder: Path) -> None:
        raise NotImplementedError
