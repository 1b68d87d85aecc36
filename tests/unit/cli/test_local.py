"""What `genoferry local` says."""

from __future__ import annotations

from pathlib import Path

import pytest

from genoferry.cli import output
from genoferry.cli.demo import seed
from genoferry.local import environment
from genoferry.local.environment import Environment


@pytest.fixture
def hints(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a terminal is told to do next."""
    told: list[str] = []
    monkeypatch.setattr(output, "hint", told.append)
    return told


def test_up_with_seed_hints_once(run, hints, monkeypatch, tmp_path: Path) -> None:
    running = Environment(tmp_path, "http://127.0.0.1:1", "http://127.0.0.1:2", {})
    monkeypatch.setattr(environment, "up", lambda *_, **__: running)
    monkeypatch.setattr(environment, "env", lambda _: {})
    monkeypatch.setattr(seed, "seed", lambda *_, **__: {"GENOFERRY_ALLOW_HOSTS": "127.0.0.1:8765"})
    for command in (("up", "--seed"), ("up",), ("seed",)):
        hints.clear()
        assert run("local", *command, "--state", str(tmp_path)).exit_code == 0
        assert sum("Use it: " in hint for hint in hints) == 1, command


def test_down_of_nothing_says_so(run, tmp_path: Path) -> None:
    assert "was not up" in run("local", "down", "--state", str(tmp_path)).stdout
