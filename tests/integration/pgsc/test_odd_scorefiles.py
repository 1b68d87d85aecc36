"""Each odd scorefile comes to what its row says: the right sum beside the independent routine, or a named error."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from genoferry.contracts.pipeline import PipelineParam
from genoferry.errors import CalculationError
from genoferry.pgsc.preflight import Files, Verdict, check
from genoferry.pgsc.textio import GZIP
from genoferry.settings import PreflightSettings
from genoferry.testing.odd_scorefiles import ROWS, OddScorefile
from genoferry.testing.odd_scorefiles.draft import CALCULATED
from genoferry.testing.odd_scorefiles.form import MENDED
from genoferry.testing.odd_scorefiles.run import Cohort, Results, calculate, write_cohort
from genoferry.testing.odd_scorefiles.weights import REFUSED as TOOLS_REFUSE

ALONE = [row for row in ROWS if row.reason]
RIGHT = [row for row in ROWS if row.expected == CALCULATED]
REFUSED = [row for row in ROWS if row not in ALONE and row not in RIGHT]

each = partial(pytest.mark.parametrize, "row", ids=lambda row: row.name)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    return write_cohort(tmp_path_factory.mktemp("odd"), ROWS)


@pytest.fixture(scope="module")
def results(cohort: Cohort, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Of all that are not refused, in one calculation: no oddity of one hides another's."""
    return calculate(cohort, [*RIGHT, *ALONE], tmp_path_factory.mktemp("results"))


@each(RIGHT)
def test_the_sums_are_the_independent_routines(cohort: Cohort, results: Results, row: OddScorefile) -> None:
    report = results.reports[cohort.ids[row.name]]
    drafted = cohort.draft_of(row)
    assert (report.status, report.reason, report.variants_total) == (CALCULATED, None, len(drafted.rows))
    assert results.sums[report.id] == pytest.approx(cohort.right_sums(row), rel=1e-9, abs=1e-9)


@each(ALONE)
def test_in_company_it_fails_alone(cohort: Cohort, results: Results, row: OddScorefile) -> None:
    report = results.reports[cohort.ids[row.name]]
    assert (report.status, report.id in results.sums) == ("failed", False)
    assert row.reason is not None
    assert row.reason in (report.reason or "")


@each(ALONE)
def test_alone_it_is_its_error(tmp_path: Path, cohort: Cohort, row: OddScorefile) -> None:
    with pytest.raises(CalculationError) as raised:
        calculate(cohort, [row], tmp_path)
    assert raised.value.code == row.expected
    assert [(score.id, score.status) for score in raised.value.scores] == [(cohort.ids[row.name], "failed")]


@each(REFUSED)
def test_refused_by_name_before_any_tool(tmp_path: Path, cohort: Cohort, row: OddScorefile) -> None:
    phases: list[str] = []
    with pytest.raises(CalculationError) as raised:
        calculate(cohort, [row], tmp_path, phases=phases)
    assert (raised.value.code, phases) == (row.expected, [])
    assert str(raised.value).startswith("A scorefile ") or cohort.ids[row.name] in str(raised.value)


@pytest.fixture
def tools_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], bool]:
    """Whether pgscatalog-format's own code reads a file to its end, under the name that the engine gives it."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # the import replaces it
    from pgscatalog.core.lib import EffectTypeError, GenomeBuild, ScoringFile

    def tools_take(content: bytes) -> bool:
        path = tmp_path / ("x.txt.gz" if content.startswith(GZIP) else "x.txt")
        path.write_bytes(content)
        try:
            score = ScoringFile(path)
            rows = [row.model_dump() for row in score.normalise(target_build=GenomeBuild.GRCh38)]
        except EffectTypeError:
            return True  # they leave it out, and go on
        except Exception:
            return False
        return bool(rows)

    return tools_take


@each(ROWS)
def test_the_tools_take_it_as_said(cohort: Cohort, tools_take: Callable[[bytes], bool], row: OddScorefile) -> None:
    refused = row.why in (TOOLS_REFUSE, MENDED)
    assert tools_take(cohort.draft_of(row).content()) == (not refused)


def looked_at(cohort: Cohort, row: OddScorefile) -> Verdict:
    document = {"id": "R", "target_genomes": cohort.targets, "nxf_params_file": {"target_build": "GRCh38"}}
    targets = {path.name: partial(path.open, "rb") for path in cohort.folder.iterdir()}
    content = cohort.draft_of(row).content()
    files = Files(targets, {f"{cohort.ids[row.name]}.txt.gz": partial(io.BytesIO, content)})
    return check(PipelineParam.model_validate(document), files, PreflightSettings(), stop=threading.Event())


@each(ROWS)
def test_the_preflight_says_the_same(cohort: Cohort, row: OddScorefile) -> None:
    """Where no row has a place, it has a code that says so."""
    failure = looked_at(cohort, row).failure
    same = "scorefile-invalid" if row.expected == "zero-matches" else row.expected
    assert (failure.code if failure else CALCULATED) == same
