"""`genoferry results`, over a row and objects as a job leaves them."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import AsyncExitStack
from pathlib import Path
from unittest.mock import patch
from uuid import uuid4

import pytest

from genoferry.aws.clients import open_clients
from genoferry.contracts.keys import exit_key
from genoferry.contracts.reports import ExitReport, OutputReport
from genoferry.contracts.results import ResultPointer
from genoferry.ledger.due import Deadlines
from genoferry.ledger.dynamodb import DynamoLedger
from genoferry.ledger.row import Row
from genoferry.ledger.states import requested, succeed

NOW = 1_700_000_000_000
FILES = {"aggregated_scores.txt.gz": b"scores", "report.json": b'{"scores": []}'}


async def put(row: Row, table: str) -> None:
    async with AsyncExitStack() as stack:
        clients = await open_clients(stack)
        await DynamoLedger(clients.dynamodb, table, Deadlines(1, 1)).put(row, expected=None)


@pytest.fixture
def job(seeded) -> Row:
    """A job that succeeded, its results in their bucket."""
    uuid, s3 = str(uuid4()), seeded.client("s3")
    new = Row(
        uuid=uuid, experiment_id="e", name="CalculateScores", run_name="r", deployment="development", fingerprint="f",
        request_key="k", message_ids=("m",), created_at=NOW, updated_at=NOW,
    )  # fmt: skip
    pointers = []
    for name, body in FILES.items():
        key = f"{uuid}/1/{name}"
        s3.put_object(Bucket="development-results", Key=key, Body=body, ChecksumAlgorithm="CRC64NVME")
        pointers.append(ResultPointer(key=key, content_type="text/plain", size=len(body)))
    row = succeed(requested(new, NOW), NOW, attempt=1, results=tuple(pointers), verified="size")
    with patch.dict("os.environ", seeded.environment):
        asyncio.run(put(row, seeded.variables["GENOFERRY_TABLE"]))
    return row


def test_they_are_written_and_the_second_time_left_alone(run, job: Row, tmp_path: Path) -> None:
    first, second = (run("results", job.uuid, "--out", str(tmp_path / "out")) for _ in range(2))
    assert first.returncode == second.returncode == 0, first.stderr
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == FILES
    assert first.stdout.count("\twritten") == 2
    assert second.stdout.count("there already") == 2


def test_other_content_is_not_overwritten_unless_forced(run, job: Row, tmp_path: Path) -> None:
    mine = tmp_path / "report.json"
    mine.write_text("mine")
    refused = run("results", job.uuid, "--out", str(tmp_path))
    assert refused.returncode == 14
    assert "report.json" in refused.stderr
    assert mine.read_text() == "mine"
    assert run("results", job.uuid, "--out", str(tmp_path), "--force").returncode == 0
    assert mine.read_bytes() == FILES["report.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES)


def test_a_result_of_another_size_is_refused(run, seeded, job: Row, tmp_path: Path) -> None:
    seeded.client("s3").put_object(Bucket="development-results", Key=job.results[0].key, Body=b"other")
    done = run("results", job.uuid, "--out", str(tmp_path))
    assert done.returncode == 1
    assert "[result-damaged]" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_result_of_another_digest_is_refused_while_the_report_is_kept(run, seeded, job: Row, tmp_path: Path) -> None:
    outputs = [
        OutputReport(key=p.key, content_type=p.content_type, size=p.size, sha256=hashlib.sha256(b"true").hexdigest())
        for p in job.results
    ]
    report = ExitReport(uuid=job.uuid, attempt=1, nonce="n", exit_code=0, outputs=tuple(outputs))
    body = report.model_dump_json().encode()
    seeded.client("s3").put_object(Bucket="development-work", Key=exit_key(job.uuid, 1), Body=body)
    assert "[result-damaged]" in run("results", job.uuid, "--out", str(tmp_path)).stderr


def test_results_that_have_expired(run, seeded, job: Row, tmp_path: Path) -> None:
    seeded.client("s3").delete_object(Bucket="development-results", Key=job.results[1].key)
    done = run("results", job.uuid, "--out", str(tmp_path))
    assert done.returncode == 4
    assert "7 days" in done.stderr


def test_a_folder_that_cannot_be(run, job: Row, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert run("results", job.uuid, "--out", str(tmp_path / "file")).returncode == 2


def test_status_tells_where_they_are(run, job: Row) -> None:
    said = run("status", job.uuid).stdout
    assert f"s3://development-results/{job.results[0].key}" in said
    assert job.uuid in run("jobs", "--state", "SUCCEEDED").stdout
