"""The request's traceparent: on every event, in the job's file; a bad one nowhere, and no error."""

from __future__ import annotations

import json

import pytest

from genoferry.queue.protocol import Message
from genoferry.testing.clock import simulated

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
OTHER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def with_attribute(world, text, value):
    """A message whose sender put the traceparent beside the body, as its tracing library does."""
    message = Message("m-1", "receipt-m-1", text, group_id="EXP1", attributes={"traceparent": value})
    world.queue.waiting.append(message)


def traces(world):
    """Of all that was published, by event."""
    return {(m["event"], attributes.get("traceparent")) for m, attributes in world.publisher.published}


@simulated
async def test_it_goes_on_to_every_event_and_attempt(world):
    world.start()
    world.send(traceparent=TRACE)
    first = await world.job()
    assert first.file().traceparent == TRACE
    first.run()
    await world.until(lambda: world.row().state == "RUNNING")
    first.die()
    second = await world.job(attempt=2)
    assert second.file().traceparent == TRACE
    second.run()
    second.succeed()
    await world.settled(state="SUCCEEDED")
    assert {trace for _, trace in traces(world)} == {TRACE}
    assert {event for event, _ in traces(world)} >= {"Requested", "Created", "Deployed", "Succeeded", "Result"}


@pytest.mark.parametrize(("field", "told"), [(None, TRACE), (OTHER, OTHER), ("CANARY", TRACE)])
def test_a_message_attribute_counts_where_the_envelope_has_none(world, field, told):
    @simulated
    async def story():
        with_attribute(world, json.dumps(world.request(traceparent=field)), TRACE)
        world.start()
        job = await world.job()
        assert job.file().traceparent == told
        assert {trace for _, trace in traces(world)} == {told}

    story()


@pytest.mark.parametrize("bad", ["CANARY", TRACE.upper(), "00-" + "0" * 32 + TRACE[35:], ""])
def test_a_bad_one_is_dropped_and_the_job_done(world, bad):
    @simulated
    async def story():
        with_attribute(world, json.dumps(world.request(traceparent=bad)), bad)
        world.start()
        world.playing()
        row = await world.settled(state="SUCCEEDED")
        assert row.traceparent is None
        assert {trace for _, trace in traces(world)} == {None}

    story()


@simulated
async def test_a_rejection_has_it_too(world, uuids):
    """Also where the envelope can't be read, and the attribute can."""
    world.start()
    world.send(traceparent=TRACE, body={"name": "Nothing"})
    await world.until(lambda: traces(world) == {("Rejected", TRACE)})
    with_attribute(world, json.dumps({"uuid": uuids[1], "oops": 1}), OTHER)
    await world.until(lambda: ("Rejected", OTHER) in traces(world))
