"""What processes and folders of this machine use, as the watchdog measures it."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from genoferry.job import usage
from genoferry.job.usage import disk, family, memory

MIB = 1024**2
SHARES = """
import mmap, os, sys
taken = mmap.mmap(-1, 64 * 2**20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
taken.write(b"x" * len(taken))
for _ in range(3):
    if os.fork() == 0:
        break
else:
    print(flush=True)
sys.stdin.readline()
"""
LEAVES = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "input()"], start_new_session=True)
print(child.pid, flush=True)
sys.stdin.readline()
"""

Start = Callable[[str], tuple[int, str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Run Python code as the leader of a session until the test's end; its pid and the first line that it prints."""
    started = []

    def run(code: str) -> tuple[int, str]:
        child = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(child)
        assert child.stdout is not None
        return child.pid, child.stdout.readline()

    yield run
    for child in started:
        for pid in family(child.pid):
            os.kill(pid, 9)
        child.communicate()


def test_shared_memory_counts_once(start: Start) -> None:
    leader, _ = start(SHARES)
    pids = family(leader)
    assert len(pids) == 4
    assert memory(pids, enough=10**12) > 4 * 64 * MIB, "below what is enough, as each process has it"
    assert 64 * MIB < memory(pids, enough=0) < 2 * 64 * MIB


def test_a_session_of_its_own_hides_no_child(start: Start) -> None:
    leader, child = start(LEAVES)
    assert family(leader) == {leader, int(child)}


def test_a_process_that_has_ended_uses_nothing(start: Start) -> None:
    leader, _ = start("print()")
    os.waitid(os.P_PID, leader, os.WEXITED | os.WNOWAIT)
    assert family(leader) == set()
    assert memory([leader], enough=0) == 0


def test_a_hidden_process_is_left_out(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of another user, where /proc is mounted with hidepid=1."""
    leader, child = start(LEAVES)
    read = usage._read

    def hides(path: str) -> bytes:
        if path == f"/proc/{os.getppid()}/stat":
            raise PermissionError(errno.EPERM, "Operation not permitted")
        return read(path)

    monkeypatch.setattr(usage, "_read", hides)
    assert family(leader) == {leader, int(child)}


def test_disk_is_what_files_take(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    empty = disk([str(tmp_path)])
    (tmp_path / "a" / "b" / "file").write_bytes(os.urandom(MIB))
    (tmp_path / "a" / "again").hardlink_to(tmp_path / "a" / "b" / "file")
    (tmp_path / "link").symlink_to("/usr")
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(100 * MIB)
    assert MIB <= disk([str(tmp_path), str(tmp_path / "none")]) - empty < MIB + 64 * 1024
