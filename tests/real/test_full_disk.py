"""A disk of 64 MiB for the jobs of a worker, which gets full."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from genoferry.testing.harness import Harness

MIB = 1024**2


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "genoferry-test", str(disk)]
    done = subprocess.run(mount, check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.fixture
def cramped(deployment: Any, small_disk: Path, tmp_path: Path) -> Iterator[Harness]:
    """Its jobs may use more disk than there is."""
    with deployment(tmp_path) as harness:
        harness.environment |= {
            "GENOFERRY_LOCAL_DIR": str(small_disk / "jobs"),
            "GENOFERRY_LOCAL_SCRATCH_MIB": "1000",
        }
        assert harness.inbox.drain() == []
        yield harness


def error_of(harness: Harness, uuid: str) -> dict[str, Any]:
    error: dict[str, Any] = harness.inbox.await_event(uuid, "Failed", seconds=120)["error"]
    return error


def test_a_full_disk_is_told_as_such(cramped: Harness, small_disk: Path, tmp_path: Path) -> None:
    cramped.worker()
    log = tmp_path / "executions"
    uuid = cramped.send({"name": "Touch", "log": str(log), "ends": ["disk"] * 3})
    error = error_of(cramped, uuid)
    assert (error["code"], error["retryable"]) == ("job-out-of-disk", False)
    assert "GENOFERRY_LOCAL_SCRATCH_MIB" in error["userMessage"]
    assert log.read_text().split() == ["1"], "no attempt is wasted"
    assert cramped.await_done(uuid).state == "FAILED"
    assert list(small_disk.glob("jobs/*")) == []
