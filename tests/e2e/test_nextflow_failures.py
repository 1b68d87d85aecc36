"""Each kind of failure provoked for real: the right code, the right process, the right exit (issue of the engine)."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from genoferry.contracts.pipeline import PipelineParam
from genoferry.errors import CalculationError
from genoferry.pgsc.inputs import Inputs
from genoferry.pgsc.nextflow.engine import Calculation, run
from genoferry.pgsc.nextflow.layout import Places
from genoferry.settings import NextflowSettings
from genoferry.testing.cohort import Cohort, generate

CORE = "PGSCATALOG_PGSCCALC:PGSCCALC"
COMBINE = f"{CORE}:MATCH:MATCH_COMBINE"
FORMAT = f"{CORE}:INPUT_CHECK:FORMAT_SCOREFILES"
HOLDER = """
import fcntl, sys, time
file = open(sys.argv[1], "r+b")
fcntl.lockf(file, fcntl.LOCK_EX)
print(flush=True)
time.sleep(600)
"""
FILL = 'said=$(head -c 200M /dev/zero 2>&1 >filler) || { rm filler; echo "$said" >&2; exit 1; }'


@dataclass
class Site:
    """The engine alone, over one cohort that all tests share; `out` and workspace are the test's."""

    settings: NextflowSettings
    cohort: Cohort
    folder: Path
    config: list[str] = field(default_factory=list)

    def provoke(self, **params: Any) -> None:
        """In the way of a site configuration of the pipeline's."""
        self.config += [f"params.{name} = {value!r}" for name, value in params.items()]

    def calculation(self, workspace: Path, *, scores: Any = None, **params: Any) -> Calculation:
        (self.folder / "nfcore_custom.config").write_text("\n".join([*self.config, ""]))
        nxf = {"pgs_id": "PGS000001", "target_build": "GRCh38", **params}
        rows = list(self.cohort.genomes["pfile"])
        pipeline = PipelineParam.model_validate({"id": "INTP1", "target_genomes": rows, "nxf_params_file": nxf})
        scorefiles = [self.cohort.scorefiles[name] for name in scores or self.cohort.scorefiles]
        inputs = Inputs(
            "INTP1", pipeline.target_genomes, self.cohort.files, scorefiles, pipeline.nxf_params_file.target_build
        )
        workspace.mkdir(parents=True, exist_ok=True)
        return Calculation(inputs, pipeline, self.settings, Places(workspace, 1))

    def fails(self, calculation: Calculation) -> CalculationError:
        out = self.folder / "out"
        out.mkdir()
        with pytest.raises(CalculationError) as caught:
            run(calculation, out=out, progress=lambda _: None, stop=threading.Event())
        assert list(out.iterdir()) == [], "nothing to publish"
        error = caught.value
        assert {score.status for score in error.scores} == {"failed"}, "each score asked for is told of"
        return error


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    return generate(tmp_path_factory.mktemp("cohort"), formats=("pfile",))


@pytest.fixture
def site(cohort: Cohort, tmp_path: Path, nextflow: Path, pipeline: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    settings = NextflowSettings(
        command=str(nextflow),
        pipeline=str(pipeline),
        custom_config_base=str(tmp_path),
        max_memory="4 GB",
        max_cpus=2,
        max_retries=1,
        poll_seconds=0.5,
    )
    return Site(settings, cohort, tmp_path)


def succeeds(calculation: Calculation, out: Path) -> list[str]:
    """The statuses of its scores."""
    out.mkdir()
    outcome = run(calculation, out=out, progress=lambda _: None, stop=threading.Event())
    return [score.status for score in outcome.scores]


def told(error: CalculationError) -> tuple[str, str | None, int | None]:
    return error.code, error.trace_name, error.trace_exit


def test_a_process_that_exits_42(site: Site) -> None:
    site.provoke(provoke_process="MATCH_COMBINE", provoke_exit=42)
    error = site.fails(site.calculation(site.folder / "gw"))
    assert told(error) == ("tool-failed", COMBINE, 42)
    assert error.log_tail[-1] == "provoked: exit 42"


def test_a_process_killed_for_its_memory_on_every_try(site: Site) -> None:
    site.provoke(provoke_process="MATCH_COMBINE", provoke_command="kill -KILL $$")
    error = site.fails(site.calculation(site.folder / "gw"))
    assert told(error) == ("out-of-memory", COMBINE, 137)


def test_a_process_killed_for_its_memory_once_is_tried_again(site: Site) -> None:
    site.provoke(provoke_process="MATCH_COMBINE", provoke_command="kill -KILL $$", provoke_attempts=1)
    calculation = site.calculation(site.folder / "gw", scores=["PGS000001"])
    assert succeeds(calculation, site.folder / "out") == ["calculated"]


def test_a_session_lock_that_nobody_here_holds_does_not_stop_the_next_attempt(site: Site, tmp_path: Path) -> None:
    """As a network disk has one that didn't hear of its node's death."""
    site.provoke(provoke_process="SCORE_AGGREGATE", provoke_exit=42)
    first = site.calculation(site.folder / "gw", scores=["PGS000001"])
    site.fails(first)
    (lock,) = first.places.launch.glob(".nextflow/cache/*/db/LOCK")
    site.config.clear()
    second = replace(site.calculation(site.folder / "gw", scores=["PGS000001"]), places=Places(site.folder / "gw", 2))
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(lock)], cwd=tmp_path, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert succeeds(second, tmp_path / "second") == ["calculated"]
        holder.kill()
    trace = second.places.trace.read_text().splitlines()
    assert [line for line in trace if COMBINE in line and "\tCACHED\t" in line], "it went on from the same session"


def test_a_memory_ceiling_that_is_too_small_for_plink2(site: Site) -> None:
    site.settings = site.settings.model_copy(update={"max_memory": "64 MB"})
    error = site.fails(site.calculation(site.folder / "gw"))
    assert told(error) == ("memory-ceiling", f"{CORE}:MAKE_COMPATIBLE:PLINK2_RELABELPVAR", 8)


def test_a_process_that_asks_for_more_than_the_machine_has(site: Site) -> None:
    site.config.append("process { withName: 'MATCH_COMBINE' { memory = '900000.GB' } }")
    error = site.fails(site.calculation(site.folder / "gw"))
    assert (error.code, error.trace_name) == ("memory-ceiling", COMBINE)


def test_scorefiles_of_another_build(site: Site) -> None:
    error = site.fails(site.calculation(site.folder / "gw", target_build="GRCh37"))
    assert told(error) == ("genome-build-mismatch", FORMAT, 1)


def test_scorefiles_of_no_build_that_there_is(site: Site, tmp_path: Path) -> None:
    odd = tmp_path / "odd.txt"
    odd.write_text(
        "###PGS CATALOG SCORING FILE\n#format_version=2.0\n#pgs_id=PGS000009\n#pgs_name=odd\n"
        "#trait_reported=odd\n#genome_build=NR\n"
        "chr_name\tchr_position\teffect_allele\tother_allele\teffect_weight\n22\t1000\tA\tC\t0.5\n"
    )
    calculation = site.calculation(site.folder / "gw")
    inputs = replace(calculation.inputs, scorefiles=[odd])
    error = site.fails(replace(calculation, inputs=inputs))
    assert (error.code, error.trace_name) == ("genome-build-mismatch", FORMAT)
    assert error.trace_exit


def test_zero_matches(site: Site) -> None:
    error = site.fails(site.calculation(site.folder / "gw", scores=["PGS000004"]))
    assert told(error) == ("zero-matches", COMBINE, 15)


def test_a_full_disk(site: Site, small_disk: Path) -> None:
    site.provoke(provoke_process="MATCH_COMBINE", provoke_command=FILL)
    error = site.fails(site.calculation(small_disk / "gw"))
    assert told(error) == ("disk-full", COMBINE, 1)


def test_a_score_that_cannot_be_downloaded(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.settings = site.settings.model_copy(update={"offline": False})
    site.config.append("env.https_proxy = 'http://127.0.0.1:9'\nenv.HTTPS_PROXY = 'http://127.0.0.1:9'")
    calculation = site.calculation(site.folder / "gw")
    error = site.fails(replace(calculation, inputs=replace(calculation.inputs, scorefiles=[])))
    assert (error.code, error.trace_name) == ("catalog-query-failed", f"{CORE}:DOWNLOAD_SCOREFILES")
    assert error.trace_exit == 11


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"profile": ("no-such-profile",)}, "pipeline-config"),
        ({"pipeline": "/no/such/folder"}, "pipeline-missing"),
        ({"pipeline": "genoferry/no-such-pipeline"}, "pipeline-missing"),
        ({"plugins": ("nf-no-such@1.0.0",)}, "pipeline-missing"),
        ({"command": "no-such-launcher"}, "nextflow-missing"),
    ],
)
def test_what_no_process_is_to_blame_for(site: Site, change: dict[str, Any], code: str) -> None:
    site.settings = site.settings.model_copy(update=change)
    error = site.fails(site.calculation(site.folder / "gw"))
    assert told(error) == (code, None, None)
