"""kill -9 of a worker, at each named fault point and around every single call it makes: nothing is lost or doubled."""

from __future__ import annotations

import asyncio

import pytest

from genoferry import faults
from genoferry.errors import ServiceUnavailable, VersionConflict
from genoferry.testing.clock import simulated

SHORT = {"worker": {"lease_seconds": 6, "watch_seconds": 3}}
"""Settings by which another worker takes over soon: fewer turns to simulate."""
IN_ORDER = ["Requested", "Created", "Deployed", "Succeeded", "Result"]


async def finish(world):
    """Another worker comes; the job must end well, told of in full, its attempt submitted once."""
    world.start("b")
    await world.settled(state="SUCCEEDED")
    assert world.events() == IN_ORDER
    assert len(world.runner.submitted) == 1
    assert world.row().attempt == 1
    told = {}
    for message, _ in world.publisher.published:
        assert told.setdefault(message["event_id"], message) == message, "one event_id, one content"
    assert await world.ledger.owed() == []
    left = [key for key in world.work.content if not key.startswith(f"{world.row().uuid}/request-")]
    assert left == [f"{world.row().uuid}/1/job.json"]


@pytest.mark.parametrize("point", sorted(faults.POINTS))
def test_killed_at_a_fault_point(world, point):
    @simulated
    async def story():
        world.start("a")
        world.arm("a", point)
        world.send()
        world.playing(2)
        await world.until(lambda: world.lives["a"].dead)
        await finish(world)

    story()


def calls_of_one_job(worlds):
    """The names of the calls that a worker makes for one job, in order."""

    @simulated
    async def count():
        world = worlds(**SHORT)
        world.start("a")
        world.send()
        world.playing(2)
        await world.settled(state="SUCCEEDED")
        calls.extend(world.lives["a"].calls)

    calls: list[str] = []
    count()
    assert len(calls) > 50
    return calls


@pytest.mark.parametrize(
    ("side", "error"), [("before", ServiceUnavailable), ("after", ServiceUnavailable), ("after", VersionConflict)]
)
def test_trouble_around_every_call(worlds, side, error):
    """One failure at a time, before the call has its effect or after: an answer that is lost, and a write that was
    sent again and met itself. The worker goes on by itself, and nothing is lost or doubled."""
    calls = calls_of_one_job(worlds)
    for number in range(len(calls)):
        if error is VersionConflict and calls[number] not in ("ledger.put", "ledger.put_lease"):
            continue

        @simulated
        async def story(number=number):
            world = worlds(**SHORT)
            world.start("a")
            setattr(world.lives["a"], f"raise_{side}", number)
            world.lives["a"].error = error
            world.send()
            world.playing(2)
            await world.settled(state="SUCCEEDED")
            assert world.events() == IN_ORDER
            assert len(world.runner.submitted) == 1
            assert await world.ledger.owed() == []
            await world.until(lambda: not world.queue.in_flight and not world.queue.waiting)
            assert not world.queue.dead
            assert max(world.stager.staged.values()) <= 2

        try:
            story()
        except BaseException as failure:
            failure.add_note(f"{error.__name__} {side} call {number}: {calls[number]}")
            raise


@pytest.mark.parametrize("side", ["before", "after"])
def test_killed_around_every_call(worlds, side):
    """Each of the calls that a worker makes for one job, from the first receive to the last release."""

    calls = calls_of_one_job(worlds)
    for number in range(len(calls)):

        @simulated
        async def story(number=number):
            world = worlds(**SHORT)
            world.start("a")
            setattr(world.lives["a"], f"kill_{side}", number)
            world.send()
            world.playing(2)
            await world.until(lambda: world.lives["a"].dead)
            await finish(world)

        try:
            story()
        except BaseException as error:
            error.add_note(f"killed {side} call {number}: {calls[number]}")
            raise


async def lose_the_first(world):
    """The first attempt dies while it runs; later ones end well."""
    while True:
        for job in world.jobs():
            seen = world.runner.observations.get(job.name)
            if seen is not None and seen.phase == "pending":
                job.run()
            elif seen is not None and seen.phase == "running" and world.row().state == "RUNNING":
                job.die() if job.attempt == 1 else job.succeed(hint=False)
        await asyncio.sleep(2)


async def cancel_when_running(world):
    while not world.ledger._rows or world.row().state != "RUNNING":
        for job in world.jobs():
            job.run()
        await asyncio.sleep(1)
    world.cancel(world.row().uuid)


AGAIN = ["Created", "Deployed", "Succeeded", "Result"]


@pytest.mark.parametrize(
    ("script", "state", "events", "attempts"),
    [
        (lose_the_first, "SUCCEEDED", ["Requested", "Created", "Deployed", *AGAIN], 2),
        (cancel_when_running, "CANCELLED", ["Requested", "Created", "Deployed", "Cancelled"], 1),
    ],
)
def test_killed_around_every_call_of_a_job_that_does_not_go_straight(worlds, script, state, events, attempts):
    async def story(world, number=None):
        world.start("a")
        world.lives["a"].kill_before = number
        world.send()
        world.tasks["script"] = asyncio.create_task(script(world))
        if number is not None:
            await world.until(lambda: world.lives["a"].dead)
            world.start("b")
        await world.settled(state=state)
        assert world.events() == events
        assert [spec.attempt for spec in world.runner.submitted] == list(range(1, attempts + 1))
        assert world.row().attempt == attempts
        left = {key for key in world.work.content if "request-" not in key}
        assert left == {f"{world.row().uuid}/{n}/job.json" for n in range(1, attempts + 1)}
        assert len(world.results.content) == (state == "SUCCEEDED")
        assert not world.queue.dead

    whole = worlds(**SHORT)
    simulated(story)(whole)
    for number in range(len(whole.lives["a"].calls)):
        try:
            simulated(story)(worlds(**SHORT), number)
        except BaseException as error:
            error.add_note(f"killed before call {number}: {whole.lives['a'].calls[number]}")
            raise


@simulated
async def test_killed_twice_in_a_row_at_the_same_point(world):
    for name in ("a", "c"):
        world.start(name)
        world.arm(name, "submit")
    world.send()
    world.playing(2)
    await world.until(lambda: world.lives["a"].dead and world.lives["c"].dead)
    await finish(world)


@simulated
async def test_every_worker_gone_for_two_days_while_the_job_ends_well(world):
    """A deadline that passed while nobody looked must not undo what the job did in time."""
    world.start("a")
    world.send()
    job = await world.job()
    job.run()
    await world.until(lambda: world.row().state == "RUNNING" and not world.owed())
    world.kill("a")
    job.succeed(hint=False)
    world.jump(50 * 3600)
    await finish(world)


@simulated
async def test_every_worker_gone_while_the_job_starts_and_ends(world):
    world.start("a")
    world.send()
    job = await world.job()
    await world.until(lambda: not world.owed())
    world.kill("a")
    job.run()
    job.succeed(hint=False)
    world.jump(2 * 3600)
    await finish(world)


@simulated
async def test_every_worker_gone_while_a_job_with_a_timeout_starts_in_time(world):
    """`timeout`: worthless if not running by then. It was running."""
    world.start("a")
    world.send(timeout="2026-09-25T00:00:00Z")
    job = await world.job()
    await world.until(lambda: not world.owed())
    world.kill("a")
    job.run()
    world.jump(60 * 24 * 3600)
    world.start("b")
    await world.until(lambda: world.row().state != "SUBMITTED")
    assert world.row().state in ("RUNNING", "FAILED")
