"""One weight that is no number: refused with its line, by each engine, before any tool runs."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from genoferry import errors
from genoferry.pgsc.inputs import Outcome
from genoferry.testing.cohort import Cohort, generate
from genoferry.testing.made_up_scores import PLAIN

Calculate = Callable[..., Outcome]


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    return generate(tmp_path_factory.mktemp("cohort"), formats=("pfile",), variants=600)


def with_weight(source: Path, folder: Path, weight: str) -> tuple[Path, int]:
    """A copy whose second row has `weight`, and that row's line number."""
    lines = gzip.decompress(source.read_bytes()).decode().splitlines()
    at = next(number for number, line in enumerate(lines) if not line.startswith("#")) + 2
    cells = lines[at].split("\t")
    lines[at] = "\t".join([*cells[:5], weight, *cells[6:]])
    path = folder / source.name
    path.write_bytes(gzip.compress("\n".join([*lines, ""]).encode()))
    return path, at + 1


@pytest.mark.parametrize("plink2", [None, Path("/nowhere/plink2")], ids=["own scorer", "plink2"])
@pytest.mark.parametrize("weight", ["nan", "inf", "-inf", "1e400", "1e308", "1_000"])
def test_a_wrong_weight_is_refused_by_line(
    tmp_path: Path, cohort: Cohort, calculate: Calculate, weight: str, plink2: Path | None
) -> None:
    broken, line = with_weight(cohort.scorefiles[PLAIN], tmp_path, weight)
    seen: list[str] = []
    with pytest.raises(errors.ScorefileInvalid) as raised:
        calculate(cohort, scorefiles=[broken], plink2=plink2, progress=lambda phase, *_: seen.append(phase))
    assert f"{PLAIN} " in str(raised.value)
    assert f"line {line}, column effect_weight" in str(raised.value)
    assert [(score.id, score.status) for score in raised.value.scores] == [(PLAIN, "failed")]
    assert seen == []
