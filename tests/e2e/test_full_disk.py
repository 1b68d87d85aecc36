"""A disk of 64 MiB for the jobs of a worker, which gets full."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from genoferry.contracts.pipeline import PipelineParam
from genoferry.errors import JobOutOfDisk
from genoferry.pgsc.engine import run
from genoferry.pgsc.inputs import Inputs
from genoferry.testing.cohort import generate
from genoferry.testing.harness import Harness
from genoferry.testing.waiting import wait_until

KIB = 1024


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


def fill(disk: Path, *, leave: int) -> Path:
    """A file that leaves so many bytes free."""
    filler = disk / "filler"
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    filler.write_bytes(b"x" * (free - leave))
    return filler


def test_a_full_disk_is_told_as_such(cramped: Harness, small_disk: Path, tmp_path: Path) -> None:
    worker = cramped.worker()
    log = tmp_path / "executions"
    uuid = cramped.send({"name": "Touch", "log": str(log), "ends": ["disk"] * 3})
    error = cramped.inbox.await_event(uuid, "Failed")["error"]
    assert (error["code"], error["retryable"]) == ("job-out-of-disk", False)
    assert "GENOFERRY_LOCAL_SCRATCH_MIB" in error["userMessage"]
    assert log.read_text().split() == ["1"], "no attempt is wasted"
    assert cramped.await_done(uuid).state == "FAILED"
    assert list(small_disk.glob("jobs/*")) == []
    assert '"code": "job-out-of-disk"' in worker.text


def test_a_job_waits_for_room_to_start(cramped: Harness, small_disk: Path, tmp_path: Path) -> None:
    filler = fill(small_disk, leave=0)
    worker = cramped.worker()
    uuid = cramped.send({"name": "Touch", "log": str(tmp_path / "executions")})
    wait_until(lambda: "No space left on device" in worker.text, what="the worker to say why no job starts")
    filler.unlink()
    assert cramped.await_done(uuid).state == "SUCCEEDED"


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    cohort = generate(tmp_path / "cohort", formats=("vcf",))
    nxf = {"pgs_id": "PGS000001", "target_build": "GRCh38"}
    rows = list(cohort.genomes["vcf"])
    pipeline = PipelineParam.model_validate({"id": "INTP1", "target_genomes": rows, "nxf_params_file": nxf})
    scorefiles = list(cohort.scorefiles.values())
    plink2 = shutil.which("plink2")
    assert plink2, "plink2 is missing: run tests/e2e/setup_plink2.sh"
    return Inputs("INTP1", pipeline.target_genomes, cohort.files, scorefiles, "GRCh38", plink2=Path(plink2))


@pytest.mark.parametrize("leave", [600, 300, 150, 4])
def test_a_tool_without_room_blames_the_disk(inputs: Inputs, small_disk: Path, leave: int) -> None:
    """Not the genomes, whichever tool it is, and though what it prints goes to the same disk."""
    fill(small_disk, leave=leave * KIB)
    with pytest.raises(JobOutOfDisk):
        run(inputs, work=small_disk, out=small_disk / "out", progress=lambda *_: None, stop=threading.Event())
