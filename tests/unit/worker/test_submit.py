"""Submission over a job.json that exists already: only its own submitter goes on."""

from __future__ import annotations

import json

import pytest

from genoferry.contracts.jobfile import JobFile, Tombstone
from genoferry.contracts.keys import job_key
from genoferry.testing.clock import simulated


def other_submitter(uuid):
    """The job.json of a worker that lost this row's lease and wrote all the same, under its own nonce."""
    return JobFile(
        uuid=uuid,
        attempt=1,
        nonce="other",
        name="CalculateScores",
        params={},
        inputs=(),
        work_bucket="work",
        results_bucket="results",
        report_queue="reports",
    )


def ended_attempt(uuid):
    return Tombstone(uuid=uuid, attempt=1, reason="cleaned")


@pytest.mark.parametrize("document", [other_submitter, ended_attempt])
def test_anothers_job_file_stops_its_attempt(world, uuids, document):
    """The job program of that attempt believes the other nonce, so that this submitter's reports would never count."""

    @simulated
    async def story():
        world.work.content[job_key(uuids[0], 1)] = document(uuids[0]).model_dump_json().encode()
        world.start("a")
        world.send()
        await world.until(lambda: bool(world.runner.submitted))
        assert [spec.attempt for spec in world.runner.submitted] == [2]
        job = await world.job(attempt=2)
        intent = world.row().intent
        assert intent is not None
        assert json.loads(world.work.content[job_key(uuids[0], 2)])["nonce"] == intent.nonce
        job.run()
        job.succeed()
        await world.settled(state="SUCCEEDED")
        assert world.events() == ["Requested", "Created", "Deployed", "Succeeded", "Result"]

    story()


@simulated
async def test_a_killed_submitters_job_file_is_reused(world, uuids):
    """Its death after the write is the usual case: the next worker has the same intent, so the same nonce."""
    world.start("a")
    real = world.work.put_new

    async def last_words(key, body):
        written = await real(key, body)
        if key == job_key(uuids[0], 1):
            world.kill("a")
        return written

    world.work.put_new = last_words
    world.send()
    await world.until(lambda: world.lives["a"].dead)
    world.work.put_new = real
    world.start("b")
    await world.job(attempt=1)
    assert [spec.attempt for spec in world.runner.submitted] == [1]
