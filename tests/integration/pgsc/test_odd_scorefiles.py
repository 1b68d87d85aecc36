"""Each odd scorefile comes to what its row says: the right sum beside the independent routine, or a named error."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from genoferry.contracts.pipeline import PipelineParam, TargetGenome
from genoferry.contracts.reports import ScoreReport
from genoferry.errors import CalculationError
from genoferry.pgsc.engine import run
from genoferry.pgsc.inputs import Inputs, Outcome
from genoferry.pgsc.outputs import AGGREGATED, read_aggregated
from genoferry.pgsc.preflight import Files, Verdict, check
from genoferry.pgsc.textio import GZIP
from genoferry.settings import PreflightSettings
from genoferry.testing.expected import expected_sums
from genoferry.testing.genomes import Genomes, write_genomes
from genoferry.testing.odd_scorefiles import ROWS, Draft, OddScorefile, draft, draw_genomes
from genoferry.testing.odd_scorefiles.draft import CALCULATED, CHROMS
from genoferry.testing.odd_scorefiles.form import MENDED
from genoferry.testing.odd_scorefiles.weights import REFUSED as TOOLS_REFUSE

BY_NAME = {row.name: row for row in ROWS}
IDS = {row.name: f"PGS{number:06d}" for number, row in enumerate(ROWS, 900_000)}
IN_COMPANY = [row.name for row in ROWS if row.expected == CALCULATED or row.reason]
ALONE = [row.name for row in ROWS if row.reason]
REFUSED = [row.name for row in ROWS if row.name not in IN_COMPANY]


@dataclass(frozen=True)
class Cohort:
    genomes: Genomes
    folder: Path
    rows: tuple[Mapping[str, Any], ...]

    def drafted(self, name: str) -> Draft:
        return BY_NAME[name].make(draft(self.genomes, IDS[name]))

    def scorefile(self, name: str) -> Path:
        path = self.folder / f"{IDS[name]}.txt.gz"
        path.write_bytes(self.drafted(name).content())
        return path

    def calculate(self, out: Path, *scorefiles: Path, phases: list[str] | None = None) -> Outcome:
        files = {path.name: path for path in self.folder.iterdir()}
        targets = [TargetGenome(**row) for row in self.rows]
        inputs = Inputs("R", targets, files, scorefiles, "GRCh38", threads=2)
        seen = [] if phases is None else phases
        return run(
            inputs,
            work=out / "work",
            out=out / "out",
            progress=lambda phase, *_: seen.append(phase),
            stop=threading.Event(),
        )


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    genomes, folder, rows = draw_genomes(), tmp_path_factory.mktemp("odd"), []
    for chrom in CHROMS:
        keep = [row for row, site in enumerate(genomes.sites) if site.chrom == chrom]
        part = Genomes(
            tuple(genomes.sites[row] for row in keep), genomes.samples, genomes.sexes, genomes.alt_copies[keep]
        )
        names = [path.name for path in write_genomes(part, folder / f"c{chrom}", "pfile")]
        row = {"sampleset": "odd", "chrom": chrom, "format": "pfile", "vcf_import_dosage": False}
        rows.append({**row, **dict(zip(("geno", "variants", "pheno"), names, strict=True))})
    return Cohort(genomes, folder, tuple(rows))


Results = tuple[Mapping[str, ScoreReport], Mapping[str, Mapping[str, float]]]


@pytest.fixture(scope="module")
def results(cohort: Cohort, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Of all that are not refused, in one calculation: no oddity of one hides another's."""
    out = tmp_path_factory.mktemp("results")
    outcome = cohort.calculate(out, *map(cohort.scorefile, IN_COMPANY))
    return {score.id: score for score in outcome.scores}, read_aggregated(out / "out" / AGGREGATED)


@pytest.mark.parametrize("name", IN_COMPANY)
def test_in_company_each_has_its_outcome(cohort: Cohort, results: Results, name: str) -> None:
    row, drafted = BY_NAME[name], cohort.drafted(name)
    report, sums = results[0][IDS[name]], results[1].get(IDS[name])
    if row.reason is not None:
        assert (report.status, sums) == ("failed", None)
        assert row.reason in (report.reason or "")
        return
    assert (report.status, report.reason) == (CALCULATED, None)
    wanted = expected_sums(cohort.genomes.alt_copies, list(drafted.terms.values()))
    assert sums == pytest.approx(dict(zip(cohort.genomes.samples, wanted.tolist(), strict=True)), rel=1e-9, abs=1e-9)
    assert report.variants_total == len(drafted.rows)


@pytest.mark.parametrize("name", ALONE)
def test_alone_each_is_its_error(tmp_path: Path, cohort: Cohort, name: str) -> None:
    with pytest.raises(CalculationError) as raised:
        cohort.calculate(tmp_path, cohort.scorefile(name))
    assert raised.value.code == BY_NAME[name].expected
    assert [(score.id, score.status) for score in raised.value.scores] == [(IDS[name], "failed")]


@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_name_before_any_tool(tmp_path: Path, cohort: Cohort, name: str) -> None:
    phases: list[str] = []
    with pytest.raises(CalculationError) as raised:
        cohort.calculate(tmp_path, cohort.scorefile(name), phases=phases)
    assert (raised.value.code, phases) == (BY_NAME[name].expected, [])
    nameless = "header states no valid pgs_id" in str(raised.value) or "A scorefile" in str(raised.value)
    assert nameless or IDS[name] in str(raised.value)


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


@pytest.mark.parametrize("name", BY_NAME)
def test_the_tools_take_it_as_said(cohort: Cohort, tools_take: Callable[[bytes], bool], name: str) -> None:
    row = BY_NAME[name]
    refused = row.why in (TOOLS_REFUSE, MENDED)
    assert tools_take(cohort.drafted(name).content()) == (not refused)


def looked_at(cohort: Cohort, row: OddScorefile) -> Verdict:
    document = {"id": "R", "target_genomes": cohort.rows, "nxf_params_file": {"target_build": "GRCh38"}}
    targets = {path.name: partial(path.open, "rb") for path in cohort.folder.iterdir()}
    content = row.make(draft(cohort.genomes, IDS[row.name])).content()
    files = Files(targets, {f"{IDS[row.name]}.txt.gz": partial(io.BytesIO, content)})
    return check(PipelineParam.model_validate(document), files, PreflightSettings(), stop=threading.Event())


@pytest.mark.parametrize("name", BY_NAME)
def test_the_preflight_says_the_same(cohort: Cohort, name: str) -> None:
    """Where no row has a place, it has a code that says so."""
    row = BY_NAME[name]
    failure = looked_at(cohort, row).failure
    same = "scorefile-invalid" if row.expected == "zero-matches" else row.expected
    assert (failure.code if failure else CALCULATED) == same
