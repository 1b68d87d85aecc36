"""The main job by real Nextflow: `genoferry worker` with GENOFERRY_ENGINE=nextflow and the local runner."""

from __future__ import annotations

import csv
import gzip
import io
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from genoferry.contracts.pipeline import TargetGenome
from genoferry.pgsc import engine as embedded
from genoferry.pgsc.inputs import Inputs
from genoferry.pgsc.outputs import read_aggregated
from genoferry.testing.cohort import Cohort, generate
from genoferry.testing.harness import Harness
from genoferry.testing.requests import encrypted
from genoferry.testing.waiting import wait_until

STEPS = {
    "FORMAT_SCOREFILES", "PLINK2_RELABELPVAR", "MATCH_VARIANTS", "MATCH_COMBINE", "PLINK2_SCORE", "SCORE_AGGREGATE",
    "SCORE_REPORT", "DUMPSOFTWAREVERSIONS",
}  # fmt: skip
SECONDS = 300


class Site:
    """A deployment with the Nextflow engine, and what a test of it looks at."""

    def __init__(self, harness: Harness, cohort: Cohort, folder: Path) -> None:
        self.harness, self.cohort, self.folder = harness, cohort, folder

    def configure(self, **params: str) -> None:
        """A site configuration of the pipeline's own kind: `params` sets its hooks."""
        lines = [f"params.{name} = {value!r}" for name, value in params.items()]
        (self.folder / "nfcore_custom.config").write_text("\n".join([*lines, ""]))

    def send(self, **params: Any) -> str:
        folder = self.folder / "request"
        return self.harness.send(encrypted(self.cohort, folder, **params))

    @property
    def workspace(self) -> Path:
        (found,) = self.harness.local_dir.glob("gw-*")
        return found

    def trace(self, attempt: int) -> list[dict[str, str]]:
        path = self.workspace / f"attempt-{attempt}" / "trace.txt"
        return list(csv.DictReader(io.StringIO(path.read_text()), delimiter="\t")) if path.exists() else []

    def head(self) -> psutil.Process:
        """Nextflow's process."""
        launch = self.workspace / "launch"
        (found,) = [p for p in psutil.process_iter(["cwd", "name"]) if p.info["cwd"] == str(launch)]
        return found

    def sums(self, uuid: str) -> dict[str, dict[str, float]]:
        result = self.harness.inbox.await_event(uuid, "Result")
        (path,) = [item["body"] for item in result["results"] if "aggregated_scores" in item["body"]]
        key = path.removeprefix(f"s3://{self.harness.bucket('results')}/")
        text = gzip.decompress(self.harness.content("results", key)).decode()
        found: dict[str, dict[str, float]] = {}
        for row in csv.DictReader(io.StringIO(text), delimiter="\t"):
            found.setdefault(row["PGS"].split("_")[0], {})[row["IID"]] = float(row["SUM"])
        return found


@pytest.fixture
def site(deployment: Any, tmp_path: Path, nextflow: Path, pipeline: Path) -> Iterator[Site]:
    folder = tmp_path / "site"
    folder.mkdir()
    with deployment(tmp_path) as harness:
        harness.environment |= {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "GENOFERRY_ENGINE": "nextflow",
            "GENOFERRY_NEXTFLOW_COMMAND": str(nextflow),
            "GENOFERRY_NEXTFLOW_PIPELINE": str(pipeline),
            "GENOFERRY_NEXTFLOW_CUSTOM_CONFIG_BASE": str(folder),
            "GENOFERRY_NEXTFLOW_MAX_MEMORY": "4 GB",
            "GENOFERRY_NEXTFLOW_MAX_CPUS": "2",
            "GENOFERRY_NEXTFLOW_POLL_SECONDS": "0.5",
        }
        site = Site(harness, generate(tmp_path / "cohort", formats=("pfile",)), folder)
        site.configure()
        yield site


def check_scores(site: Site, uuid: str) -> None:
    found = site.sums(uuid)
    expected = {pgs_id: score.sums for pgs_id, score in site.cohort.expected.items() if score.sums is not None}
    assert found.keys() == expected.keys()
    for pgs_id, sums in expected.items():
        assert found[pgs_id] == pytest.approx(sums, abs=1e-5)


def by_the_embedded_engine(cohort: Cohort, folder: Path) -> dict[str, dict[str, float]]:
    rows = [TargetGenome(**row) for row in cohort.genomes["pfile"]]
    inputs = Inputs("INTP1", rows, cohort.files, list(cohort.scorefiles.values()), cohort.build)
    embedded.run(inputs, work=folder / "work", out=folder, progress=lambda *_: None, stop=threading.Event())
    return read_aggregated(folder / "aggregated_scores.txt.gz")


def test_encrypted_genomes_in_scores_out(site: Site, tmp_path: Path) -> None:
    assert site.harness.inbox.drain() == []
    uuid = site.send()
    site.harness.worker()
    row = site.harness.await_done(uuid, seconds=SECONDS)
    assert row.state == "SUCCEEDED", (row.error, row.log_tail)
    check_scores(site, uuid)
    for pgs_id, sums in by_the_embedded_engine(site.cohort, tmp_path / "embedded").items():
        assert site.sums(uuid)[pgs_id] == pytest.approx(sums, abs=1e-5)
    assert site.harness.inbox.names(uuid) == ["Requested", "Created", "Deployed", "Succeeded", "Result"]
    told = [e["progress"] for e in site.harness.inbox.messages(uuid) if e["event"] == "Progress"]
    by_pipeline = [progress for progress in told if "steps" in progress]
    assert {step["name"] for progress in by_pipeline for step in progress["steps"]} == STEPS
    assert {progress["phase"] for progress in by_pipeline} & STEPS, "each is told of under the step that runs"
    last = by_pipeline[-1]
    assert last["cpu_hours"] > 0
    assert any(step.get("peak_memory") for step in last["steps"])
    outputs = {item["body"].rpartition("/")[2] for item in site.harness.inbox.await_event(uuid, "Result")["results"]}
    assert {"aggregated_scores.txt.gz", "report.json", "report.html", "pgsc_calc_report.html"} <= outputs
    assert site.harness.job_folders() == [], "neither scratch nor workspace is left"
    assert [key for key in site.harness.keys("work", uuid) if "/1/" in key] == [f"{uuid}/1/job.json"]


def kill_the_head(head: psutil.Process) -> None:
    head.kill()


def kill_the_job(head: psutil.Process) -> None:
    head.parent().kill()


def ask_the_job_to_end(head: psutil.Process) -> None:
    """As a machine does that is shut down."""
    head.parent().terminate()


@pytest.mark.parametrize("end", [kill_the_head, kill_the_job, ask_the_job_to_end])
def test_after_a_kill_the_next_attempt_goes_on_and_runs_no_finished_process_again(
    site: Site, end: Callable[[psutil.Process], None]
) -> None:
    gate = site.folder / "gate"
    waiting = Path(f"{gate}.waiting")
    site.configure(provoke_process="SCORE_AGGREGATE", provoke_gate=str(gate))
    uuid = site.send()
    site.harness.worker()
    wait_until(waiting.exists, what="the first attempt to come halfway", seconds=SECONDS)
    head = site.head()
    finished = {row["name"] for row in site.trace(1) if row["status"] == "COMPLETED"}
    assert any("MATCH_COMBINE" in name for name in finished)
    waiting.unlink()
    end(head)
    wait_until(waiting.exists, what="the second attempt to come as far", seconds=SECONDS)
    status = {row["name"]: row["status"] for row in site.trace(2)}
    stored = {name for name in finished if "PLINK2_RELABELPVAR" in name}  # kept by pgsc_calc itself, and in no trace
    assert {name: status.get(name) for name in finished - stored} == dict.fromkeys(finished - stored, "CACHED")
    assert not stored & status.keys()
    gate.touch()
    row = site.harness.await_done(uuid, seconds=SECONDS)
    assert (row.state, row.attempt) == ("SUCCEEDED", 2), (row.error, row.log_tail)
    check_scores(site, uuid)
    assert site.harness.job_folders() == []


def test_a_failed_process_is_told_of_and_its_last_lines_are_in_the_ledger_alone(site: Site) -> None:
    site.configure(provoke_process="MATCH_COMBINE", provoke_exit="42")
    uuid = site.send()
    site.harness.worker()
    row = site.harness.await_done(uuid, seconds=SECONDS)
    failed = site.harness.inbox.await_event(uuid, "Failed")
    assert failed["trace_name"] == "PGSCATALOG_PGSCCALC:PGSCCALC:MATCH:MATCH_COMBINE"
    assert (failed["trace_exit"], failed["error"]["code"]) == (42, "tool-failed")
    assert row.log_tail[-1] == "provoked: exit 42"
    assert "provoked" not in str(failed)
    assert site.harness.job_folders() == []


def test_a_cancelled_job_leaves_no_process_and_no_workspace(site: Site) -> None:
    gate = site.folder / "gate"
    site.configure(provoke_process="MATCH_COMBINE", provoke_gate=str(gate))
    uuid = site.send()
    site.harness.worker()
    wait_until(Path(f"{gate}.waiting").exists, what="the job to come halfway", seconds=SECONDS)
    workspace = site.workspace
    site.harness.send({"name": "CancelJob", "target": uuid})
    row = site.harness.await_done(uuid, seconds=SECONDS)
    assert row.state == "CANCELLED"
    assert site.harness.job_folders() == []
    assert not [p for p in psutil.process_iter(["cwd"]) if (p.info["cwd"] or "").startswith(str(workspace))]
