"""`genoferry status` and `jobs`."""

from __future__ import annotations

import asyncio
import json

import pytest

from genoferry.cli.exit_codes import ExitCode
from genoferry.contracts.events import ErrorInfo, ProgressInfo, StepInfo, Summary
from genoferry.contracts.reports import ExitReport, ScoreReport
from genoferry.contracts.results import ResultPointer
from genoferry.errors import ZeroMatches
from genoferry.ledger.row import Row
from genoferry.ledger.states import fail, progressed, succeed

NOW = 1_700_000_100_000


def put(memory, *rows: Row) -> None:
    for row in rows:
        asyncio.run(memory.ledger.put(row, expected=None))


@pytest.fixture
def succeeded(row: Row) -> Row:
    pointers = [
        ResultPointer(key=f"{row.uuid}/1/{name}", content_type="text/plain", size=1200)
        for name in ("aggregated_scores.txt.gz", "report.json")
    ]
    return succeed(row, NOW, attempt=1, results=tuple(pointers), verified="digest")


def test_each_score_is_told_of_from_the_report(run, memory, succeeded: Row) -> None:
    scores = [
        {"id": "PGS000001", "status": "calculated", "reason": None, "variants": {"matched": 9, "total": 10}},
        {"id": "PGS000002", "status": "failed", "reason": "Only 40%", "variants": None},
    ]
    memory.results.content[f"{succeeded.uuid}/1/report.json"] = json.dumps({"scores": scores}).encode()
    put(memory, succeeded)
    known = json.loads(run("status", succeeded.uuid, "--json").stdout)
    assert known["state"] == "SUCCEEDED"
    assert known["scores"] == [
        {"id": "PGS000001", "status": "calculated", "reason": None, "matched": 9, "total": 10},
        {"id": "PGS000002", "status": "failed", "reason": "Only 40%", "matched": None, "total": None},
    ]
    assert known["results"][0]["uri"] == f"s3://results/{succeeded.uuid}/1/aggregated_scores.txt.gz"
    text = run("status", succeeded.uuid).stdout
    assert "State: SUCCEEDED" in text
    assert "PGS000002\tfailed\t\tOnly 40%" in text


def test_the_exit_report_tells_while_it_is_kept(run, memory, row: Row) -> None:
    failed = fail(row, NOW, ErrorInfo.of(ZeroMatches()), attempt=1)
    score = ScoreReport(id="PGS000003", status="failed", reason="none", variants_total=5, variants_matched=0)
    report = ExitReport(uuid=row.uuid, attempt=1, nonce="n", exit_code=1, scores=(score,))
    memory.work.content[f"{row.uuid}/1/exit.json"] = report.model_dump_json().encode()
    put(memory, failed)
    result = run("status", row.uuid)
    assert result.exit_code == 0
    assert "[zero-matches]" in result.stdout
    assert "PGS000003\tfailed\t0 of 5\tnone" in result.stdout


def test_it_says_how_much_was_calculated(run, memory, row: Row) -> None:
    counts = Summary(done=2, total=3, unit="scores")
    put(memory, succeed(row, NOW, attempt=1, results=(), verified="size", summary=counts))
    assert "Done: 2 of 3 scores" in run("status", row.uuid).stdout
    assert json.loads(run("status", row.uuid, "--json").stdout)["summary"] == counts.model_dump()


@pytest.mark.parametrize("text", [b"not json", b'{"scores": 7}', b'{"scores": [{"x": 1}]}', b"[]"])
def test_a_report_that_is_something_else_is_left_out(run, memory, succeeded: Row, text: bytes) -> None:
    memory.results.content[f"{succeeded.uuid}/1/report.json"] = text
    put(memory, succeeded)
    assert json.loads(run("status", succeeded.uuid, "--json").stdout)["scores"] == []


def test_the_failed_process_is_told_of_with_its_last_lines_and_the_steps(run, memory, row: Row) -> None:
    steps = (StepInfo(name="MATCH_COMBINE", done=0, running=1, pending=2, peak_memory=1_500_000),)
    info = ProgressInfo(phase="MATCH_COMBINE", done=3, total=6, unit="processes", steps=steps, cpu_hours=0.1)
    known = progressed(row, NOW, info, attempt=1, every=0)
    known = fail(known, NOW, ErrorInfo.of(ZeroMatches()), attempt=1, log_tail=("No variant matches found",))
    assert "No variant matches found" not in known.outbox[-1].model_dump_json(), "an event has none of it"
    put(memory, known)
    told = json.loads(run("status", row.uuid, "--json").stdout)
    assert told["log_tail"] == ["No variant matches found"]
    assert told["steps"][0]["name"] == "MATCH_COMBINE"
    text = run("status", row.uuid).stdout
    assert "No variant matches found" in text
    assert "MATCH_COMBINE\t0\t1\t2\t1.5 MB" in text


def test_an_unknown_job(run, memory, row: Row) -> None:
    result = run("status", row.uuid)
    assert result.exit_code == ExitCode.NOT_FOUND
    assert "[no-such-job]" in result.stderr


def test_jobs_newest_first_and_by_state(run, memory, row: Row, succeeded: Row) -> None:
    older = row.model_copy(update={"uuid": "11111111-0893-5400-90fe-c596fdac9bb9", "created_at": 1})
    put(memory, older, succeeded)
    lines = run("jobs").stdout.splitlines()
    assert [line.split("\t")[:2] for line in lines[1:]] == [[succeeded.uuid, "SUCCEEDED"], [older.uuid, "REQUESTED"]]
    only = json.loads(run("jobs", "--state", "requested", "--json").stdout)
    assert [job["uuid"] for job in only] == [older.uuid]


def test_jobs_of_a_state_that_is_none(run, memory) -> None:
    result = run("jobs", "--state", "DONE")
    assert result.exit_code == ExitCode.USAGE
    assert "SUCCEEDED" in result.stderr
