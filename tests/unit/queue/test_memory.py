"""The queue in memory, on virtual time: visibility as SQS has it."""

from __future__ import annotations

import asyncio

from genoferry.testing import MemoryQueue
from genoferry.testing.clock import monotonic, simulated


@simulated
async def test_a_long_poll_takes_its_whole_time_and_no_more():
    queue = MemoryQueue()
    assert await queue.receive(limit=10, wait_seconds=20) == []
    assert monotonic() == 20


@simulated
async def test_two_pollers_share_what_comes():
    queue = MemoryQueue()
    polls = [asyncio.create_task(queue.receive(limit=1, wait_seconds=20)) for _ in range(2)]
    await asyncio.sleep(1)
    queue.send("one")
    assert sorted(len(batch) for batch in await asyncio.gather(*polls)) == [0, 1]


@simulated
async def test_a_message_comes_back_after_its_visibility_under_a_new_receipt():
    queue = MemoryQueue(visibility_seconds=60)
    queue.send("x")
    (first,) = await queue.receive(limit=1, wait_seconds=0)
    await asyncio.sleep(59)
    assert not queue.waiting
    (second,) = await queue.receive(limit=1, wait_seconds=20)
    assert monotonic() == 60
    assert (second.id, second.receive_count) == (first.id, 2)
    assert second.receipt_handle != first.receipt_handle
    await queue.delete(first)
    assert queue.in_flight, "the first receipt is retired"
    await queue.delete(second)
    await asyncio.sleep(100)
    assert not queue.waiting


@simulated
async def test_hide_sets_the_time_anew():
    queue = MemoryQueue(visibility_seconds=60)
    queue.send("x")
    (message,) = await queue.receive(limit=1, wait_seconds=0)
    await queue.hide(message, 5)
    (message,) = await queue.receive(limit=1, wait_seconds=20)
    assert monotonic() == 5
    await queue.hide(message, 100)
    await asyncio.sleep(99)
    assert not queue.waiting
    await asyncio.sleep(2)
    assert queue.waiting
