"""Which processes the kernel has killed for want of memory, where it lets us read that. Of the standard library alone,
as all that the watchdog imports."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

LOG = Path("/dev/kmsg")
"""A record a read (Documentation/ABI/testing/dev-kmsg). Only root may read it where `dmesg_restrict` is set."""
NAMESPACE, INITIAL = Path("/proc/self/ns/pid"), "pid:[4026531836]"
"""Elsewhere pids are not those that the kernel logs (PROC_PID_INIT_INO, include/linux/proc_ns.h)."""
RECORD_BYTES = 8192
_KILLED = re.compile(rb"ut of memory.*: Killed process (\d+) ")
"""As `__oom_kill_process` prints it (mm/oom_kill.c)."""


class KernelLog:
    """Its records from now on. Where it can't be read nothing is known, and so nobody was killed."""

    def __init__(self, log: Path = LOG) -> None:
        self._file: int | None = None
        try:
            if str(NAMESPACE.readlink()) == INITIAL:
                self._file = os.open(log, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
                os.lseek(self._file, 0, os.SEEK_END)
        except OSError:
            return

    def has_killed(self, pid: int) -> bool:
        """Return whether it has killed that process since it was asked last."""
        return any(int(match[1]) == pid for record in self._records() for match in _KILLED.finditer(record))

    def _records(self) -> Iterator[bytes]:
        while self._file is not None:
            try:
                record = os.read(self._file, RECORD_BYTES)
            except BrokenPipeError:  # records were overwritten before they were read
                continue
            except OSError:
                return
            if not record:
                return
            yield record
