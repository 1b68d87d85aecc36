"""The process beside a job that ends it: past its limits, or at the end of its grace.

A process of its own, since the job may hold Python's lock in a call that never returns; in the job's session, so that
it outlives the worker and ends with the job. It imports the standard library only: there is one for each job.

Arguments: a `JobLimits` as JSON, and the job's pid, since by the time that this process could ask for its parent's, the
job may be gone and the parent be init, whose family is the whole machine. Standard input: a byte for each signal that
the job got, whatever the job itself makes of it (`signal.set_wakeup_fd`), and its end once the job has ended.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

from genoferry.job.kernel_log import KernelLog
from genoferry.job.usage import disk, family, memory

TICK = 0.5
"""Seconds between two looks at the memory, or more on a machine where so many processes run that a look takes long."""
MEMORY_SHARE = 0.05
"""Of its time, at most, that it looks at processes."""
END_TICK = 0.1
"""Seconds between two looks at whether it has ended."""
DISK_SHARE = 0.02
"""Of its time, at most, that it looks at folders, which takes long where they hold many files."""
LIMIT_GRACE = 5.0
"""Seconds from SIGTERM to SIGKILL of a job that met a limit: it is ended sooner than others, since it may go on to
take more."""
KILL_SECONDS, POLL_SECONDS = 5.0, 0.02
"""For which it is tried; the kernel protects a container's first process, which ends itself (`watchdog`)."""
EXCESS = 1.2
"""Times its limit at which it is killed at once."""
KILLED_BY_KERNEL = "The kernel killed it, since the machine had no memory left."
MIB = 1024**2


class Watchdog:
    """Watches one job. `leader`: its pid, which is its session's as well where a runner started it."""

    def __init__(self, limits: SimpleNamespace, leader: int) -> None:
        self._limits, self._leader = limits, leader
        self._scratch = own_scratch(limits.folders)
        self._stopping = False
        self._pause, self._disk_due = TICK, 0.0
        self._kernel_log = KernelLog()
        signal.signal(signal.SIGTERM, self._stop)  # a runner ends the whole session
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a terminal does, and the job is told by itself
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})  # as the job started it (`watchdog`)

    def watch(self) -> None:
        """Return once the job has ended, by itself or by force."""
        while self._job_lives(self._pause) and not self._stopping:
            if (breach := self._breach()) is not None:
                cause, reason = breach
                record(self._limits.record, cause, reason)
                _log("job is over its limit", cause=cause, reason=reason)
                _signal(self._family(), signal.SIGTERM)
                self._end(LIMIT_GRACE, reason, EXCESS)
                return
        if self._stopping:
            self._end(self._limits.grace_seconds, "Its grace is over.")
        elif self._kernel_log.has_killed(self._leader):
            record(self._limits.record, "out-of-memory", KILLED_BY_KERNEL)
            _log("job was killed by the kernel", cause="out-of-memory")

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _job_lives(self, seconds: float) -> bool:
        """Wait for news from the job."""
        ready, _, _ = select.select([0], [], [], seconds)
        news = os.read(0, 4096) if ready else None
        if news and signal.SIGTERM in news:
            self._stopping = True
        return news != b"" and os.getppid() == self._leader

    def _end(self, grace: float, reason: str, excess: float = 1.0) -> None:
        """Let the job with all that it started end itself within its grace, then kill what is left; remove its scratch
        where it didn't itself."""
        deadline = time.monotonic() + grace
        while (alive := self._family()) and time.monotonic() < deadline and self._breach(excess) is None:
            time.sleep(END_TICK)
        if alive:
            _log("job is killed", reason=reason)
        if self._kill():
            clear(self._scratch)

    def _kill(self) -> bool:
        """Kill what is left, what it starts meanwhile too. Return whether all have ended."""
        deadline = time.monotonic() + KILL_SECONDS
        self._freeze(deadline)
        while (processes := self._family()) and time.monotonic() < deadline:
            _signal(processes, signal.SIGKILL)
            time.sleep(POLL_SECONDS)
        return not processes

    def _freeze(self, deadline: float) -> None:
        """Stop all before any is killed: a child that is started between the look and its parent's end would have no
        parent by which it is found."""
        frozen: set[int] = set()
        while (moving := self._family() - frozen) and time.monotonic() < deadline:
            _signal(moving, signal.SIGSTOP)
            frozen |= moving

    def _family(self) -> set[int]:
        return family(self._leader, self._scratch)

    def _breach(self, excess: float = 1.0) -> tuple[str, str] | None:
        """Return the cause, and the reason for a person, where the job is over a limit."""
        limits = self._limits
        if limits.memory_mib and (used := self._memory(excess)) > limits.memory_mib * MIB * excess:
            return "out-of-memory", f"It used {used // MIB} MiB of memory; its limit is {limits.memory_mib} MiB."
        if limits.scratch_mib and (used := self._disk()) > limits.scratch_mib * MIB * excess:
            return "out-of-disk", f"It used {used // MIB} MiB of disk; its limit is {limits.scratch_mib} MiB."
        return None

    def _memory(self, excess: float) -> int:
        began = time.monotonic()
        used = memory(self._family(), enough=int(self._limits.memory_mib * MIB * excess))
        self._pause = max(TICK, (time.monotonic() - began) / MEMORY_SHARE)
        return used

    def _disk(self) -> int:
        """Not to be looked at again too soon."""
        began = time.monotonic()
        if began < self._disk_due:
            return 0
        used = disk(self._limits.folders)
        self._disk_due = time.monotonic() + (time.monotonic() - began) / DISK_SHARE
        return used


def own_scratch(folders: Sequence[str]) -> str | None:
    """Return the job's scratch where it is below a folder that the runner made for this job. Elsewhere, in /tmp say,
    others work too: nobody there is ended, and nothing removed."""
    scratch = os.environ.get("GENOFERRY_SCRATCH")
    return scratch if scratch and any(Path(scratch).is_relative_to(folder) for folder in folders) else None


def record(path: str | None, cause: str, reason: str) -> None:
    """Write why, over the blanks that keep its room on the disk. A record that can't be written is logged as such."""
    if path is None:
        return
    text = json.dumps({"cause": cause, "reason": reason}).encode()
    try:
        with Path(path).open("r+b") as file:
            file.write(text.ljust(os.fstat(file.fileno()).st_size))
    except OSError as error:
        _log("limit not recorded", cause=error.strerror)


def clear(scratch: str | None) -> None:
    """Remove what the job program made there."""
    for folder in Path(scratch).glob("job-*") if scratch else ():
        shutil.rmtree(folder, ignore_errors=True)


def _signal(pids: set[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _log(event: str, **more: object) -> None:
    """As `telemetry` does, into the job's log. A full disk is no reason to stop watching."""
    line = {"level": "error", "timestamp": datetime.now(UTC).isoformat(), "event": event, **more}
    with suppress(OSError):
        os.write(2, f"{json.dumps(line)}\n".encode())


if __name__ == "__main__":
    Watchdog(SimpleNamespace(**json.loads(sys.argv[1])), int(sys.argv[2])).watch()
