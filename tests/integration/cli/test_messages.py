"""`send`, `cancel` and `dlq` against real queues."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

PAYLOAD = Path(__file__).parents[3] / "payloads" / "calculate_scores.json"


def received(seeded, url: str) -> list[Any]:
    answer = seeded.client("sqs").receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=2, MessageSystemAttributeNames=["MessageGroupId"]
    )
    return list(answer.get("Messages", ()))


@pytest.mark.parametrize("name", ["queue.fifo", "queue"])
def test_send_to_fifo_and_standard_queues_groups_by_experiment(run, seeded, queues, name: str) -> None:
    sent = run("send", str(PAYLOAD), WORK_QUEUE=queues[name])
    assert sent.returncode == 0, sent.stderr
    assert sent.stdout.strip() == json.loads(PAYLOAD.read_text())["uuid"]
    (message,) = received(seeded, queues[name])
    assert message["Body"] == PAYLOAD.read_text()
    assert message["Attributes"]["MessageGroupId"] == "demo-experiment"


def test_the_same_message_sent_twice_comes_twice(run, seeded, queues) -> None:
    assert [run("send", str(PAYLOAD)).returncode for _ in range(2)] == [0, 0]
    assert len(received(seeded, queues["queue.fifo"])) == 2


def test_a_queue_by_its_name(run, seeded, queues) -> None:
    assert run("send", str(PAYLOAD), WORK_QUEUE="development-queue").returncode == 0
    assert len(received(seeded, queues["queue"])) == 1


def test_a_queue_that_is_not_there(run) -> None:
    sent = run("send", str(PAYLOAD), WORK_QUEUE="nowhere")
    assert sent.returncode == 4
    assert "nowhere" in sent.stderr
    assert "Traceback" not in sent.stderr


def dead(seeded, url: str, body: str, number: int, original: str | None = None) -> str:
    cause = {"code": "not-json", "cause": "no JSON", "time": f"2026-01-0{number}", "workerVersion": "9"}
    cause |= {"originalMessageId": original or f"original-{number}"}
    attributes = {name: {"DataType": "String", "StringValue": text} for name, text in cause.items()}
    fifo = {"MessageGroupId": "g", "MessageDeduplicationId": f"{original}{number}"} if url.endswith(".fifo") else {}
    sent = seeded.client("sqs").send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes, **fifo)
    return str(sent["MessageId"])


@pytest.mark.parametrize(("work", "letters"), [("queue.fifo", "queue-dlq.fifo"), ("queue", "queue-dlq")])
def test_dead_letters_are_read_and_stay(run, seeded, queues, work: str, letters: str) -> None:
    dead(seeded, queues[letters], "first", 1)
    dead(seeded, queues[letters], "second", 2)
    dead(seeded, queues[letters], "second", 3, original="original-2")
    listed = [json.loads(run("dlq", "list", "--json", WORK_QUEUE=queues[work]).stdout) for _ in range(2)]
    assert [letter["id"] for letter in listed[0]] == ["original-1", "original-2"]
    assert listed[0] == listed[1]
    shown = run("dlq", "show", "original-2", WORK_QUEUE=queues[work])
    assert "Worker: 9" in shown.stdout
    assert shown.stdout.endswith("second\n")
    assert run("dlq", "show", "orig", WORK_QUEUE=queues[work]).returncode == 4


def test_no_dead_letters(run, queues) -> None:
    assert json.loads(run("dlq", "list", "--json").stdout) == []


def test_a_letter_that_sqs_moved_itself_says_so(run, seeded, queues) -> None:
    seeded.client("sqs").send_message(QueueUrl=queues["queue-dlq"], MessageBody="poison")
    (letter,) = json.loads(run("dlq", "list", "--json", WORK_QUEUE=queues["queue"]).stdout)
    assert "20 receives" in letter["cause"]


def test_cancel_before_the_request(run, seeded, queues) -> None:
    target = "5c09297e-0893-5400-90fe-c596fdac9bb9"
    assert run("cancel", target).returncode == 4
    assert run("cancel", target, "--experiment-id", "e-7").returncode == 0
    (message,) = received(seeded, queues["queue.fifo"])
    assert json.loads(message["Body"])["body"] == {"name": "CancelJob", "target": target}
    assert message["Attributes"]["MessageGroupId"] == "e-7"
