"""The pre-flight in a real worker: what can't go well is told of before anything is submitted; what is doubtful too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from genoferry.testing.cohort import Cohort, generate
from genoferry.testing.harness import Harness
from genoferry.testing.requests import encrypted


def with_accessions(cohort: Cohort) -> None:
    """Chromosomes are named as RefSeq has them in the genomes: `NC_000022.11`."""
    for path in [path for name, path in cohort.files.items() if ".pvar" in name]:
        data = path.read_bytes()
        packed = path.suffix == ".zst"
        text = zstandard.ZstdDecompressor().stream_reader(data).read() if packed else data
        lines = [line if line.startswith(b"#") else b"NC_0000" + line for line in text.splitlines(keepends=True)]
        path.write_bytes(zstandard.compress(b"".join(lines)) if packed else b"".join(lines))


def nothing(_: Cohort) -> None:
    """The genomes as they are."""


def without_bytes(cohort: Cohort) -> None:
    """The last chromosome's pgen is empty."""
    [path for name, path in cohort.files.items() if name.endswith(".pgen")][-1].write_bytes(b"")


def only(*scores: str) -> Callable[[Cohort, dict[str, Any]], None]:
    def change(cohort: Cohort, body: dict[str, Any]) -> None:
        body["scorefiles"] = [f"file://{cohort.scorefiles[name]}" for name in scores]

    return change


def by_id(_: Cohort, body: dict[str, Any]) -> None:
    """A score that the mirror lacks, beside one that it has."""
    del body["scorefiles"]
    body["pipeline_param"]["nxf_params_file"]["pgs_id"] = "PGS000001,PGS999999"


CASES: dict[str, tuple[Callable[[Cohort], None], dict[str, Any], Callable[[Cohort, dict[str, Any]], None], str]] = {
    "wrong build": (nothing, {"target_build": "GRCh37"}, only("PGS000001"), "genome-build-mismatch"),
    "other chromosome names": (with_accessions, {}, only("PGS000001"), "chromosome-mismatch"),
    "too little overlap": (nothing, {"min_overlap": 0.95}, only("PGS000002", "PGS000004"), "overlap-too-low"),
    "an empty pgen": (without_bytes, {}, only("PGS000001"), "genotypes-invalid"),
    "no such score": (nothing, {}, by_id, "scorefile-missing"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_cannot_go_well_fails_before_it_is_submitted(harness: Harness, tmp_path: Path, case: str) -> None:
    spoil, params, change, code = CASES[case]
    cohort = generate(tmp_path / "cohort", formats=("pfile",))
    mirror = next(iter(cohort.scorefiles.values())).parent
    spoil(cohort)
    body = encrypted(cohort, tmp_path / "request", **params)
    change(cohort, body)
    assert harness.inbox.drain() == []
    uuid = harness.send(body)
    harness.worker(GENOFERRY_SCORE_MIRROR=str(mirror))
    row = harness.await_done(uuid)
    failed = harness.inbox.await_event(uuid, "Failed")
    assert failed["error"]["code"] == code
    assert (failed["trace_name"], failed["trace_exit"]) == (None, None), "no process ran"
    assert harness.inbox.names(uuid) == ["Requested", "Failed"]
    assert row.submitted_at is None
    assert harness.job_folders() == []


def test_what_is_doubtful_is_told_with_created_and_the_job_runs(harness: Harness, tmp_path: Path) -> None:
    cohort = generate(tmp_path / "cohort", formats=("pfile",), samples=30)
    body = encrypted(cohort, tmp_path / "request")
    assert harness.inbox.drain() == []
    uuid = harness.send(body)
    harness.worker()
    assert harness.await_done(uuid).state == "SUCCEEDED"
    warnings = harness.inbox.await_event(uuid, "Created")["warnings"]
    messages = " ".join(warning["message"] for warning in warnings)
    assert "50" in messages, "fewer samples than mean imputation needs"
    assert "PGS000004" in messages, "the score that will not reach the overlap"


def test_a_deployment_that_only_wants_to_be_warned(harness: Harness, tmp_path: Path) -> None:
    cohort = generate(tmp_path / "cohort", formats=("pfile",))
    body = encrypted(cohort, tmp_path / "request")
    only("PGS000004")(cohort, body)
    uuid = harness.send(body)
    harness.worker(GENOFERRY_PREFLIGHT_MODE="warn")
    harness.await_done(uuid)
    created = harness.inbox.await_event(uuid, "Created")
    assert created["warnings"][0]["code"] in ("overlap-too-low", "zero-matches")
    failed = harness.inbox.await_event(uuid, "Failed")
    assert failed["trace_name"].endswith("MATCH_COMBINE"), "the tools found the same, after all"
