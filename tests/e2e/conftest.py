"""Real Nextflow, the pipeline that stands in for pgsc_calc, and a small disk."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

VERSION = "24.10.0"


def _launcher(environment: Mapping[str, str]) -> Path:
    """Where setup_nextflow.sh puts the launcher, unless `GENOFERRY_NEXTFLOW_COMMAND` names another."""
    cache = Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "genoferry"
    tools = Path(environment.get("GENOFERRY_TOOLS") or cache)
    return Path(environment.get("GENOFERRY_NEXTFLOW_COMMAND") or tools / f"nextflow-{VERSION}" / "nextflow")


LAUNCHER = _launcher(os.environ)
"""Read before a test takes genoferry's variables out of the environment."""


@pytest.fixture(scope="session")
def nextflow() -> Path:
    """The launcher of Nextflow."""
    found = shutil.which(LAUNCHER)
    assert found, "Nextflow is missing: run tests/e2e/setup_nextflow.sh"
    return Path(found)


@pytest.fixture(scope="session")
def plink2() -> Path:
    found = shutil.which("plink2")
    assert found, "plink2 is missing: run tests/e2e/setup_plink2.sh"
    return Path(found)


@pytest.fixture(scope="session")
def pipeline() -> Path:
    """The folder of the pipeline, to be named in `nextflow run`."""
    return Path(__file__).with_name("pipeline")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 MiB; needs root."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "genoferry-test", str(disk)]
    done = subprocess.run(mount, check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)
