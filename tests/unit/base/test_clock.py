"""Virtual time: hours pass in no time, threads are waited for, and a simulation that is stuck says so."""

from __future__ import annotations

import asyncio

import pytest

from genoferry.testing.clock import START_MILLIS, millis, monotonic, simulated, until


@simulated
async def test_hours_pass_in_order_and_in_no_time():
    ended = []

    async def sleeper(hours):
        await asyncio.sleep(hours * 3600)
        ended.append(hours)

    await asyncio.gather(*(sleeper(hours) for hours in (3, 1, 2)))
    assert ended == [1, 2, 3]
    assert monotonic() == pytest.approx(3 * 3600)
    assert millis() == START_MILLIS + 3 * 3_600_000


@simulated
async def test_a_thread_is_waited_for():
    assert await asyncio.to_thread(lambda: "done") == "done"
    assert monotonic() < 5


@simulated
async def test_a_condition_that_never_comes_is_a_timeout():
    with pytest.raises(TimeoutError):
        await until(lambda: False, within=100)
    assert monotonic() == pytest.approx(100)


def test_what_a_test_leaves_running_is_ended():
    seen = []

    @simulated
    async def story():
        async def stubborn():
            try:
                await asyncio.sleep(1000)
            finally:
                await asyncio.sleep(1)
                seen.append("wound up")

        seen.append(asyncio.create_task(stubborn()))
        await asyncio.sleep(0)

    story()
    assert seen[0].done()


def test_a_failure_in_a_story_is_the_tests(monkeypatch):
    @simulated
    async def story():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        story()
    monkeypatch.setattr("genoferry.testing.clock.STUCK_SECONDS", 0.01)
    with pytest.raises(RuntimeError, match="stuck"):
        simulated(lambda: asyncio.Event().wait())()
