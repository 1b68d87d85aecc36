"""While a job works, another process watches it: it ends the job past its limits, and when its grace is over.

The job itself may not get to do so: a handler may ignore that it is to stop, or wait for ever in a call.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from genoferry.contracts.limits import JobLimits

SPARE_SECONDS = 5.0
"""After its grace: the first process of a container can be killed by nobody inside it, and ends itself then."""
EXIT_STOPPED = 143
OOM_SCORE = "500"
"""What the kernel adds when it looks for a process to kill: the job goes before its worker and its watchdog
(proc(5), /proc/PID/oom_score_adj)."""


class Watchdog:
    """A context manager, for the main thread. Once `stop` is set or SIGTERM has come, the job has its grace."""

    def __init__(self, limits: JobLimits, stop: threading.Event) -> None:
        self._limits, self._stop = limits, stop
        self._over = threading.Event()

    def __enter__(self) -> Self:
        self._process = _start(self._limits)
        assert self._process.stdin is not None  # noqa: S101  # it is a pipe
        self._pipe = self._process.stdin.fileno()
        os.set_blocking(self._pipe, False)
        signal.set_wakeup_fd(self._pipe, warn_on_full_buffer=False)
        threading.Thread(target=self._follow, name="watchdog", daemon=True).start()
        if self._limits.memory_mib is not None:
            with suppress(OSError):  # a sandbox's /proc may not have it
                Path("/proc/self/oom_score_adj").write_text(OOM_SCORE)
        return self

    def _follow(self) -> None:
        """Tell of a stop that no signal made, and end this process where the watchdog could not."""
        self._stop.wait()
        if self._over.is_set():
            return
        with suppress(OSError):
            os.write(self._pipe, bytes([signal.SIGTERM]))
        if not self._over.wait(self._limits.grace_seconds + SPARE_SECONDS):
            os._exit(EXIT_STOPPED)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        signal.set_wakeup_fd(-1)
        self._over.set()
        assert self._process.stdin is not None  # noqa: S101  # as above
        self._process.stdin.close()
        if not self._stop.is_set():  # else it stays until this process and its children are gone
            self._process.wait()


def _start(limits: JobLimits) -> subprocess.Popen[bytes]:
    """A SIGTERM to the whole session waits until the watchdog can take it: it inherits the mask (sigprocmask(2))."""
    program = ["-P", "-m", "genoferry.job.watchdog_process"]
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        return subprocess.Popen(
            [sys.executable, *program, limits.model_dump_json(), str(os.getpid())], stdin=subprocess.PIPE
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
