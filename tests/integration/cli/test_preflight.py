"""`genoferry preflight`: the demo's requests, and each kind of failure, from files that are really encrypted."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import zstandard

from genoferry.testing.cohort import generate
from genoferry.testing.crypt4gh_writer import encrypt, new_key
from genoferry.testing.https_source import Data, Fault, HttpsSource

PAYLOADS = Path(__file__).parents[3] / "payloads"
HEAVY = ("numpy", "polars", "pandas", "pgenlib")


def test_the_demos_request_by_ids_from_a_collection_and_a_key_service(run) -> None:
    done = run("preflight", str(PAYLOADS / "calculate_scores.json"), "--json")
    assert done.returncode == 0, done.stderr
    known = json.loads(done.stdout)
    assert (known["ok"], known["code"], known["samples"]) == (True, None, 200)
    assert {score["id"]: score["rate"] for score in known["scores"]}["PGS000004"] == 0.4
    assert [finding["code"] for finding in known["findings"] if finding["status"] == "doubtful"] == ["overlap-too-low"]


def test_a_request_from_a_bucket_with_scorefiles_of_its_own(run) -> None:
    text = (PAYLOADS / "calculate_scores_s3.json").read_text()
    done = run("preflight", "-", stdin=text)
    assert done.returncode == 0, done.stderr
    assert "SCORE\tVARIANTS\tLOOKED AT\tFOUND\tEXPECTED\tBETWEEN" in done.stdout
    assert "PGS000001" in done.stdout
    assert "\tfail\t" not in done.stdout


def test_what_no_pre_flight_is_for(run) -> None:
    assert run("preflight", str(PAYLOADS / "cancel_job.json")).returncode == 3
    assert run("preflight", "-", stdin="{").returncode == 3


@dataclass(frozen=True)
class Site:
    """A folder of encrypted files, their key, a mirror of scores, and the settings that allow them."""

    folder: Path
    plain: Mapping[str, bytes]
    rows: tuple[Mapping[str, Any], ...]
    secret: bytes
    public: bytes

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
        stored, mirror = str(self.folder / "stored"), str(self.folder / "cohort" / "scores")
        return {
            **kept,
            "GENOFERRY_ALLOW_FILE_ROOTS": f"{stored},{mirror}",
            "GENOFERRY_ALLOW_KEY_ROOTS": str(self.folder / "keys"),
            "GENOFERRY_SCORE_MIRROR": mirror,
        }

    def request(self, changed: Mapping[str, bytes], **params: Any) -> dict[str, Any]:
        stored = self.folder / "stored"
        stored.mkdir(exist_ok=True)
        files = []
        for name, content in {**self.plain, **changed}.items():
            sealed = encrypt(content, [self.public])
            (stored / f"{name}.c4gh").write_bytes(sealed)
            files.append({"path": f"{name}.c4gh", "size": len(sealed)})
        params = {"pgs_id": "PGS000001,PGS000005", "target_build": "GRCh38", **params}
        pipeline = {"id": "RUN1", "target_genomes": self.rows, "nxf_params_file": params}
        body = {"name": "CalculateScores", "pipeline_param": pipeline}
        body["source"] = {"type": "file", "root": str(stored), "files": files}
        body["key"] = {"type": "file", "path": str(self.folder / "keys" / "me")}
        return {"uuid": "0b6a3a0e-6f0a-4a53-9e7e-0d4a6f6a0a11", "experimentId": "e", "body": body}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    cohort = generate(tmp_path / "cohort", formats=("pfile",), variants=2000)
    secret, public = new_key()
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "me").write_bytes(secret)
    plain = {name: path.read_bytes() for name, path in cohort.files.items()}
    return Site(tmp_path, plain, cohort.target_genomes, secret, public)


Ask = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def ask(site: Site) -> Ask:
    def ask(
        *options: str,
        changed: Mapping[str, bytes] | None = None,
        environment: Mapping[str, str] | None = None,
        at: Site = site,
        **params: Any,
    ) -> Any:
        text = json.dumps(at.request(changed or {}, **params))
        command = [sys.executable, "-m", "genoferry", "preflight", "-", *options]
        known = {name: value for name, value in {**site.environment, **(environment or {})}.items() if value}
        return subprocess.run(command, env=known, input=text, capture_output=True, text=True, check=False)

    return ask


def renamed(site: Site, pattern: str, to: Callable[[re.Match[str]], str] | str) -> dict[str, bytes]:
    """The variant files with something changed in each line."""
    texts = {n: zstandard.decompress(c).decode() for n, c in site.plain.items() if n.endswith(".pvar.zst")}
    return {n: zstandard.compress(re.sub(pattern, to, t, flags=re.M).encode()) for n, t in texts.items()}


def test_wrong_chromosome_names(site: Site, ask: Ask) -> None:
    done = ask(changed=renamed(site, r"^2[12]\t", "NC_0000\\g<0>"))
    assert done.returncode == 1
    assert "chromosomes\tfail\t" in done.stdout
    assert "[chromosome-mismatch]" in done.stderr


def test_a_wrong_build(site: Site, ask: Ask) -> None:
    done = ask(changed=renamed(site, r"^(2[12])\t(\d+)", lambda m: f"{m[1]}\t{int(m[2]) + 1_021_037}"))
    assert done.returncode == 1
    assert "[genome-build-mismatch]" in done.stderr


def test_an_overlap_under_the_minimum(ask: Ask) -> None:
    done = ask("--json", pgs_id="PGS000004")
    assert done.returncode == 1
    assert "[overlap-too-low]" in done.stderr
    known = json.loads(done.stdout)
    assert (known["ok"], known["code"]) == (False, "overlap-too-low")
    assert known["scores"][0]["rate"] == 0.4


def test_a_missing_score(ask: Ask) -> None:
    done = ask(pgs_id="PGS000001,PGS999999")
    assert done.returncode == 1
    assert "[scorefile-missing]" in done.stderr
    assert "PGS999999" in done.stderr


NO_MIRROR = {"GENOFERRY_SCORE_MIRROR": ""}
NEXTFLOW = {"GENOFERRY_ENGINE": "nextflow"}


def test_ids_where_there_is_no_mirror(ask: Ask) -> None:
    for environment in (NO_MIRROR, {**NO_MIRROR, **NEXTFLOW}):
        done = ask(environment=environment)
        assert done.returncode == 1
        assert "[scorefile-missing]" in done.stderr
    online = {**NO_MIRROR, **NEXTFLOW, "GENOFERRY_NEXTFLOW_OFFLINE": "false"}
    assert ask(environment=online).returncode == 0


@pytest.mark.parametrize("asked", [{"trait_efo": "EFO_0000305"}, {"liftover": True}, {"run_ancestry": True}])
def test_what_the_deployment_does_not_offer(ask: Ask, asked: dict[str, Any]) -> None:
    done = ask(**asked)
    assert done.returncode == 3
    assert "[not-offered]" in done.stderr
    assert "CHECK" not in done.stdout


def test_names_that_the_engine_does_not_take(site: Site, ask: Ask) -> None:
    rows = tuple({**row, "variants": row["variants"].replace(".zst", ".gz")} for row in site.rows)
    plain = {name.replace(".pvar.zst", ".pvar.gz"): content for name, content in site.plain.items()}
    gzipped = replace(site, rows=rows, plain=plain)
    assert ask(at=gzipped).returncode == 0
    done = ask(at=gzipped, environment=NEXTFLOW)
    assert done.returncode == 1
    assert "[samplesheet-invalid]" in done.stderr


def test_a_source_that_is_not_allowed_and_a_file_that_is_not_as_stated(site: Site) -> None:
    request = site.request({})
    command = [sys.executable, "-m", "genoferry", "preflight", "-"]

    def said(**environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, env={**site.environment, **environment}, input=json.dumps(request), capture_output=True, text=True,
            check=False,
        )  # fmt: skip

    assert "[source-not-allowed]" in said(GENOFERRY_ALLOW_FILE_ROOTS="/nowhere").stderr
    request["body"]["source"]["files"][0]["size"] += 1
    assert "[size-mismatch]" in said().stderr


def test_nothing_is_written_and_nothing_heavy_imported(site: Site) -> None:
    request = site.folder / "request.json"
    request.write_text(json.dumps(site.request({})))
    before = {path: path.stat().st_mtime_ns for path in site.folder.rglob("*")}
    code = (
        "import sys; from genoferry.cli.preflight import look;"
        f"v = look(open({str(request)!r}).read()); print(v.failure, [m for m in {HEAVY} if m in sys.modules])"
    )
    scratch = site.folder / "scratch"
    scratch.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**site.environment, "TMPDIR": str(scratch)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "None []", done.stderr
    assert list(scratch.iterdir()) == []
    scratch.rmdir()
    assert {path: path.stat().st_mtime_ns for path in site.folder.rglob("*")} == before


def test_ctrl_c_ends_it(site: Site) -> None:
    hang = threading.Event()
    request = site.request({})
    stored = {path.name: Data(path.read_bytes()) for path in (site.folder / "stored").iterdir()}
    with HttpsSource(stored) as source:
        source.fail(Fault(hang=hang), after=1, times=100)
        request["body"]["source"] |= {"type": "https", "baseUrl": source.url}
        del request["body"]["source"]["root"]
        (site.folder / "request.json").write_text(json.dumps(request))
        command = [sys.executable, "-m", "genoferry", "preflight", str(site.folder / "request.json")]
        environment = {**site.environment, "GENOFERRY_ALLOW_HOSTS": source.host}
        process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        try:
            while len(source.gets) < 2 and process.poll() is None:
                threading.Event().wait(0.02)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=30)
        finally:
            hang.set()
            process.kill()
    assert process.returncode == 130
    assert "Traceback" not in said
