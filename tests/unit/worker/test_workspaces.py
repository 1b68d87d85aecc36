"""The workspace that attempts share: named by the row, kept while an attempt may come, discarded at the end."""

from __future__ import annotations

import pytest

from genoferry.compute.protocol import Handle, JobSpec, job_name, parse_workspace_name, workspace_name
from genoferry.contracts.keys import workspace_prefix
from genoferry.errors import ZeroMatches
from genoferry.testing.clock import simulated


async def lost_once(world):
    """Attempt 2 runs after attempt 1 was lost; the double of it."""
    world.start()
    world.send()
    first = await world.job()
    first.run()
    await world.until(lambda: world.row().state == "RUNNING")
    first.die()
    second = await world.job(attempt=2)
    second.run()
    return second


@simulated
async def test_the_next_attempt_gets_the_same_workspace_and_the_end_discards_it(world):
    second = await lost_once(world)
    await world.until(lambda: not world.row().clean_up)
    assert len({spec.workspace for spec in world.runner.submitted}) == 1
    assert not world.runner.discarded, "attempt 2 goes on there"
    second.succeed()
    await world.settled(state="SUCCEEDED")
    assert world.runner.discarded == [world.runner.submitted[0].workspace]
    assert await world.runner.workspaces("development") == []


@pytest.mark.parametrize("end", ["fail", "cancel"])
def test_every_other_end_discards_it_too(world, end):
    @simulated
    async def story():
        second = await lost_once(world)
        if end == "cancel":
            world.cancel(world.row().uuid)
        else:
            second.fail(ZeroMatches())
        await world.settled(state="CANCELLED" if end == "cancel" else "FAILED")
        assert world.runner.discarded == [world.runner.submitted[0].workspace]

    story()


@simulated
async def test_a_cancellation_between_two_attempts_discards_it(world):
    world.start()
    world.send()
    (await world.job()).die()
    await world.until(lambda: world.row().attempt == 2)
    world.cancel(world.row().uuid)
    await world.settled(state="CANCELLED")
    assert await world.runner.workspaces("development") == []


@simulated
async def test_what_is_shared_in_the_bucket_outlives_a_lost_attempt_and_no_more(world, uuids):
    world.start()
    world.send()
    first = await world.job()
    key = workspace_prefix(uuids[0], 1) + "work/ab/cdef/.command.run"
    world.work.content[key] = b"shared"
    first.die()
    second = await world.job(attempt=2)
    await world.until(lambda: not world.row().clean_up)
    assert key in world.work.content
    assert second.file().staged_in == 1
    second.run()
    second.succeed()
    await world.settled(state="SUCCEEDED")
    assert key not in world.work.content


@simulated
async def test_a_job_asked_for_again_gets_a_workspace_of_its_own(world):
    world.start()
    world.send()
    first = await world.job()
    first.run()
    first.succeed()
    await world.settled(state="SUCCEEDED")
    world.send(onDuplicate="restart")
    await world.job(attempt=2)
    assert len({spec.workspace for spec in world.runner.submitted}) == 2


@simulated
async def test_a_workspace_that_a_stalled_worker_brought_back_is_swept(world, uuids):
    world.start()
    world.send()
    job = await world.job()
    job.run()
    job.succeed()
    await world.settled(state="SUCCEEDED")
    spec = world.runner.submitted[0]
    late = JobSpec(spec.uuid, 1, "late", spec.uri, spec.workspace)
    await world.runner.submit(late)
    await world.runner.clean(Handle(uuids[0], 1, "late", None))
    assert await world.runner.workspaces("development")
    await world.until(lambda: not world.runner.kept, within=8000)


def test_names_are_labels_and_tell_deployments_apart(uuids):
    alike = [f"genoferry-production-{name}" for name in "ab"]
    names = [job_name(d, uuids[0], 16) for d in alike] + [workspace_name(d, uuids[0], 16) for d in alike]
    assert len(set(names)) == 4
    assert all(len(name) <= 63 for name in names)
    assert parse_workspace_name(names[2], alike[0]) == (uuids[0], 16)
    assert parse_workspace_name(names[2], alike[1]) is None
