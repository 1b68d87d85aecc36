"""Runners that die, clean-ups that fail, results that wait, groups that keep their order."""

from __future__ import annotations

import asyncio

import pytest

from genoferry.errors import AccessDenied, ServiceUnavailable
from genoferry.testing.clock import simulated


@pytest.mark.parametrize(("point", "attempt"), [("stage", 1), ("intent", 2), ("submit", 2)])
def test_a_job_of_a_host_that_died_before_it_ran_goes_on_at_another(world, point, attempt):
    """What may have been submitted there is lost: its attempt never runs under another host's name."""

    @simulated
    async def story():
        world.start("a")
        world.arm("a", point)
        world.send()
        await world.until(lambda: world.lives["a"].dead)
        other = type(world.runner)(key="other")
        world.start("b", runner=other)
        await world.until(lambda: len(other.submitted) == 1)
        assert other.submitted[0].attempt == attempt

    story()


@simulated
async def test_a_running_job_of_a_dead_host_is_left_to_its_deadline(world):
    """Its host may come back and find it running. If not, the backend is told all the same."""
    world.start("a")
    world.send()
    (await world.job()).run()
    await world.until(lambda: world.row().state == "RUNNING" and not world.owed())
    world.kill("a")
    other = type(world.runner)(key="other")
    world.start("b", runner=other)
    await asyncio.sleep(600)
    assert (world.row().state, other.submitted) == ("RUNNING", [])
    world.jump(world.settings.compute.run_deadline_seconds)
    row = await world.settled(state="FAILED")
    assert row.error.code == "run-deadline"
    assert world.events()[-1] == "Failed"


@simulated
async def test_a_clean_up_that_fails_holds_up_no_attempt(world):
    world.start("a")
    world.send()
    job = await world.job()
    job.run()

    async def denied(prefix):
        raise AccessDenied

    world.results.abort_uploads = denied
    job.die()
    second = await world.job(attempt=2)
    assert world.row().clean_up, "still owed"
    del world.results.abort_uploads
    second.run()
    second.succeed()
    await world.settled(state="SUCCEEDED")


@simulated
async def test_a_restart_waits_until_the_result_is_published(world):
    world.start("a")
    world.send()
    job = await world.job()
    job.run()
    await world.until(lambda: world.row().state == "RUNNING" and not world.owed())
    real = world.publisher.publish

    async def down(message, attributes):
        raise ServiceUnavailable

    world.publisher.publish = down
    job.succeed()
    await world.until(lambda: world.row().state == "SUCCEEDED")
    world.send(onDuplicate="restart", message_id="again")
    await asyncio.sleep(30)
    assert world.row().attempt == 1
    world.publisher.publish = real
    await world.until(lambda: world.row().attempt == 2)
    (result,) = world.messages("Result")
    assert result["attempt"] == 1
    assert result["results"]


@simulated
async def test_a_message_that_comes_back_holds_up_those_after_it_in_its_group(world):
    """The first of two bodies under one uuid is the one that counts, though the ledger fails at the first try."""
    real, tries = world.ledger.put, []

    async def fails_once(row, *, expected):
        tries.append(row)
        if len(tries) == 1:
            raise ServiceUnavailable
        await real(row, expected=expected)

    world.ledger.put = fails_once
    world.send(message_id="first", socketId="first")
    world.send(message_id="second", experimentId="EXP2")
    world.start("a")
    await world.until(lambda: bool(world.messages("Rejected")))
    assert world.row().socket_id == "first"
    assert world.messages("Rejected")[0]["event_id"] == "second"


@simulated
async def test_an_attach_redelivered_does_nothing(world):
    world.start("a")
    world.playing(1)
    world.send()
    await world.settled(state="SUCCEEDED")
    world.send(message_id="attach", socketId="one")
    await world.until(lambda: len(world.messages("Succeeded")) == 2)
    world.send(message_id="later", socketId="two")
    await world.until(lambda: len(world.messages("Succeeded")) == 3)
    world.send(message_id="attach", socketId="one")
    await asyncio.sleep(60)
    assert len(world.messages("Succeeded")) == 3
    assert world.row().socket_id == "two"


@simulated
async def test_what_a_stalled_submitter_left_is_swept(world):
    """A compute object of an attempt that is over and cleaned, as a submitter leaves that woke too late."""
    world.start("a")
    world.playing(1)
    world.send()
    row = await world.settled(state="SUCCEEDED")
    name = world.runner.submitted[0].name
    await world.runner.submit(world.runner.submitted[0])
    assert row.terminal
    await world.stopped("a")
    world.start("b")
    await world.until(lambda: name not in world.runner.observations)


@simulated
async def test_plaintext_that_comes_after_the_clean_up_is_taken_back(world, uuids):
    """A stager that stalled past its lease, while its job was cancelled and cleaned by another."""
    world.start("a")
    world.send()
    import threading

    go = threading.Event()
    world.stager.script["c_geno"] = lambda stop: (go.wait(20), stop.clear())
    await world.until(lambda: bool(world.stager.known))
    world.cancel(uuids[0])
    row = await asyncio.wait_for(_terminal(world), 900)
    go.set()
    await world.settled()
    assert row.state == "CANCELLED"
    assert not [key for key in world.work.content if "/inputs/" in key]


async def _terminal(world):
    await world.until(lambda: bool(world.ledger._rows) and world.row().terminal)
    return world.row()


@simulated
async def test_a_job_that_waits_to_be_staged_is_left_alone(worlds, uuids):
    """However many wait: a lease that is taken for nothing is two writes of its row."""
    world = worlds(compute={"max_running": 30}, staging={"jobs_at_once": 2})
    world.start()
    for number in range(30):
        world.send(uuid=uuids[number])
    for number in range(30):
        await world.until(lambda number=number: uuids[number] in world.ledger._rows)
        await world.until(lambda number=number: world.row(number).state == "SUBMITTED" and not world.row(number).outbox)
    versions = sorted(world.row(number).version for number in range(30))
    assert versions[-1] <= versions[0] + 3
