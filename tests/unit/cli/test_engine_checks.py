"""`genoferry doctor` where the Nextflow engine is chosen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from genoferry.cli.engine_checks import engine
from genoferry.cli.finding import Finding
from genoferry.settings import ComputeSettings, NextflowSettings, Settings


def launcher(folder: Path, says: str, code: int = 0) -> str:
    path = folder / "nextflow"
    path.write_text(f"#!/bin/sh\necho '{says}'\nexit {code}\n")
    path.chmod(0o755)
    return str(path)


def look(site: NextflowSettings, **compute: Any) -> dict[str, Finding]:
    settings = Settings(compute=ComputeSettings(engine="nextflow", **compute), nextflow=site)
    return {finding.what: finding for finding in engine(settings)}


def test_the_embedded_engine_has_nothing_to_look_at() -> None:
    assert list(engine(Settings())) == []


@pytest.mark.parametrize(
    ("says", "code", "status"),
    [
        ("      version 24.10.0 build 5928", 0, "ok"),
        ("version 23.10.1-edge build 1", 0, "ok"),
        ("version 22.04.0 build 1", 0, "fail"),
        ("no Java", 0, "fail"),
        ("ERROR: Cannot find Java", 1, "fail"),
    ],
)
def test_nextflow_must_start_and_be_new_enough(tmp_path: Path, says: str, code: int, status: str) -> None:
    found = look(NextflowSettings(command=launcher(tmp_path, says, code)))["Nextflow"]
    assert (found.status, bool(found.mend)) == (status, status != "ok")


def test_what_is_not_there_is_named_with_its_variable(tmp_path: Path) -> None:
    found = look(
        NextflowSettings(command="no-such-nextflow", pipeline=str(tmp_path), plugins_dir=tmp_path / "none"),
        score_mirror=tmp_path,
    )
    assert {what: finding.status for what, finding in found.items()} == dict.fromkeys(
        ("Nextflow", "pipeline", "plugins dir"), "fail"
    )
    assert "GENOFERRY_NEXTFLOW_PLUGINS_DIR" in (found["plugins dir"].mend or "")


def test_an_offline_site_needs_a_folder_and_a_mirror(tmp_path: Path) -> None:
    command = launcher(tmp_path, "version 24.10.0")
    found = look(NextflowSettings(command=command))
    assert [found[what].status for what in ("pipeline", "scores")] == ["warn", "warn"]
    found = look(NextflowSettings(command=command, offline=False))
    assert found["pipeline"].status == "ok"
    assert "scores" not in found
