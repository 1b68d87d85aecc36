"""SNS out: events and results, each routed inline or by S3 path on its final encoded size."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from genoferry.aws.errors import mapped
from genoferry.contracts.events import Event
from genoferry.contracts.results import Result, ResultItem

if TYPE_CHECKING:
    from types_aiobotocore_sns.client import SNSClient

MAX_PUBLISH_BYTES = 256 * 1024
"""Of a message with its attributes (SNS quota)."""


class Publisher(Protocol):
    async def publish(self, message: str, attributes: Mapping[str, str]) -> None:
        """Raises `ServiceError`s."""
        ...


class SnsPublisher:
    def __init__(self, client: SNSClient, topic_arn: str) -> None:
        self._client = client
        self._topic = topic_arn

    async def publish(self, message: str, attributes: Mapping[str, str]) -> None:
        typed: Any = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
        with mapped():
            await self._client.publish(TopicArn=self._topic, Message=message, MessageAttributes=typed)


@dataclass
class MemoryPublisher:
    """Keeps what is published, for tests."""

    published: list[tuple[dict[str, Any], dict[str, str]]] = field(default_factory=list)

    async def publish(self, message: str, attributes: Mapping[str, str]) -> None:
        self.published.append((json.loads(message), dict(attributes)))

    def events(self, uuid: str | None = None) -> list[str]:
        """The names of the events, in order of publication."""
        return [message["event"] for message, _ in self.published if uuid in (None, message.get("uuid"))]


def attributes(
    event: str, uuid: str | None, *, name: str | None, experiment_id: str | None, traceparent: str | None
) -> dict[str, str]:
    """The message attributes that subscribers filter on. What isn't known is left out, never empty."""
    known = {"event": event, "uuid": uuid, "name": name, "experimentId": experiment_id, "traceparent": traceparent}
    return {key: value for key, value in known.items() if value}


def event_message(event: Event) -> str:
    return json.dumps(event.wire(), separators=(",", ":"))


def result_message(event: Event, items: tuple[ResultItem, ...]) -> str:
    """The Result message of a `Result` entry of the outbox."""
    assert event.uuid is not None  # noqa: S101  # only a Rejected may have none
    assert event.sequence is not None  # noqa: S101  # a row's events have one
    assert event.attempt is not None  # noqa: S101
    result = Result(
        uuid=event.uuid,
        event_id=event.event_id,
        sequence=event.sequence,
        attempt=event.attempt,
        results=items,
        socket_id=event.socket_id,
    )
    return json.dumps(result.model_dump(mode="json", exclude_none=True), separators=(",", ":"))


def encoded_size(message: str, message_attributes: Mapping[str, str]) -> int:
    """Bytes that SNS counts: the message, and each attribute's name, type and value."""
    counted = sum(len(n.encode()) + len("String") + len(v.encode()) for n, v in message_attributes.items())
    return len(message.encode()) + counted
