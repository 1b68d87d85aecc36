"""What a queue must do, by every provider: in memory, and SQS on the embedded AWS, standard and FIFO."""

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
from genoferry.queue.sqs import SqsQueue, queue_url
from genoferry.testing import MemoryQueue


@dataclass
class Bench:
    """A queue, and what stands outside of it: a sender, and someone who reads the dead letters."""

    queue: Any
    send: Any
    dead: Any


def memory() -> Bench:
    queue = MemoryQueue(visibility_seconds=1)

    async def send(body: str, group: str = "G") -> str:
        return queue.send(body, group_id=group)

    async def dead() -> list[tuple[str, dict[str, str]]]:
        return [(body, dict(cause)) for _, body, cause in queue.dead]

    return Bench(queue, send, dead)


async def sqs(stack: AsyncExitStack, *, fifo: bool) -> Bench:
    """A new queue with dead letters, on the embedded AWS."""
    client = (await open_clients(stack)).sqs
    suffix, name = (".fifo" if fifo else ""), f"test-{uuid.uuid4()}"
    attributes: dict[str, Any] = {"FifoQueue": "true"} if fifo else {}
    dead_url = (await client.create_queue(QueueName=f"{name}-dead{suffix}", Attributes=attributes))["QueueUrl"]
    arn = (await client.get_queue_attributes(QueueUrl=dead_url, AttributeNames=["QueueArn"]))["Attributes"]["QueueArn"]
    policy = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 20})}
    url = (await client.create_queue(QueueName=f"{name}{suffix}", Attributes=attributes | policy))["QueueUrl"]

    async def send(body: str, group: str = "G") -> str:
        extra = {"MessageGroupId": group} | ({"MessageDeduplicationId": str(uuid.uuid4())} if fifo else {})
        return (await client.send_message(QueueUrl=url, MessageBody=body, **extra))["MessageId"]

    async def dead() -> list[tuple[str, dict[str, str]]]:
        answer = await client.receive_message(
            QueueUrl=dead_url, MaxNumberOfMessages=10, WaitTimeSeconds=1, MessageAttributeNames=["All"]
        )
        return [
            (m["Body"], {n: v["StringValue"] for n, v in m.get("MessageAttributes", {}).items()})
            for m in answer.get("Messages", ())
        ]

    return Bench(SqsQueue(client, url, visibility_seconds=1), send, dead)


@pytest.fixture(params=["memory", "standard", "fifo"])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    async with AsyncExitStack() as stack:
        if request.param == "memory":
            yield memory()
        else:
            request.getfixturevalue("aws_environment")
            yield await sqs(stack, fifo=request.param == "fifo")


async def test_a_message_comes_with_its_id_body_and_group(bench):
    sent = await bench.send('{"ü": "\\ud83e"}', "EXP1")
    (message,) = await bench.queue.receive(limit=10, wait_seconds=2)
    assert (message.id, message.body, message.receive_count) == (sent, '{"ü": "\\ud83e"}', 1)
    assert message.group_id == "EXP1"


async def test_an_empty_queue_gives_nothing(bench):
    assert await bench.queue.receive(limit=10, wait_seconds=0) == []
    assert await bench.queue.receive(limit=10, wait_seconds=1) == []


async def test_a_receive_waits_for_what_comes(bench):
    import asyncio

    waiting = asyncio.create_task(bench.queue.receive(limit=1, wait_seconds=20))
    await asyncio.sleep(0.1)
    await bench.send("late")
    (message,) = await waiting
    assert message.body == "late"


async def test_at_most_the_limit(bench):
    for number in range(4):
        await bench.send(str(number), group=f"G{number}")
    got = []
    while len(got) < 4:
        batch = await bench.queue.receive(limit=3, wait_seconds=2)
        assert 0 < len(batch) <= 3
        got += [message.body for message in batch]
    assert sorted(got) == ["0", "1", "2", "3"]


async def test_what_is_deleted_does_not_come_again(bench):
    await bench.send("once")
    (message,) = await bench.queue.receive(limit=1, wait_seconds=2)
    await bench.queue.delete(message)
    await bench.queue.delete(message)
    assert await bench.queue.receive(limit=1, wait_seconds=2) == []


async def test_what_is_not_deleted_comes_again_and_is_counted(bench):
    sent = await bench.send("again")
    (first,) = await bench.queue.receive(limit=1, wait_seconds=2)
    (second,) = await bench.queue.receive(limit=1, wait_seconds=5)
    assert (second.id, second.body, second.receive_count) == (sent, "again", 2)
    await bench.queue.delete(second)
    assert await bench.queue.receive(limit=1, wait_seconds=2) == []
    assert first.id == second.id


async def test_what_is_hidden_comes_again_when_it_may(bench):
    await bench.send("soon")
    (first,) = await bench.queue.receive(limit=1, wait_seconds=2)
    await bench.queue.hide(first, 0)
    (second,) = await bench.queue.receive(limit=1, wait_seconds=5)
    assert second.receive_count == 2
    await bench.queue.hide(second, 4)
    assert await bench.queue.receive(limit=1, wait_seconds=2) == []
    (third,) = await bench.queue.receive(limit=1, wait_seconds=5)
    assert third.receive_count == 3


async def test_a_dead_letter_keeps_body_and_cause(bench):
    await bench.send("bad")
    (message,) = await bench.queue.receive(limit=1, wait_seconds=2)
    cause = {
        "code": "not-json",
        "cause": "ümlaut. " * 100,
        "time": "2026-01-01T00:00:00.000Z",
        "workerVersion": "0.1.0",
        "originalMessageId": message.id,
    }
    await bench.queue.dead_letter(message, "bad", cause)
    await bench.queue.delete(message)
    assert await bench.dead() == [("bad", cause)]


async def test_a_queue_is_found_by_name_or_url(aws_environment):
    async with AsyncExitStack() as stack:
        client = (await open_clients(stack)).sqs
        assert await queue_url(client, "http://host/1/name") == "http://host/1/name"
        found = await queue_url(client, "development-reports")
        assert found == aws_environment["GENOFERRY_REPORT_QUEUE"]
        with pytest.raises(NotFound, match="no-such-queue"):
            await queue_url(client, "no-such-queue")


async def test_a_queue_that_is_gone_is_an_error_of_ours(aws_environment):
    async with AsyncExitStack() as stack:
        client = (await open_clients(stack)).sqs
        url = aws_environment["GENOFERRY_REPORT_QUEUE"] + "-gone"
        queue = SqsQueue(client, url, visibility_seconds=1)
        with pytest.raises(NotFound):
            await queue.receive(limit=1, wait_seconds=0)
