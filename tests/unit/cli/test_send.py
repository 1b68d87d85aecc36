"""`genoferry send` and `cancel`: validated by the worker's own code, sent as they are, or not at all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from genoferry.cli.exit_codes import ExitCode
from genoferry.contracts.envelope import parse_request
from genoferry.ledger.row import CancelMark
from genoferry.ledger.states import succeed

NAMES = (
    "calculate_scores.json",
    "calculate_scores_s3.json",
    "calculate_scores_https.json",
    "calculate_scores_file.json",
    "cancel_job.json",
    "bare_job_request.json",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_payload_is_sent_as_it_stands_under_its_experiment(run, memory, payload, name: str) -> None:
    text = json.dumps(payload(name))
    result = run("send", "-", stdin=text)
    request = parse_request(text)
    assert result.exit_code == 0
    assert result.stdout == f"{request.uuid}\n"
    assert memory.outgoing.sent == [(text, request.experiment_id)]


def test_a_bare_job_requests_experiment_is_the_group_it_is_sent_under(run, memory, payload) -> None:
    result = run(
        "send", "-", "--experiment-id", "study-7", "--json", stdin=json.dumps(payload("bare_job_request.json"))
    )
    assert json.loads(result.stdout)["experimentId"] == "study-7"
    assert [group for _, group in memory.outgoing.sent] == ["study-7"]


def test_with_follow_all_json_is_lines(run, memory, payload, row, monkeypatch) -> None:
    request = payload("calculate_scores.json") | {"uuid": row.uuid}

    async def send(*_: str) -> str:
        """As quick as a worker can be."""
        await memory.ledger.put(succeed(row, 1, attempt=1, results=(), verified="size"), expected=None)
        return "message-1"

    monkeypatch.setattr(memory.outgoing, "send", send)
    lines = run("send", "-", "--follow", "--json", stdin=json.dumps(request)).stdout.splitlines()
    sent, *events = [json.loads(line) for line in lines]
    assert (sent["uuid"], sent["messageId"]) == (row.uuid, "message-1")
    assert [event["event"] for event in events] == ["Requested", "Succeeded", "Result"]


OUTSIDE = {"dir_path_on_guest_collection": "", "files": [{"filename": "../x", "size": 1}]}


def broken(document: dict[str, Any], **changes: Any) -> str:
    return json.dumps({**document, "body": {**document["body"], **changes}})


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "not-json"),
        ("[]", "not-an-object"),
        (b"\xff", "not-json"),
        ('{"uuid": 1}', "invalid-envelope"),
        (" " * 200_000, "message-too-large"),
    ],
)
def test_what_is_no_request_is_named_and_not_sent(run, memory, text: str | bytes, code: str) -> None:
    result = run("send", "-", stdin=text)
    assert result.exit_code == ExitCode.BAD_MESSAGE
    assert f"[{code}]" in result.stderr
    assert result.stdout == ""
    assert memory.outgoing.sent == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": "Nope"}, "unknown-name"),
        ({"surplus": 1}, "invalid-body"),
        ({"secret_key_details": None}, "invalid-body"),
        ({"globus_details": OUTSIDE}, "invalid-body"),
    ],
)
def test_a_bad_body_is_named_and_not_sent(run, memory, payload, changes: dict[str, Any], code: str) -> None:
    result = run("send", "-", stdin=broken(payload("calculate_scores.json"), **changes))
    assert result.exit_code == ExitCode.BAD_MESSAGE
    assert f"[{code}]" in result.stderr
    assert memory.outgoing.sent == []


def test_a_file_that_is_not_there_is_a_wrong_command_line(run, memory, tmp_path) -> None:
    result = run("send", str(tmp_path / "none.json"))
    assert result.exit_code == ExitCode.USAGE
    assert "can't be read" in result.stderr


async def test_cancel_takes_the_experiment_of_the_row(run, memory, row) -> None:
    await memory.ledger.put(row, expected=None)
    result = run_in_thread(run, "cancel", row.uuid.upper())
    assert result.exit_code == 0
    ((text, group),) = memory.outgoing.sent
    assert (group, json.loads(text)["body"]) == ("study-7", {"name": "CancelJob", "target": row.uuid})
    assert json.loads(text)["uuid"] == result.stdout.strip()


async def test_cancel_takes_the_experiment_of_an_earlier_cancellation(run, memory, row) -> None:
    await memory.ledger.put(CancelMark(uuid=row.uuid, experiment_id="e2", created_at=1), expected=None)
    assert run_in_thread(run, "cancel", row.uuid).exit_code == 0
    assert [group for _, group in memory.outgoing.sent] == ["e2"]


def test_cancel_of_an_unknown_job_asks_for_its_experiment(run, memory, row) -> None:
    result = run("cancel", row.uuid)
    assert result.exit_code == ExitCode.NOT_FOUND
    assert "--experiment-id" in result.stderr
    assert run("cancel", row.uuid, "--experiment-id", "study-8").exit_code == 0
    assert [group for _, group in memory.outgoing.sent] == ["study-8"]


def test_cancel_of_no_uuid(run, memory) -> None:
    assert run("cancel", "nope").exit_code == ExitCode.USAGE


def run_in_thread(run, *args: str):
    """Commands run a loop of their own, which a test's own loop doesn't allow on its thread."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run, *args).result()
