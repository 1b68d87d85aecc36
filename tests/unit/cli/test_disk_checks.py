"""`genoferry doctor` on the disk of the local runner."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from genoferry.cli.disk_checks import GB, disk, folder_finding
from genoferry.settings import ComputeSettings, Settings


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes every disk have so many bytes free."""

    def make(count: int) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=count))

    return make


def settings(folder: Path, **compute: Any) -> Settings:
    return Settings(compute=ComputeSettings(local_dir=folder, **compute))


@pytest.mark.parametrize(
    ("gigabytes", "jobs", "status"), [(20, 2, "ok"), (19, 2, "warn"), (10, 1, "ok"), (1, 2, "warn"), (0, 1, "fail")]
)
def test_free_space_is_measured_by_the_jobs(free, tmp_path: Path, gigabytes: int, jobs: int, status: str) -> None:
    free(gigabytes * GB)
    (found,) = disk(settings(tmp_path / "jobs", max_running=jobs))
    assert found.status == status
    assert str(tmp_path / "jobs") in found.detail
    assert (found.mend is None) == (status == "ok")
    assert "GENOFERRY_LOCAL_DIR" in (found.mend or "GENOFERRY_LOCAL_DIR")


def test_a_missing_folder_is_its_parents(free, tmp_path: Path) -> None:
    """The first job makes it."""
    free(100 * GB)
    assert folder_finding(tmp_path / "a" / "b", "GENOFERRY_LOCAL_DIR", 1).status == "ok"


def test_below_a_file_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = folder_finding(tmp_path / "file" / "jobs", "GENOFERRY_LOCAL_DIR", 1)
    assert found.status == "fail"
    assert f"{tmp_path / 'file'} can't be written to" in found.detail


def test_workspaces_of_their_own_are_looked_at(free, tmp_path: Path) -> None:
    free(1)
    both = disk(settings(tmp_path / "jobs", engine="nextflow", workspaces=tmp_path / "shared"))
    assert ["GENOFERRY_WORKSPACES" in (found.mend or "") for found in both] == [False, True]


def test_jobs_elsewhere_need_no_disk_here(tmp_path: Path) -> None:
    assert list(disk(settings(tmp_path, runner="kubernetes"))) == []
