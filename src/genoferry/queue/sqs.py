"""Queues in SQS."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import structlog

from genoferry.aws.errors import mapped
from genoferry.errors import NotFound, ReceiptRetired
from genoferry.queue.protocol import Message

if TYPE_CHECKING:
    from types_aiobotocore_sqs.client import SQSClient

log = structlog.get_logger()


async def queue_url(client: SQSClient, name_or_url: str) -> str:
    """The URL of a queue given by name or URL. Raises `NotFound`, which names the queue."""
    if name_or_url.startswith(("http://", "https://")):
        return name_or_url
    try:
        with mapped():
            return (await client.get_queue_url(QueueName=name_or_url))["QueueUrl"]
    except NotFound:
        raise NotFound(f"There is no queue named {name_or_url}. Create it, or run `genoferry doctor`.") from None


class SqsQueue:
    """One queue. The dead-letter queue is the one that its redrive policy names, unless another is given."""

    def __init__(self, client: SQSClient, url: str, *, visibility_seconds: int, dead_letter_url: str | None = None):
        self._client = client
        self._url = url
        self._visibility = visibility_seconds
        self._dead_letter_url = dead_letter_url

    async def receive(self, *, limit: int, wait_seconds: int) -> list[Message]:
        with mapped():
            answer = await self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=limit,
                WaitTimeSeconds=wait_seconds,
                VisibilityTimeout=self._visibility,
                MessageSystemAttributeNames=["ApproximateReceiveCount", "MessageGroupId"],
                MessageAttributeNames=["All"],
            )
        return [_message(raw) for raw in answer.get("Messages", ())]

    async def delete(self, message: Message) -> None:
        with _receipt_of(message):
            await self._client.delete_message(QueueUrl=self._url, ReceiptHandle=message.receipt_handle)

    async def hide(self, message: Message, seconds: int) -> None:
        with _receipt_of(message):
            await self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=message.receipt_handle, VisibilityTimeout=seconds
            )

    async def dead_letter(self, message: Message, body: str, cause: Mapping[str, str]) -> None:
        url = await self._dead_letters()
        fifo: dict[str, Any] = {}
        if url.endswith(".fifo"):
            fifo = {"MessageGroupId": message.group_id or "dead-letters", "MessageDeduplicationId": message.id}
        attributes: Any = {name: {"DataType": "String", "StringValue": text} for name, text in cause.items()}
        with mapped():
            await self._client.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes, **fifo)

    async def _dead_letters(self) -> str:
        if self._dead_letter_url is None:
            with mapped():
                answer = await self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=["RedrivePolicy"])
            policy = answer.get("Attributes", {}).get("RedrivePolicy")
            if policy is None:
                raise NotFound("The work queue has no redrive policy, so there is no dead-letter queue.")
            name = json.loads(policy)["deadLetterTargetArn"].rsplit(":", 1)[1]
            self._dead_letter_url = await queue_url(self._client, name)
        return self._dead_letter_url


@contextmanager
def _receipt_of(message: Message) -> Iterator[None]:
    """A message that was received again is its new receiver's: it acts once, whoever deletes it."""
    try:
        with mapped():
            yield
    except ReceiptRetired:
        log.info("receipt retired", message_id=message.id)


def _message(raw: Any) -> Message:
    system = raw.get("Attributes", {})
    own = raw.get("MessageAttributes", {})
    return Message(
        id=raw["MessageId"],
        receipt_handle=raw["ReceiptHandle"],
        body=raw["Body"],
        receive_count=int(system.get("ApproximateReceiveCount", 1)),
        group_id=system.get("MessageGroupId"),
        attributes={name: value["StringValue"] for name, value in own.items() if "StringValue" in value},
    )
