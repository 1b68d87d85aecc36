"""Processes of this machine as the kernel tells of them, by pid and start time (proc(5), /proc/PID/stat).

Start times are in clock ticks since boot: unlike times of day they don't move when the clock is set, so that two
workers always agree on whether a pid is still the same process.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

POLL_SECONDS = 0.02


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


def with_argument(ending: str, *, beside: str, folder: Path) -> int | None:
    """The pid of a process of this user that works below a folder, whose command line has an argument with that ending
    and the argument `beside`."""
    for process in psutil.process_iter():
        try:
            known = process.uids().real == os.getuid() and has_argument(process.pid, ending, beside=beside)
            if known and Path(process.cwd()).is_relative_to(folder):
                return int(process.pid)
        except psutil.Error:
            continue  # it ended while we looked, or may not be looked at
    return None


def has_argument(pid: int, ending: str, *, beside: str) -> bool:
    """Whether the command line of a live process has an argument with that ending, and the argument `beside`."""
    try:
        arguments = psutil.Process(pid).cmdline()
    except psutil.Error:
        return False
    return beside in arguments and any(argument.endswith(ending) for argument in arguments)


def in_session(leader: int, folders: Sequence[Path]) -> list[psutil.Process]:
    """The processes of a leader's session that work below one of the folders, whether the leader lives or not.

    By both, since a leader's pid may be another's by now.
    """
    found = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == leader and any(Path(process.cwd()).is_relative_to(f) for f in folders):
                found.append(process)
        except (ProcessLookupError, psutil.Error):
            continue  # it ended while we looked
    return found


def working_below(folder: Path, *, session: int | None = None) -> list[psutil.Process]:
    """The live processes of this user that work below a folder, of one session or of any, but this one. Who sits there
    at a terminal is a person and is left alone."""
    found = []
    for process in psutil.process_iter():
        try:
            ours = process.uids().real == os.getuid() and process.pid != os.getpid() and _lives(process)
            if ours and Path(process.cwd()).is_relative_to(folder) and process.terminal() is None:
                found += [process] if session in (None, os.getsid(process.pid)) else []
        except (ProcessLookupError, psutil.Error):
            continue  # it ended while we looked
    return found


def end_all(processes: Sequence[psutil.Process], seconds: float) -> list[psutil.Process]:
    """TERM, and after `seconds` KILL; those that live all the same."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    alive = await_ends(processes, seconds)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    return await_ends(alive, seconds)


def await_ends(processes: Sequence[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait for their ends; those that live on. Another worker's child has ended once it is a zombie: that worker may
    be busy or stopped, and reaps it when it likes."""
    deadline = time.monotonic() + seconds
    while (alive := [p for p in processes if _lives(p)]) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return alive


def _lives(process: psutil.Process) -> bool:
    stat = stat_of(process.pid)
    return stat is not None and not stat.zombie and process.is_running()
