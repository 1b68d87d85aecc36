"""What a job uses: the memory of its processes, the disk below its folders. Of the standard library alone, since the
watchdog that measures is to stay small."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

KIB = 1024
BLOCK = 512
"""Bytes of a unit of `st_blocks` (stat(2))."""
RESIDENT = ("RssAnon", "RssShmem", "VmSwap")
"""Of /proc/PID/status (proc(5)). Pages of files are left out: the kernel takes them back when it needs memory."""
PROPORTIONAL = ("Pss_Anon", "Pss_Shmem", "SwapPss")
"""The same of /proc/PID/smaps_rollup, where a page that n processes share counts 1/n for each."""
STAT_BYTES = 4096
"""More than /proc/PID/stat ever has: 52 numbers and a name of 15 bytes (proc(5))."""


def family(leader: int, scratch: str | None = None) -> set[int]:
    """Return the pids of the leader's session, of what works below its scratch, and of all that descends from these,
    but this process's own. Who sits there at a terminal is a person, and no member."""
    parents, members = {}, set()
    for pid in _pids():
        with suppress(OSError):  # it has ended, or is another user's (hidepid, proc(5))
            # field 2, the name, may hold spaces and parentheses; fields[0] is field 3
            fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split(maxsplit=5)
            if fields[0] in b"ZX":
                continue
            parents[pid], session, terminal = (int(fields[place]) for place in (1, 3, 4))
            if leader in (pid, session) or (not terminal and _works_below(pid, scratch)):
                members.add(pid)
    while more := {pid for pid, parent in parents.items() if parent in members} - members:
        members |= more
    return members - {os.getpid()}


def _read(path: str) -> bytes:
    """At half the cost of `Path.read_bytes`, which tells where each process of a machine is read at each look."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(file, STAT_BYTES)
    finally:
        os.close(file)


def _works_below(pid: int, folder: str | None) -> bool:
    """Whether it is this user's and has its working directory there: a daemon is found by that alone."""
    try:
        below = folder is not None and f"{os.readlink(f'/proc/{pid}/cwd')}/".startswith(f"{folder}/")  # noqa: PTH115
        return below and Path(f"/proc/{pid}").stat().st_uid == os.getuid()
    except OSError:
        return False


def memory(pids: Iterable[int], enough: int) -> int:
    """Return the bytes of memory that processes take together, swapped out or not, shared pages counted once.

    Exact only above `enough`: the sum of what is resident, which counts shared pages for each process, is cheap to
    read and never too small.
    """
    pids = list(pids)
    resident = sum(_sum(Path(f"/proc/{pid}/status"), RESIDENT) or 0 for pid in pids)
    return resident if resident <= enough else sum(_proportional(pid) for pid in pids)


def _proportional(pid: int) -> int:
    """Fall back on what is resident where the process may not be looked into."""
    exact = _sum(Path(f"/proc/{pid}/smaps_rollup"), PROPORTIONAL)
    return exact if exact is not None else _sum(Path(f"/proc/{pid}/status"), RESIDENT) or 0


def _sum(path: Path, names: tuple[str, ...]) -> int | None:
    """Bytes; None where the file can't be read, as that of a process that has ended."""
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return None
    fields = [line.split() for line in lines]
    return sum(int(field[1]) * KIB for field in fields if len(field) == 3 and field[0].rstrip(":") in names)


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]  # noqa: PTH208  # as `_read`


def disk(folders: Iterable[str]) -> int:
    """Return the bytes of disk that folders take together, a file with several names once."""
    inodes: set[tuple[int, int]] = set()
    total = 0
    for entry in _stats(folders):
        if entry.st_nlink > 1:
            if (entry.st_dev, entry.st_ino) in inodes:
                continue
            inodes.add((entry.st_dev, entry.st_ino))
        total += entry.st_blocks * BLOCK
    return total


def _stats(folders: Iterable[str]) -> Iterator[os.stat_result]:
    """Of everything below, links not followed. What vanishes meanwhile, or can't be looked into, is left out."""
    rest = list(folders)
    while rest:
        try:
            with os.scandir(rest.pop()) as entries:
                for entry in entries:
                    with suppress(OSError):
                        yield entry.stat(follow_symlinks=False)
                        if entry.is_dir(follow_symlinks=False):
                            rest.append(entry.path)
        except OSError:
            continue
