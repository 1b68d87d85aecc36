"""What a publisher must do, by every provider: in memory, and SNS on the embedded AWS, seen by a subscribed queue."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from genoferry.aws.clients import open_clients
from genoferry.errors import NotFound
from genoferry.publisher import MAX_PUBLISH_BYTES, SnsPublisher, attributes, encoded_size
from genoferry.testing import MemoryPublisher


@dataclass
class Bench:
    """A publisher, and what a subscriber has received: message and attributes."""

    publisher: Any
    received: Any


def memory() -> Bench:
    publisher = MemoryPublisher()

    async def received(count: int) -> list[tuple[dict[str, Any], dict[str, str]]]:
        assert len(publisher.published) == count
        return publisher.published

    return Bench(publisher, received)


async def subscribe(clients: Any, topic: str, **subscription: str) -> str:
    """A new queue, subscribed with raw delivery."""
    url = (await clients.sqs.create_queue(QueueName=f"test-{uuid.uuid4()}"))["QueueUrl"]
    answer = await clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    await clients.sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=answer["Attributes"]["QueueArn"],
        Attributes={"RawMessageDelivery": "true"} | subscription,
    )
    return url


async def receive(clients: Any, url: str, count: int) -> list[tuple[dict[str, Any], dict[str, str]]]:
    found: list[Any] = []
    while len(found) < count:
        answer = await clients.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=5, MessageAttributeNames=["All"]
        )
        assert answer.get("Messages"), f"{len(found)} of {count} came"
        found += answer["Messages"]
    return [
        (json.loads(m["Body"]), {n: v["StringValue"] for n, v in m.get("MessageAttributes", {}).items()}) for m in found
    ]


@pytest.fixture(params=["memory", "sns"])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    if request.param == "memory":
        yield memory()
        return
    variables = request.getfixturevalue("aws_environment")
    async with AsyncExitStack() as stack:
        clients, topic = await open_clients(stack), variables["GENOFERRY_TOPIC_ARN"]
        url = await subscribe(clients, topic)
        yield Bench(SnsPublisher(clients.sns, topic), lambda count: receive(clients, url, count))


async def test_message_and_attributes_arrive_as_they_were(bench):
    known = attributes("Failed", "u-1", name="N", experiment_id="EXP:1@x", traceparent=None)
    await bench.publisher.publish(json.dumps({"event": "Failed", "text": "ü\n"}), known)
    ((message, received),) = await bench.received(1)
    assert message == {"event": "Failed", "text": "ü\n"}
    assert received == {"event": "Failed", "uuid": "u-1", "name": "N", "experimentId": "EXP:1@x"}


async def test_a_message_of_the_largest_size_arrives(bench):
    known = attributes("Result", "u-1", name="N", experiment_id="E", traceparent=None)
    frame = json.dumps({"pad": ""})
    message = json.dumps({"pad": "x" * (MAX_PUBLISH_BYTES - len(frame) - encoded_size("", known))})
    assert encoded_size(message, known) == MAX_PUBLISH_BYTES
    await bench.publisher.publish(message, known)
    ((received, _),) = await bench.received(1)
    assert received == json.loads(message)


async def test_a_subscriber_filters_by_attributes(aws_environment):
    async with AsyncExitStack() as stack:
        clients, topic = await open_clients(stack), aws_environment["GENOFERRY_TOPIC_ARN"]
        mine = str(uuid.uuid4())
        policy = json.dumps({"event": ["Succeeded"], "experimentId": [mine]})
        url = await subscribe(clients, topic, FilterPolicy=policy)
        publisher = SnsPublisher(clients.sns, topic)
        for event, experiment in (("Failed", mine), ("Succeeded", "other"), ("Succeeded", mine)):
            known = attributes(event, "u", name="N", experiment_id=experiment, traceparent=None)
            await publisher.publish(json.dumps({"event": event, "of": experiment}), known)
        ((message, _),) = await receive(clients, url, 1)
        assert message == {"event": "Succeeded", "of": mine}


async def test_a_topic_that_is_gone_is_an_error_of_ours(aws_environment):
    async with AsyncExitStack() as stack:
        clients = await open_clients(stack)
        with pytest.raises(NotFound):
            await SnsPublisher(clients.sns, aws_environment["GENOFERRY_TOPIC_ARN"] + "-gone").publish("{}", {})
