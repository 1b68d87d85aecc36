"""The engine with the PGS Catalog's real tools, its scores against the independent routine."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from genoferry import errors
from genoferry.pgsc.inputs import PHASES, Outcome
from genoferry.pgsc.outputs import read_aggregated
from genoferry.testing.cohort import Cohort, generate
from genoferry.testing.scorefiles import Line, write_scorefile
from genoferry.testing.synthetic_scores import MODELS, NO_OVERLAP, PLAIN

Calculate = Callable[..., Outcome]
TRACE = "PGSCATALOG:EMBEDDED:"


def assert_scores(cohort: Cohort, outcome: Outcome, aggregated: Path) -> None:
    """Every score asked for is calculated, its sums within 1e-5, or failed as it must."""
    reports = {report.id: report for report in outcome.scores}
    sums = read_aggregated(aggregated)
    assert set(reports) == set(cohort.expected)
    for pgs_id, expected in cohort.expected.items():
        assert (reports[pgs_id].variants_total, reports[pgs_id].variants_matched) == (expected.total, expected.matched)
        if expected.sums is None:
            assert reports[pgs_id].status == "failed"
            assert "40.0%" in (reports[pgs_id].reason or "")
            assert pgs_id not in sums
        else:
            assert (reports[pgs_id].status, reports[pgs_id].reason) == ("calculated", None)
            assert sums[pgs_id] == pytest.approx(expected.sums, abs=1e-5, rel=0)


@pytest.mark.parametrize("form", ["pfile", "bfile", "vcf"])
@pytest.mark.parametrize(("split", "build"), [(True, "GRCh38"), (False, "GRCh37")])
def test_scores_equal_the_independent_routine(
    tmp_path: Path, calculate: Calculate, form: str, split: bool, build: str
) -> None:
    seen: list[tuple[str, int, int]] = []
    cohort = generate(tmp_path / "cohort", formats=(form,), split=split, build=build)
    outcome = calculate(cohort, form, progress=lambda *step: seen.append(step))
    assert_scores(cohort, outcome, tmp_path / "out" / "aggregated_scores.txt.gz")
    assert outcome.samples == 200
    assert {phase for phase, _, _ in seen} == set(PHASES)
    assert all(done <= total for _, done, total in seen)
    names = {"aggregated_scores.txt.gz", "cohort_summary.csv", "cohort_log.csv.gz", "report.html", "report.json"}
    assert {path.name for path in outcome.outputs} == names
    for report in ("report.html", "report.json"):
        assert "SAMPLE0" not in (tmp_path / "out" / report).read_text()
    assert json.loads((tmp_path / "out" / "report.json").read_text())["samples"] == 200


def test_few_samples_are_scored_without_imputation_and_a_second_run_starts_afresh(
    tmp_path: Path, calculate: Calculate
) -> None:
    cohort = generate(tmp_path / "cohort", formats=("pfile",), split=False, samples=20, variants=600)
    only = [cohort.scorefiles[MODELS]]
    for _ in range(2):  # pgscatalog-aggregate appends to what it finds
        calculate(cohort, scorefiles=only)
        sums = read_aggregated(tmp_path / "out" / "aggregated_scores.txt.gz")
        assert sums == {MODELS: pytest.approx(cohort.expected[MODELS].sums, abs=1e-5, rel=0)}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    return generate(tmp_path_factory.mktemp("cohort"), formats=("pfile",), variants=600)


def test_every_score_below_the_overlap_is_an_error_that_says_how_far(cohort: Cohort, calculate: Calculate) -> None:
    with pytest.raises(errors.ZeroMatches) as raised:
        calculate(cohort, scorefiles=[cohort.scorefiles[NO_OVERLAP]])
    assert (raised.value.trace_name, raised.value.trace_exit) == (TRACE + "MATCH_COMBINE", 15)
    (report,) = raised.value.scores
    assert (report.id, report.status, report.match_rate) == (NO_OVERLAP, "failed", 0.4)
    assert "Only 40.0%" in report.reason


def test_zero_matches(tmp_path: Path, cohort: Cohort, calculate: Calculate) -> None:
    line = Line("rs1", "1", 5, "A", "C", 0.1)
    elsewhere = write_scorefile(tmp_path, "PGS000007", [line], build="GRCh38", harmonised=True)
    with pytest.raises(errors.ZeroMatches) as raised:
        calculate(cohort, scorefiles=[elsewhere])
    assert (raised.value.trace_name, raised.value.trace_exit) == (TRACE + "MATCH_COMBINE", 15)
    assert [(report.id, report.status) for report in raised.value.scores] == [("PGS000007", "failed")]


def test_a_malformed_scorefile_fails_the_calculation_and_every_score_is_told(
    tmp_path: Path, cohort: Cohort, calculate: Calculate
) -> None:
    line = Line("rs1", "21", 5, "A", "C", 0.1)
    broken = write_scorefile(tmp_path, "PGS000008", [line], build="GRCh38", harmonised=False)
    broken.write_bytes(gzip.compress(gzip.decompress(broken.read_bytes()).replace(b"0.1", b"heavy")))
    with pytest.raises(errors.ScorefileInvalid) as raised:
        calculate(cohort, scorefiles=[cohort.scorefiles[PLAIN], broken])
    assert raised.value.trace_name == TRACE + "FORMAT_SCOREFILES"
    assert [(report.id, report.status) for report in raised.value.scores] == [
        (PLAIN, "failed"),
        ("PGS000008", "failed"),
    ]
    assert "heavy" not in str(raised.value)


def test_a_missing_scorefile(tmp_path: Path, cohort: Cohort, calculate: Calculate) -> None:
    with pytest.raises(errors.ScorefileMissing) as raised:
        calculate(cohort, scorefiles=[cohort.scorefiles[PLAIN], tmp_path / "PGS000009_hmPOS_GRCh38.txt.gz"])
    assert (raised.value.trace_name, raised.value.trace_exit) == (TRACE + "FORMAT_SCOREFILES", 12)
    assert [report.id for report in raised.value.scores] == [PLAIN, "PGS000009"]


def unsupported_scorefile(folder: Path) -> Path:
    path = folder / "PGS000006.txt"
    columns = "rsID\tchr_name\tchr_position\teffect_allele\tother_allele\t"
    weights = "dosage_0_weight\tdosage_1_weight\tdosage_2_weight\n"
    path.write_text(
        "#pgs_id=PGS000006\n#trait_reported=x\n#genome_build=GRCh38\n"
        + columns
        + weights
        + "rs1\t21\t5\tA\tC\t0\t0.1\t0.5\n"
    )
    return path


def test_a_score_of_other_effect_types_is_reported_beside_the_others(
    tmp_path: Path, cohort: Cohort, calculate: Calculate
) -> None:
    outcome = calculate(cohort, scorefiles=[cohort.scorefiles[PLAIN], unsupported_scorefile(tmp_path)])
    plain, other = outcome.scores
    assert (plain.id, plain.status) == (PLAIN, "calculated")
    assert (other.id, other.status) == ("PGS000006", "failed")
    assert "neither additive, dominant nor recessive" in (other.reason or "")


def test_only_scores_of_other_effect_types(tmp_path: Path, cohort: Cohort, calculate: Calculate) -> None:
    with pytest.raises(errors.EffectTypeUnsupported):
        calculate(cohort, scorefiles=[unsupported_scorefile(tmp_path)])


def test_genomes_in_another_build_than_the_scorefiles(cohort: Cohort, calculate: Calculate) -> None:
    with pytest.raises(errors.BuildMismatch) as raised:
        calculate(cohort, build="GRCh37")
    assert raised.value.trace_exit == 17


def test_a_missing_genotype_file(cohort: Cohort, calculate: Calculate) -> None:
    cohort = Cohort(**{**vars(cohort), "files": {k: v for k, v in cohort.files.items() if k != "hg38_22.pgen"}})
    with pytest.raises(errors.GenomesMissing) as raised:
        calculate(cohort)
    assert raised.value.trace_exit == 19


def test_chromosomes_with_other_samples_are_refused(tmp_path: Path, calculate: Calculate) -> None:
    cohort = generate(tmp_path / "cohort", formats=("pfile",), variants=600, samples=60)
    psam = cohort.files["hg38_22.psam"]
    psam.write_text(psam.read_text().replace("SAMPLE0001", "OTHER"))
    with pytest.raises(errors.SamplesheetInvalid):
        calculate(cohort)


def test_a_stop_ends_it(cohort: Cohort, calculate: Calculate) -> None:
    stop = threading.Event()

    def at_match(phase: str, done: int, _total: int) -> None:
        if (phase, done) == ("match", 0):
            stop.set()

    with pytest.raises(errors.CalculationStopped):
        calculate(cohort, stop=stop, progress=at_match)


@pytest.mark.parametrize("what", ["scorefile", "variants"])
def test_a_bomb_is_refused_before_any_tool(tmp_path: Path, calculate: Calculate, what: str) -> None:
    """A line of 70 MiB, in 70 kB: a tool would read it to its end."""
    cohort = generate(tmp_path / "cohort", formats=("pfile",), split=False, samples=60, variants=60)
    bomb = tmp_path / "bomb"
    if what == "scorefile":
        score = gzip.decompress(cohort.scorefiles[PLAIN].read_bytes()).rstrip()
        bomb.write_bytes(gzip.compress(score) + gzip.compress(b"0" * 1024**2) * 70)
    else:
        bomb.write_bytes(gzip.compress(b"#CHROM\tPOS\tID\tREF\tALT\n1\t5\t.\tA\t") + gzip.compress(b"C" * 1024**2) * 70)
        cohort.files[cohort.genomes["pfile"][0]["variants"]] = bomb
    kind = errors.ScorefileInvalid if what == "scorefile" else errors.GenotypesInvalid
    with pytest.raises(kind, match="has a line of over") as refused:
        calculate(cohort, scorefiles=[bomb] if what == "scorefile" else [cohort.scorefiles[PLAIN]])
    assert {score.status for score in refused.value.scores} == {"failed"}
    tools = ("MATCH_VARIANTS", "MATCH_COMBINE", *(["FORMAT_SCOREFILES"] if what == "scorefile" else []))
    assert not [log for log in tools if (tmp_path / "work" / "calculation" / f"{log}.log").exists()]
