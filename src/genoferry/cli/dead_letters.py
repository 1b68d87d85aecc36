"""Reading a dead-letter queue without consuming it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from genoferry.aws.errors import mapped
from genoferry.errors import NotFound
from genoferry.queue.sqs import queue_url

if TYPE_CHECKING:
    from types_aiobotocore_sqs.client import SQSClient

HIDDEN_SECONDS = 30
"""How long a letter stays hidden should this process die before it lets go of it."""
BY_SQS = "SQS moved it here after 20 receives: no worker could say why it fails."


@dataclass(frozen=True)
class DeadLetter:
    """`id` is the original message's; `message_id` that of its copy in this queue."""

    id: str
    message_id: str
    group_id: str | None
    code: str | None
    cause: str | None
    time: str | None
    worker_version: str | None
    body: str

    def document(self) -> dict[str, str | None]:
        return asdict(self)


async def dead_letter_url(sqs: SQSClient, work_queue: str, named: str | None) -> str:
    """The URL of the dead-letter queue: the one named, else that of the redrive policy. Raises `NotFound`."""
    if named:
        return await queue_url(sqs, named)
    url = await queue_url(sqs, work_queue)
    with mapped():
        answer = await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])
    policy = answer.get("Attributes", {}).get("RedrivePolicy")
    if not policy:
        raise NotFound(
            "The work queue has no redrive policy, so it has no dead-letter queue. Deploy infra/template.yaml, or"
            " set GENOFERRY_DEAD_LETTER_QUEUE."
        )
    return await queue_url(sqs, json.loads(policy)["deadLetterTargetArn"].rsplit(":", 1)[1])


async def peek(sqs: SQSClient, url: str) -> list[DeadLetter]:
    """All letters that the queue hands out, oldest first, each once; they are visible again on return."""
    received: dict[str, Any] = {}
    try:
        while batch := await _receive(sqs, url):
            fresh = {raw["MessageId"]: raw for raw in batch if raw["MessageId"] not in received}
            received |= fresh
            if not fresh:
                break
    finally:
        await _let_go(sqs, url, [raw["ReceiptHandle"] for raw in received.values()])
    return distinct(_letter(raw) for raw in received.values())


def distinct(letters: Iterable[DeadLetter]) -> list[DeadLetter]:
    """One of each original message: a worker that died between copy and deletion leaves two."""
    first: dict[str, DeadLetter] = {}
    for letter in letters:
        first.setdefault(letter.id, letter)
    return sorted(first.values(), key=lambda letter: letter.time or "")


async def _receive(sqs: SQSClient, url: str) -> list[Any]:
    with mapped():
        answer = await sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=1,
            VisibilityTimeout=HIDDEN_SECONDS,
            MessageSystemAttributeNames=["MessageGroupId", "SentTimestamp"],
            MessageAttributeNames=["All"],
        )
    return list(answer.get("Messages", ()))


async def _let_go(sqs: SQSClient, url: str, receipts: list[str]) -> None:
    for start in range(0, len(receipts), 10):
        entries: Any = [
            {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
            for number, receipt in enumerate(receipts[start : start + 10])
        ]
        with mapped():
            await sqs.change_message_visibility_batch(QueueUrl=url, Entries=entries)


def _letter(raw: Any) -> DeadLetter:
    own = {name: value.get("StringValue") for name, value in raw.get("MessageAttributes", {}).items()}
    return DeadLetter(
        id=own.get("originalMessageId") or raw["MessageId"],
        message_id=raw["MessageId"],
        group_id=raw.get("Attributes", {}).get("MessageGroupId"),
        code=own.get("code"),
        cause=own.get("cause") or BY_SQS,
        time=own.get("time"),
        worker_version=own.get("workerVersion"),
        body=raw["Body"],
    )
