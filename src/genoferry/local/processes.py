"""Detached server processes, known again by pid and start time, so that no stranger is ever signalled."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

DETACH = 'log=$1; shift; "$@" </dev/null >>"$log" 2>&1 & echo $!'
"""A shell in a session of its own starts the server and ends, so the server belongs to init and outlives us."""
KILLED_SECONDS = 10.0
"""How long the kernel may take to end a killed process."""
SAME_SECONDS = 1.0
"""Start times are told relative to the wall clock's boot time, which a clock that is being set right shifts a bit."""


@dataclass(frozen=True)
class Process:
    pid: int
    started: float
    """Seconds since the epoch, as the kernel tells."""


def spawn(argv: Sequence[str], *, environment: Mapping[str, str], cwd: Path, log: Path) -> Process | None:
    """Start a server; None where it ended at once."""
    shell = ["/bin/sh", "-c", DETACH, "sh", str(log), *argv]
    done = subprocess.run(
        shell, env=dict(environment), cwd=cwd, check=True, start_new_session=True, stdout=subprocess.PIPE
    )
    try:
        pid = int(done.stdout)
        return Process(pid, psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return None


def alive(process: Process | None) -> bool:
    """Whether that very process runs: a zombie doesn't, nor does another that got its pid."""
    return process is not None and _find(process) is not None


def end(graces: Mapping[Process, float]) -> None:
    """TERM them all, KILL each that still runs after its grace in seconds. Others with their pids are left alone."""
    found = [(handle, grace) for process, grace in graces.items() if (handle := _find(process))]
    begun = time.monotonic()
    for handle, _ in found:
        _signal(handle, "terminate")
    for handle, grace in sorted(found, key=lambda pair: pair[1]):
        if not _ended(handle, max(0.0, begun + grace - time.monotonic())):
            _signal(handle, "kill")
            _ended(handle, KILLED_SECONDS)


def _find(process: Process) -> psutil.Process | None:
    try:
        handle = psutil.Process(process.pid)
        same = abs(handle.create_time() - process.started) < SAME_SECONDS
        return handle if same and handle.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def _signal(handle: psutil.Process, name: str) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        getattr(handle, name)()


def _ended(handle: psutil.Process, seconds: float) -> bool:
    try:
        handle.wait(seconds)
    except psutil.TimeoutExpired:
        return False
    return True
