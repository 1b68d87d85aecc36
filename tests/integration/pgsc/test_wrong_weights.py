"""One weight that is no number: refused with its line, by each engine, before any tool runs."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from genoferry import errors
from genoferry.pgsc import engine
from genoferry.pgsc.inputs import Outcome
from genoferry.pgsc.process import Bench, run_tool
from genoferry.testing.cohort import Cohort, generate
from genoferry.testing.synthetic_scores import PLAIN

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


def test_a_sum_that_is_no_number_ends_it(
    tmp_path: Path, cohort: Cohort, calculate: Calculate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "check_rows", lambda *_: None)  # as if a weight had got by
    broken, _ = with_weight(cohort.scorefiles[PLAIN], tmp_path, "nan")
    with pytest.raises(errors.ScoresIncomplete, match=f"A sum of {PLAIN} is no finite number"):
        calculate(cohort, scorefiles=[broken])
    assert not (tmp_path / "out" / "report.json").exists()


def test_an_aggregation_that_drops_a_part_is_found(
    cohort: Cohort, calculate: Calculate, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_without_a_part(bench: Bench, process: str, argv: Sequence[str | Path], **options: str) -> str:
        dropped = [part for part in argv if str(part).endswith("_22_additive_0.sscore.zst")]
        assert len(dropped) == (process == engine.AGGREGATE)
        return run_tool(bench, process, [part for part in argv if part not in dropped], **options)

    monkeypatch.setattr(engine, "run_tool", run_without_a_part)
    with pytest.raises(errors.ScoresIncomplete, match=f"The sums of {PLAIN} are not those of all") as raised:
        calculate(cohort, scorefiles=[cohort.scorefiles[PLAIN]])
    assert raised.value.trace_name == "PGSCATALOG:EMBEDDED:SCORE_AGGREGATE"
