"""What the Nextflow engine does with scorefiles before pgsc_calc starts, and after it found too few matches."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from genoferry.contracts.pipeline import PipelineParam
from genoferry.errors import CalculationError, OverlapTooLow, ScorefileInvalid, ZeroMatches
from genoferry.pgsc.inputs import Inputs
from genoferry.pgsc.nextflow import engine
from genoferry.pgsc.nextflow.engine import Calculation
from genoferry.pgsc.nextflow.input_links import stock
from genoferry.pgsc.nextflow.layout import Places
from genoferry.settings import NextflowSettings

HEAD = "#pgs_id=PGS000001\n#trait_reported={trait}\n#genome_build=GRCh38\n"
COLUMNS = "chr_name\tchr_position\teffect_allele\tother_allele\teffect_weight\n"
ROWS = "".join(f"1\t{number}\tA\tG\t0.1\n" for number in range(1, 9))


def calculation(folder: Path, rows: str = ROWS, trait: str = "t") -> Calculation:
    score = folder / "score.txt"
    score.write_text(HEAD.format(trait=trait) + COLUMNS + rows)
    for name in ("g.pgen", "v.pvar", "s.psam"):
        (folder / name).write_text("")
    target = {"sampleset": "c", "chrom": None, "format": "pfile"}
    target |= {"geno": "g.pgen", "variants": "v.pvar", "pheno": "s.psam"}
    params = {"pgs_id": "PGS000002", "target_build": "GRCh38"}
    pipeline = PipelineParam.model_validate({"id": "R", "target_genomes": [target], "nxf_params_file": params})
    files = {path.name: path for path in folder.iterdir()}
    workspace = folder / "workspace"
    workspace.mkdir(exist_ok=True)
    inputs = Inputs("R", pipeline.target_genomes, files, [score], "GRCh38")
    return Calculation(inputs, pipeline, NextflowSettings(), Places(workspace, 1))


@pytest.mark.parametrize("weight", ["nan", "inf", "1e400", "1e308", "1_000", ""])
def test_a_wrong_weight_ends_it_before_anything(tmp_path: Path, weight: str) -> None:
    job = calculation(tmp_path, f"{ROWS}1\t99\tA\tG\t{weight}\n")
    with pytest.raises(ScorefileInvalid, match="line 13, column effect_weight") as raised:
        engine.run(job, out=tmp_path / "out", progress=lambda _: None, stop=threading.Event())
    assert (raised.value.trace_name, raised.value.trace_exit) == (None, None)
    assert list(job.places.workspace.iterdir()) == []


def test_equals_signs_in_the_header_are_mended(tmp_path: Path) -> None:
    job = calculation(tmp_path, trait="BMI>=30")
    times = set()
    for _ in range(2):  # another attempt finds the same file
        stock(job.pipeline, job.inputs.files, engine._readable(job), job.places)
        (stored,) = job.places.scores.iterdir()
        times.add((stored.stat().st_mtime_ns, stored.stat().st_ino))
    assert stored.name == "score_0.txt.gz"
    assert len(times) == 1
    (score,) = engine.read_scorefiles([stored], "GRCh38")
    assert score.trait == "BMI>:30"


def test_a_plain_scorefile_is_stocked_as_it_is(tmp_path: Path) -> None:
    job = calculation(tmp_path)
    assert engine._readable(job) == [tmp_path / "score.txt"]


@pytest.mark.parametrize(
    ("rows", "error", "kind"),
    [
        (ROWS * 2, ZeroMatches(), ScorefileInvalid),
        (ROWS + ROWS[: len(ROWS) // 2], ZeroMatches(), ScorefileInvalid),
        (ROWS, ZeroMatches(), None),
        (ROWS + ROWS.splitlines(keepends=True)[0], ZeroMatches(), None),
        (ROWS * 2, OverlapTooLow(), None),
    ],
    ids=["all", "half", "none", "one", "another error"],
)
def test_zero_matches_for_repeated_rows(
    tmp_path: Path, rows: str, error: CalculationError, kind: type[CalculationError] | None
) -> None:
    found = engine._repeated(calculation(tmp_path, rows), error, threading.Event())
    assert (None if found is None else type(found)) == kind
    assert kind is None or "Keep one row for each variant" in str(found)
