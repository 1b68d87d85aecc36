"""Processes of this machine as the kernel tells of them, by pid and start time (proc(5), /proc/PID/stat).

Start times are in clock ticks since boot: unlike times of day they don't move when the clock is set, so that two
workers always agree on whether a pid is still the same process.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Stat:
    """`started` in ticks since boot; `exit_code` of a zombie, negative for a signal."""

    pid: int
    started: int
    zombie: bool
    exit_code: int | None


def stat_of(pid: int) -> Stat | None:
    """What the kernel says of a pid, or None where there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()  # the name before it may hold spaces; fields[0] is field 3
    zombie = fields[0] in "ZX"
    return Stat(pid, int(fields[19]), zombie, os.waitstatus_to_exitcode(int(fields[49])) if zombie else None)


def with_argument(argument: str, *, beside: str) -> int | None:
    """The pid of a process whose command line has both of these arguments."""
    for process in psutil.process_iter(["cmdline"]):
        arguments = process.info["cmdline"] or ()
        if argument in arguments and beside in arguments:
            return int(process.pid)
    return None


def in_session(leader: int, folder: Path) -> list[psutil.Process]:
    """The processes of a leader's session that work below a folder, whether the leader lives or not.

    By both, since a leader's pid may be another's by now.
    """
    found = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == leader and Path(process.cwd()).is_relative_to(folder):
                found.append(process)
        except (ProcessLookupError, psutil.Error):
            continue  # it ended while we looked
    return found
