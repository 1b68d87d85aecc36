"""The pipeline that stands in for pgsc_calc, by real Nextflow: scores, output layout, and what a second run re-does."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from genoferry.pgsc.outputs import read_aggregated
from genoferry.testing.cohort import Cohort, generate

UNCACHED = {"DUMPSOFTWAREVERSIONS"}
"""pgsc_calc never takes it from the cache."""

STEPS = ["FORMAT_SCOREFILES", "MATCH_VARIANTS", "MATCH_COMBINE", "PLINK2_SCORE", "SCORE_AGGREGATE", "SCORE_REPORT"]
"""Every process but those of the genomes, which are kept in a folder (`storeDir`) and not in the cache."""


@dataclass(frozen=True)
class Head:
    """Runs the pipeline in one folder, always by the same command line: SCORE_REPORT's script repeats it."""

    nextflow: Path
    pipeline: Path
    folder: Path

    def run(self, params: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        (self.folder / "params.json").write_text(json.dumps(params))
        command = [str(self.nextflow), "run", str(self.pipeline), "-resume"]
        command += ["-params-file", "params.json", "-work-dir", "work"]
        own = {"NXF_OFFLINE": "true", "NXF_ANSI_LOG": "false", "NXF_HOME": str(self.folder / "home")}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, **own, "PATH": path}
        return subprocess.run(command, check=False, cwd=self.folder, env=environment, capture_output=True, text=True)

    def succeed(self, params: dict[str, Any]) -> str:
        done = self.run(params)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def head(nextflow: Path, pipeline: Path, tmp_path: Path) -> Head:
    return Head(nextflow, pipeline, tmp_path)


def write_json(folder: Path, cohort: Cohort, form: str) -> Path:
    parts = ("geno", "variants", "pheno")
    rows = [{**row, **{part: str(cohort.files[row[part]]) for part in parts}} for row in cohort.genomes[form]]
    path = folder / "samplesheet.json"
    path.write_text(json.dumps(rows))
    return path


def write_csv(folder: Path, cohort: Cohort, form: str) -> Path:
    path = folder / "samplesheet.csv"
    lines = ["sampleset,path_prefix,chrom,format"]
    for row in cohort.genomes[form]:
        geno = cohort.files[row["geno"]]
        prefix = geno.with_name(geno.name.split(".")[0]).relative_to(folder)
        lines.append(f"{row['sampleset']},{prefix},{row['chrom'] or ''},{form}")
    path.write_text("\n".join([*lines, ""]))
    return path


SHEETS = {"json": write_json, "csv": write_csv}


def prepare(folder: Path, form: str, sheet: str, *, split: bool, build: str) -> tuple[Cohort, dict[str, Any]]:
    """A cohort in `folder`, and the parameters of its run but for `outdir`."""
    cohort = generate(folder / "cohort", formats=(form,), split=split, build=build)
    return cohort, {
        "input": str(SHEETS[sheet](folder, cohort, form)),
        "format": sheet,
        "target_build": build,
        "scorefile": [str(path) for path in cohort.scorefiles.values()],
    }


def trace_of(outdir: Path) -> list[tuple[str, str, str]]:
    """Process, status and exit of each task of the run that wrote `outdir`."""
    (path,) = (outdir / "pipeline_info").glob("execution_trace_*.txt")
    with path.open(newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t")
        return [(row["name"].split(" ")[0].split(":")[-1], row["status"], row["exit"]) for row in rows]


def by_status(outdir: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for process, status, _ in trace_of(outdir):
        found.setdefault(status, set()).add(process)
    return found


def assert_scores(cohort: Cohort, outdir: Path) -> None:
    sums = read_aggregated(outdir / cohort.sampleset / "score" / "aggregated_scores.txt.gz")
    expected = {pgs_id: score.sums for pgs_id, score in cohort.expected.items() if score.sums}
    assert sums.keys() == expected.keys()
    for pgs_id, truth in expected.items():
        assert sums[pgs_id] == pytest.approx(truth, abs=1e-5, rel=0)


def assert_layout(cohort: Cohort, outdir: Path) -> None:
    found = {path.name for path in (outdir / cohort.sampleset).rglob("*") if path.is_file()}
    assert {"aggregated_scores.txt.gz", "report.html"} <= found
    assert {f"{cohort.sampleset}_summary.csv", f"{cohort.sampleset}_log.csv.gz", "versions.yml"} <= found
    assert (outdir / cohort.sampleset / "match").is_dir()
    report = (outdir / cohort.sampleset / "score" / "report.html").read_text()
    assert all(pgs_id in report for pgs_id in cohort.expected)
    versions = yaml.safe_load((outdir / "pipeline_info" / "software_versions.yml").read_text())
    assert versions["Workflow"]["Nextflow"] == "24.10.0"
    assert {"plink2"} == versions["PLINK2_SCORE"].keys()


@pytest.mark.parametrize(
    ("form", "sheet", "split", "build"), [("bfile", "csv", True, "GRCh38"), ("vcf", "json", False, "GRCh37")]
)
def test_scores_and_layout(head: Head, tmp_path: Path, *, form: str, sheet: str, split: bool, build: str) -> None:
    cohort, params = prepare(tmp_path, form, sheet, split=split, build=build)
    outdir = tmp_path / "results"
    head.succeed({**params, "outdir": str(outdir)})
    assert_scores(cohort, outdir)
    assert_layout(cohort, outdir)
    assert {status for _, status, _ in trace_of(outdir)} == {"COMPLETED"}


def test_a_run_does_only_what_is_left(head: Head, tmp_path: Path) -> None:
    """A failure that a hook provokes, then only the scores, then all, then nothing new: each in its own outdir."""
    cohort, params = prepare(tmp_path, "pfile", "json", split=True, build="GRCh38")
    failed, scored, full, again = (tmp_path / name for name in ("failed", "scored", "full", "again"))

    provoked = {"provoke_process": "MATCH_COMBINE", "provoke_exit": 42}
    assert head.run({**params, **provoked, "outdir": str(failed)}).returncode != 0
    assert [(p, code) for p, status, code in trace_of(failed) if status == "FAILED"] == [("MATCH_COMBINE", "42")]

    head.succeed({**params, "only_score": True, "outdir": str(scored)})
    assert by_status(scored) == {
        "CACHED": {"FORMAT_SCOREFILES", "MATCH_VARIANTS"},
        "COMPLETED": {"MATCH_COMBINE", "PLINK2_SCORE", "SCORE_AGGREGATE"} | UNCACHED,
    }
    assert not (scored / cohort.sampleset / "score").exists()

    head.succeed({**params, "outdir": str(full)})
    assert by_status(full) == {"CACHED": set(STEPS[:-1]), "COMPLETED": {"SCORE_REPORT"} | UNCACHED}
    assert_scores(cohort, full)
    assert_layout(cohort, full)

    said = head.succeed({**params, "outdir": str(again)})
    assert by_status(again) == {"CACHED": set(STEPS), "COMPLETED": UNCACHED}
    assert said.count("Stored process > PGSCATALOG_PGSCCALC:PGSCCALC:MAKE_COMPATIBLE:PLINK2_RELABELPVAR") == 2
    assert_scores(cohort, again)


def test_ancestry_is_refused(head: Head, tmp_path: Path) -> None:
    done = head.run({"input": "samplesheet.csv", "run_ancestry": "panel.tar.zst", "outdir": str(tmp_path / "results")})
    assert done.returncode != 0
    assert "no ancestry branch" in done.stdout
