from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genoferry.contracts.pipeline import TargetGenome
from genoferry.pgsc.engine import run
from genoferry.pgsc.inputs import Inputs, Outcome
from genoferry.testing.cohort import Cohort

Calculate = Callable[..., Outcome]


@pytest.fixture
def calculate(tmp_path: Path) -> Calculate:
    """Runs the engine on a cohort, without plink2 even where it is installed."""

    def calculate(cohort: Cohort, form: str = "pfile", **changes: Any) -> Outcome:
        stop = changes.pop("stop", threading.Event())
        progress = changes.pop("progress", lambda *_: None)
        rows = [TargetGenome(**row) for row in cohort.genomes[form]]
        scorefiles = changes.pop("scorefiles", list(cohort.scorefiles.values()))
        build = changes.pop("build", cohort.build)
        changes = {"plink2": None, "threads": 2, **changes}
        inputs = Inputs("INTP000000000001", rows, cohort.files, scorefiles, build, **changes)
        return run(inputs, work=tmp_path / "work", out=tmp_path / "out", progress=progress, stop=stop)

    return calculate
