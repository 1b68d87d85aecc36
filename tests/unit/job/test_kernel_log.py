"""What the kernel's log says of processes that it killed. The records are a real kernel's (5.10), provoked."""

from __future__ import annotations

from pathlib import Path

import pytest

from genoferry.job import kernel_log
from genoferry.job.kernel_log import KernelLog

OURS = (
    "6,422,2020655728,-;oom-kill:constraint=CONSTRAINT_MEMCG,task=python3,pid=20266,uid=0\n"
    "3,423,2020655753,-;Memory cgroup out of memory: Killed process 20266 (python3) total-vm:75364kB, UID:0\n"
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    log = tmp_path / "kmsg"
    log.write_text("3,1,1,-;Out of memory: Killed process 20266 (python3) before we looked\n")
    return log


def append(log: Path, text: str) -> None:
    with log.open("a") as file:
        file.write(text)


def test_only_the_process_named_was_killed(log: Path) -> None:
    kernel = KernelLog(log)
    append(log, OURS)
    assert not kernel.has_killed(20267)
    append(log, OURS)
    assert kernel.has_killed(20266)


def test_what_was_before_does_not_count(log: Path) -> None:
    assert not KernelLog(log).has_killed(20266)


def test_without_the_log_nothing_is_known(tmp_path: Path) -> None:
    assert not KernelLog(tmp_path / "none").has_killed(20266)


def test_pids_of_another_namespace_are_not_compared(log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "ns"
    other.symlink_to("pid:[4026532999]")
    monkeypatch.setattr(kernel_log, "NAMESPACE", other)
    kernel = KernelLog(log)
    append(log, OURS)
    assert not kernel.has_killed(20266)
