"""The table of odd scorefiles with plink2: the same sums, and the scorefile is blamed for its weights."""

from __future__ import annotations

from pathlib import Path

import pytest

from genoferry.errors import ScorefileInvalid
from genoferry.pgsc import engine
from genoferry.testing.odd_scorefiles import ROWS, OddScorefile
from genoferry.testing.odd_scorefiles.draft import CALCULATED
from genoferry.testing.odd_scorefiles.run import Cohort, Results, calculate, write_cohort
from genoferry.testing.odd_scorefiles.weights import NO_NUMBER

RIGHT = [row for row in ROWS if row.expected == CALCULATED]


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    return write_cohort(tmp_path_factory.mktemp("odd"), ROWS)


@pytest.fixture(scope="module")
def results(cohort: Cohort, plink2: Path, tmp_path_factory: pytest.TempPathFactory) -> Results:
    return calculate(cohort, RIGHT, tmp_path_factory.mktemp("results"), plink2=plink2)


@pytest.mark.parametrize("row", RIGHT, ids=lambda row: row.name)
def test_plink2_gives_the_same_sums(cohort: Cohort, results: Results, row: OddScorefile) -> None:
    report = results.reports[cohort.ids[row.name]]
    assert (report.status, report.reason) == (CALCULATED, None)
    assert results.sums[report.id] == pytest.approx(cohort.right_sums(row), rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("row", [row for row in ROWS if row.why == NO_NUMBER], ids=lambda row: row.name)
def test_plink2s_refusal_blames_the_scorefile(
    tmp_path: Path, cohort: Cohort, plink2: Path, monkeypatch: pytest.MonkeyPatch, row: OddScorefile
) -> None:
    monkeypatch.setattr(engine, "check_rows", lambda *_: None)  # as if a weight had got by
    with pytest.raises(ScorefileInvalid) as raised:
        calculate(cohort, [row], tmp_path, plink2=plink2)
    assert raised.value.trace_name == "PGSCATALOG:EMBEDDED:PLINK2_SCORE"
