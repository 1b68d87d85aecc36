"""A subscriber by SQS: reads a queue to its end, keeps everything, and tells copies apart as a backend must."""

from __future__ import annotations

import json
import uuid as uuids
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from genoferry.testing.waiting import wait_until


@dataclass(frozen=True)
class Received:
    """One delivery."""

    body: str
    attributes: Mapping[str, str]

    @property
    def message(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass
class Inbox:
    """`received`: every delivery in order of arrival, copies included."""

    sqs: Any
    url: str
    received: list[Received] = field(default_factory=list)

    @classmethod
    def subscribed(cls, sqs: Any, sns: Any, topic_arn: str, *, only: Mapping[str, list[str]] | None = None) -> Inbox:
        """A queue of its own, subscribed with raw delivery; `only` is a filter policy on message attributes."""
        url = sqs.create_queue(QueueName=f"inbox-{uuids.uuid4()}")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        attributes = {"RawMessageDelivery": "true"} | ({"FilterPolicy": json.dumps(only)} if only else {})
        sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn, Attributes=attributes)
        return cls(sqs, url)

    def drain(self) -> list[Received]:
        """Take out what there is; all that was received so far."""
        while True:
            answer = self.sqs.receive_message(
                QueueUrl=self.url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], WaitTimeSeconds=0
            )
            for raw in answer.get("Messages", ()):
                attributes = {n: v.get("StringValue", "") for n, v in raw.get("MessageAttributes", {}).items()}
                self.received.append(Received(raw["Body"], attributes))
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=raw["ReceiptHandle"])
            if not answer.get("Messages"):
                return self.received

    def copies(self, uuid: str | None) -> list[dict[str, Any]]:
        """Everything told of one request, copies included, in order of arrival.

        None: every `Rejected` of a message whose uuid couldn't be read; its `event_id` is the SQS MessageId.
        """
        return [message for r in self.drain() if (message := r.message).get("uuid") == uuid]

    def messages(self, uuid: str | None) -> list[dict[str, Any]]:
        """What was told of one request, by sequence, each `event_id` once; `Rejected`, which has none, comes first.

        Raises `AssertionError` where two messages of one `event_id` differ, or two of one sequence don't.
        """
        told: dict[str, dict[str, Any]] = {}
        for message in self.copies(uuid):
            if told.setdefault(message["event_id"], message) != message:
                raise AssertionError(f"two messages with one event_id differ: {message}, {told[message['event_id']]}")
        sequences = [message["sequence"] for message in told.values() if "sequence" in message]
        if len(set(sequences)) < len(sequences):
            raise AssertionError(f"a sequence stands for two events: {sequences}")
        return sorted(told.values(), key=lambda message: message.get("sequence", 0))

    def names(self, uuid: str | None, *, progress: bool = False) -> list[str]:
        """The names of what was told of one request, by sequence, without `Progress` unless asked for."""
        return [m["event"] for m in self.messages(uuid) if progress or m["event"] != "Progress"]

    def await_event(self, uuid: str | None, event: str, *, times: int = 1, seconds: float = 60) -> dict[str, Any]:
        """The `times`-th event of that name."""

        def look() -> list[dict[str, Any]] | None:
            found = [message for message in self.messages(uuid) if message["event"] == event]
            return found if len(found) >= times else None

        try:
            return wait_until(look, what=f"{event} of {uuid} ({times} times)", seconds=seconds)[times - 1]
        except AssertionError as error:
            raise AssertionError(f"{error}; told so far: {self.names(uuid)}") from None
