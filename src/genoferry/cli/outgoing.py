"""Sending a request to the work queue, FIFO or standard."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Protocol

from genoferry.aws.errors import mapped
from genoferry.queue.sqs import queue_url

if TYPE_CHECKING:
    from types_aiobotocore_sqs.client import SQSClient


class Outgoing(Protocol):
    async def send(self, body: str, group_id: str) -> str:
        """Returns the message's id. Raises `ServiceError`s."""
        ...


class SqsOutgoing:
    """`group_id` orders a FIFO queue, and makes a standard one fair."""

    def __init__(self, client: SQSClient, name_or_url: str) -> None:
        self._client = client
        self._queue = name_or_url

    async def send(self, body: str, group_id: str) -> str:
        url = await queue_url(self._client, self._queue)
        # A fresh id each time, or SQS would swallow the same message sent again within five minutes.
        fifo: dict[str, Any] = {"MessageDeduplicationId": str(uuid.uuid4())} if url.endswith(".fifo") else {}
        with mapped():
            answer = await self._client.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=group_id, **fifo)
        return answer["MessageId"]
