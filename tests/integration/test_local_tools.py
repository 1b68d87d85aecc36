"""The servers' virtual environment: what is said when it can't be made."""

from __future__ import annotations

from pathlib import Path

import pytest

from genoferry.errors import LocalToolsMissing
from genoferry.local import tools


def test_an_index_that_cannot_be_reached_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    with pytest.raises(LocalToolsMissing, match="PIP_INDEX_URL") as missing:
        tools.ensure_venv(tools.REQUIREMENTS, tmp_path)
    log = Path(str(missing.value).rpartition(" ")[2])
    assert "ministack" in log.read_text() or "botocore" in log.read_text()


def test_made_once_and_again_when_the_requirements_change(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("# nothing\n")
    venv = tools.ensure_venv(requirements, tmp_path / "place")
    stamp = (venv / "pyvenv.cfg").stat().st_mtime_ns
    assert tools.ensure_venv(requirements, tmp_path / "place") == venv
    assert (venv / "pyvenv.cfg").stat().st_mtime_ns == stamp
    requirements.write_text("# other\n")
    tools.ensure_venv(requirements, tmp_path / "place")
    assert (venv / "pyvenv.cfg").stat().st_mtime_ns > stamp
