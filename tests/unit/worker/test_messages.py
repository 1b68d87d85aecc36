"""Messages that are no new job: bad ones, copies, conflicts, cancellations, and the same uuid again."""

from __future__ import annotations

import asyncio
import json

import pytest

from genoferry.contracts.events import Event
from genoferry.errors import ServiceUnavailable, SourceNotAllowed, SubmitFailed, ZeroMatches
from genoferry.ledger.row import CancelMark
from genoferry.testing.clock import simulated

CANARY = "CANARYd34db33f"


def body_of(world, **pipeline):
    body = json.loads(json.dumps(world.request()["body"]))
    body["pipeline_param"] |= pipeline
    return body


BAD = {
    "not-json": lambda w: '{"uuid": "00000000-0000-4000-8000-000000000000", oops ' + CANARY,
    "not-an-object": lambda w: json.dumps([CANARY]),
    "message-too-large": lambda w: json.dumps(w.request() | {"socketId": CANARY * 12_000}),
    "invalid-envelope": lambda w: w.request(timeout=CANARY),
    "unknown-name": lambda w: w.request(body={"name": CANARY}),
    "invalid-body": lambda w: w.request(body=w.request()["body"] | {CANARY: CANARY}),
}


@pytest.mark.parametrize("code", BAD)
def test_a_bad_message_is_rejected_kept_and_deleted_and_the_worker_goes_on(world, uuids, code):
    @simulated
    async def story():
        world.start()
        document = BAD[code](world)
        text = document if isinstance(document, str) else json.dumps(document)
        world.queue.send(text, message_id="m-1")
        await world.until(lambda: world.queue.dead)
        ((message, body, cause),) = world.queue.dead
        assert (message.id, cause["originalMessageId"], cause["code"]) == ("m-1", "m-1", code)
        assert set(cause) == {"code", "cause", "time", "workerVersion", "originalMessageId"}
        assert body == text
        told = [(m, a) for m, a in world.publisher.published if m["event"] == "Rejected"]
        ((event, attributes),) = told
        assert (event["event_id"], event["error"]["code"]) == ("m-1", code)
        named = {} if code == "not-an-object" else {"uuid": uuids[0]}
        assert [{k: v for k, v in part.items() if k == "uuid"} for part in (event, attributes)] == [named, named]
        assert "sequence" not in event
        assert len(event["error"]["userMessage"].encode()) <= 1024
        assert CANARY not in json.dumps([event["error"], attributes, dict(cause)])
        await world.until(lambda: not world.queue.in_flight)
        assert not world.queue.waiting
        world.send(number=1)
        world.playing()
        await world.settled(1, "SUCCEEDED")

    story()


NAMELESS = {
    "no-uuid": json.dumps({"experimentId": "e", "body": {"name": "CalculateScores"}}),
    "empty-uuid": json.dumps({"uuid": "", "experimentId": "e", "body": {"name": "CalculateScores"}}),
    "uuid-null": json.dumps({"uuid": None, "experimentId": "e", "body": {"name": "CalculateScores"}}),
    "not-json": "hello",
    "a-number": "7",
}


@pytest.mark.parametrize("text", NAMELESS.values(), ids=NAMELESS)
def test_without_a_uuid_the_rejection_is_published(world, text):
    @simulated
    async def story():
        world.start()
        world.queue.send(text, message_id="m-1")
        await world.until(lambda: world.queue.dead)
        ((event, attributes),) = world.publisher.published
        assert (event["event"], event["event_id"]) == ("Rejected", "m-1")
        assert not {"uuid", "sequence"} & set(event)
        assert attributes == {"event": "Rejected"}
        assert Event.model_validate(event).wire() == event

    story()


@simulated
async def test_a_redelivered_rejection_keeps_its_event_id(world):
    world.start()
    for _ in range(2):
        world.queue.send("hello", message_id="m-1")
    await world.until(lambda: len(world.queue.dead) == 2)
    assert [m["event_id"] for m, _ in world.publisher.published] == ["m-1", "m-1"]


@simulated
async def test_a_body_too_large_for_a_dead_letter_is_kept_in_the_bucket(world):
    world.start()
    text = json.dumps({"uuid": "x", "pad": "é" * 300_000}, ensure_ascii=False)
    world.queue.send(text, message_id="m-1")
    await world.until(lambda: world.queue.dead)
    ((_, body, _),) = world.queue.dead
    assert json.loads(body) == {"body": "s3://work/rejected/m-1.json"}
    assert world.work.content["rejected/m-1.json"].decode() == text


@simulated
async def test_a_bare_job_request_that_is_bad_is_told_of_under_its_own_uuid(world):
    """Its uuid can be read: it follows from pipeline_param.id."""
    world.start()
    bare = {k: v for k, v in world.request()["body"].items() if k != "name"} | {"bad": 1}
    world.queue.send(json.dumps(bare), group_id="EXP1")
    await world.until(lambda: world.queue.dead)
    (event, attributes) = world.publisher.published[0]
    assert event["event"] == "Rejected"
    assert attributes["experimentId"] == "EXP1"


@simulated
async def test_what_the_deployment_does_not_offer_is_rejected(world):
    world.start()
    document = world.request()
    params = {"pgs_id": None, "trait_efo": "EFO_0004214", "target_build": "GRCh38"}
    document["body"]["pipeline_param"] |= {"nxf_params_file": params}
    document["body"]["scorefiles"] = None
    world.send(document)
    await world.until(lambda: world.queue.dead)
    assert world.messages("Rejected")[0]["error"]["code"] == "not-offered"
    assert not world.ledger._rows


@simulated
async def test_a_source_that_is_not_allowed_is_rejected(world):
    def refuse(_):
        raise SourceNotAllowed

    world.stager.refused = refuse
    world.start()
    world.send()
    await world.until(lambda: world.queue.dead)
    assert world.messages("Rejected")[0]["error"]["code"] == "source-not-allowed"
    assert not world.ledger._rows


@simulated
async def test_a_message_that_fails_for_an_unknown_cause_is_given_up_after_five_receives(world):
    def broken(_):
        raise ZeroDivisionError

    world.stager.refused = broken
    world.start()
    world.send()
    await world.until(lambda: world.queue.dead, within=3600)
    ((message, _, cause),) = world.queue.dead
    assert (message.receive_count, cause["code"]) == (5, "internal-error")
    assert world.messages("Rejected")


@simulated
async def test_a_message_that_fails_for_a_passing_cause_is_given_up_after_fifteen(world):
    def broken(_):
        raise ServiceUnavailable

    world.stager.refused = broken
    world.start()
    world.send()
    await world.until(lambda: world.queue.dead, within=24 * 3600)
    ((message, _, cause),) = world.queue.dead
    assert (message.receive_count, cause["code"]) == (15, "too-many-receives")


@simulated
async def test_while_the_ledger_does_not_answer_nothing_is_received(world):
    world.start()
    await asyncio.sleep(60)
    life = world.lives["a"]
    life.broken = lambda what: what.startswith("ledger.")
    world.send()
    await asyncio.sleep(120)
    received = life.calls.count("queue.receive")
    await asyncio.sleep(3600)
    assert life.calls.count("queue.receive") == received
    assert len([c for c in life.calls if c.startswith("ledger.")]) < 3600, "it backs off"
    life.broken = lambda _: False
    world.playing()
    await world.settled(state="SUCCEEDED")
    assert not world.queue.dead


@simulated
async def test_a_publisher_that_is_down_for_an_hour_loses_and_reorders_nothing(world):
    world.start()
    world.lives["a"].broken = lambda what: what == "publisher.publish"
    world.send()
    world.playing()
    await world.until(lambda: "SUCCEEDED" in {r.state for r in world.ledger._rows.values()})
    kept = [e.event_id for e in world.row().outbox if e.event != "Progress"]
    await asyncio.sleep(3600)
    assert not world.publisher.published
    assert [e.event_id for e in world.row().outbox if e.event != "Progress"] == kept
    calls = world.lives["a"].calls
    assert calls.count("publisher.publish") < 1000, "it backs off"
    world.lives["a"].broken = lambda _: False
    await world.settled(state="SUCCEEDED")
    told = [m for m, _ in world.publisher.published]
    assert [m["event_id"] for m in told if m["event"] != "Progress"] == kept
    assert [m["sequence"] for m in told] == sorted(m["sequence"] for m in told)


@simulated
async def test_an_error_of_ours_while_publishing_is_backed_off_and_fails_no_job(world):
    """Not the topic's fault, nor the job's."""
    world.start()
    life = world.lives["a"]
    real = world.publisher.publish

    async def broken(message, attributes):
        raise ZeroDivisionError

    world.publisher.publish = broken
    world.send()
    world.playing()
    await asyncio.sleep(600)
    assert len(life.calls) < 20_000, "no busy loop"
    assert world.row().state == "SUCCEEDED"
    await asyncio.sleep(600)
    assert life.calls.count("publisher.publish") < 300, "no busy loop"
    world.publisher.publish = real
    await world.settled(state="SUCCEEDED")
    assert world.events() == ["Requested", "Created", "Deployed", "Succeeded", "Result"]


@simulated
async def test_the_same_message_twice_at_once_on_two_workers(world):
    world.start("a")
    world.start("b")
    await asyncio.sleep(1)
    for _ in range(6):
        world.send(message_id="same")
    world.playing()
    await world.settled(state="SUCCEEDED")
    await world.until(lambda: not world.queue.in_flight and not world.queue.waiting)
    assert world.publisher.events() == ["Requested", "Created", "Deployed", "Succeeded", "Result"]
    assert len(world.runner.submitted) == 1


@simulated
async def test_a_message_that_comes_again_after_the_end_acts_once(world):
    world.start()
    world.send(message_id="same", onDuplicate="restart")
    world.playing()
    await world.settled(state="SUCCEEDED")
    told = len(world.publisher.published)
    world.send(message_id="same", onDuplicate="restart")
    await world.until(lambda: not world.queue.in_flight and not world.queue.waiting)
    await asyncio.sleep(60)
    assert len(world.publisher.published) == told
    assert world.row().attempt == 1


@simulated
async def test_the_same_uuid_with_another_body_is_a_conflict_and_the_job_goes_on(world):
    world.start()
    world.send()
    job = await world.job()
    world.send(body=body_of(world, id="OTHER"), message_id="other")
    await world.until(lambda: world.queue.dead)
    rejected = world.messages("Rejected")[0]
    assert (rejected["error"]["code"], rejected["event_id"]) == ("conflict", "other")
    assert "sequence" not in rejected
    job.run()
    job.succeed()
    await world.settled(state="SUCCEEDED")


@simulated
async def test_the_same_uuid_of_another_experiment_is_a_conflict(world):
    world.start()
    world.send()
    await world.job()
    world.send(experimentId="EXP2")
    await world.until(lambda: world.queue.dead)
    assert world.messages("Rejected")[0]["error"]["code"] == "conflict"


@simulated
async def test_attach_tells_the_present_state_again_under_a_new_sequence(world):
    world.start()
    world.send()
    job = await world.job()
    await world.until(lambda: not world.owed())
    world.send(socketId="new")
    await world.until(lambda: len(world.messages("Created")) == 2 and not world.owed())
    first, second = world.messages("Created")
    assert second["sequence"] > first["sequence"]
    assert second["event_id"] != first["event_id"]
    assert second["socketId"] == "new"
    job.run()
    job.succeed()
    await world.settled(state="SUCCEEDED")
    world.send()
    await world.until(lambda: len(world.messages("Result")) == 2)
    succeeded, result = world.messages("Succeeded")[1], world.messages("Result")[1]
    assert succeeded["verified"] == "size"
    assert result["sequence"] == succeeded["sequence"] + 1
    assert result["results"] == world.messages("Result")[0]["results"]
    assert world.row().attempt == 1


@pytest.mark.parametrize("how", ["retry-if-failed", "restart"])
def test_on_a_live_job_both_mean_attach(world, how):
    @simulated
    async def story():
        world.start()
        world.send()
        job = await world.job()
        await world.until(lambda: not world.owed())
        world.send(onDuplicate=how)
        await world.until(lambda: len(world.messages("Created")) == 2)
        job.run()
        job.succeed()
        await world.settled(state="SUCCEEDED")
        assert len(world.runner.submitted) == 1

    story()


@pytest.mark.parametrize(
    ("how", "ended", "attempts"),
    [
        ("attach", "FAILED", 1),
        ("attach", "SUCCEEDED", 1),
        ("retry-if-failed", "FAILED", 2),
        ("retry-if-failed", "CANCELLED", 2),
        ("retry-if-failed", "EXPIRED", 2),
        ("retry-if-failed", "SUCCEEDED", 1),
        ("restart", "FAILED", 2),
        ("restart", "SUCCEEDED", 2),
        ("restart", "CANCELLED", 2),
    ],
)
def test_on_a_job_that_ended(world, uuids, how, ended, attempts):
    @simulated
    async def story():
        world.start()
        if ended == "EXPIRED":
            world.send(timeout="2020-01-01T00:00:00Z")
        else:
            world.send()
            job = await world.job()
            if ended == "CANCELLED":
                world.cancel(uuids[0])
            else:
                job.run()
                job.succeed() if ended == "SUCCEEDED" else job.fail(ZeroMatches())
        await world.settled(state=ended)
        told = len(world.publisher.published)
        world.send(onDuplicate=how, message_id="again")
        if attempts == 2:
            second = await world.job(attempt=2)
            assert second.file().nonce
            second.run()
            second.succeed()
            row = await world.settled(state="SUCCEEDED")
            assert world.messages("Requested")[-1]["attempt"] == 2
            await world.until(lambda: world.messages("Result"))
            assert world.messages("Result")[-1]["attempt"] == 2
        else:
            await world.until(lambda: len(world.publisher.published) > told)
            row = await world.settled(state=ended)
        assert row.attempt == attempts
        world.send(onDuplicate=how, message_id="again")
        await asyncio.sleep(60)
        assert world.row().attempt == attempts
        sequences = [m["sequence"] for m, _ in world.publisher.published if "sequence" in m]
        assert sequences == sorted(set(sequences))

    story()


@simulated
async def test_sixteen_attempts_and_no_more(world):
    world.start()
    world.send()
    for attempt in range(1, 17):
        job = await world.job(attempt=attempt)
        job.run()
        job.fail(ZeroMatches())
        await world.settled(state="FAILED")
        world.send(onDuplicate="restart")
    await world.until(lambda: world.queue.dead)
    assert world.messages("Rejected")[0]["error"]["code"] == "too-many-attempts"
    assert world.row().attempt == 16


@simulated
async def test_the_newest_timeout_counts(world):
    world.runner.submitted.clear()
    world.start()
    world.send(timeout="2099-01-01T00:00:00Z")
    await world.job()
    world.send(timeout="2026-01-01T00:00:00Z")
    await world.settled(state="EXPIRED")


@simulated
async def test_expired_before_it_was_accepted(world):
    world.start()
    world.send(timeout="2020-01-01 00:00:00")
    await world.settled(state="EXPIRED")
    assert world.events() == ["Requested", "Expired"]
    assert not world.runner.submitted


@simulated
async def test_a_timeout_that_passes_while_the_job_waits_for_room(worlds):
    world = worlds(compute={"max_running": 1})
    world.start()
    world.send()
    job = await world.job()
    job.run()
    world.send(number=1, timeout="2026-09-21T15:00:00Z")
    await world.until(lambda: "Requested" in world.events(1))
    world.jump(30 * 24 * 3600 - 47 * 3600)
    await world.settled(1, "EXPIRED")


CANCELLED_IN = ["REQUESTED", "STAGING", "SUBMITTED", "RUNNING"]


@pytest.mark.parametrize("state", CANCELLED_IN)
def test_cancel_in_each_state(worlds, uuids, state):
    @simulated
    async def story():
        world = worlds(compute={"max_running": 1})
        if state == "REQUESTED":
            world.start()
            world.send(number=1)
            await world.job(1)
        if state == "STAGING":
            world.stager.script["c_variants"] = lambda stop: stop.wait(30)
        world.start() if not world.workers else None
        world.send()
        await world.until(lambda: uuids[0] in world.ledger._rows)
        if state in ("SUBMITTED", "RUNNING"):
            job = await world.job()
            if state == "RUNNING":
                job.run()
        await world.until(lambda: world.row().state == state)
        world.cancel(uuids[0])
        row = await world.settled(state="CANCELLED")
        assert world.events()[-1] == "Cancelled"
        assert len(world.messages("Cancelled")) == 1
        if state in ("SUBMITTED", "RUNNING"):
            assert world.runner.cleaned == [job.name]
        else:
            assert not world.jobs(0)
        left = [k for k in world.work.content if k.startswith(f"{uuids[0]}/") and "request-" not in k]
        assert all(k.endswith("job.json") for k in left)
        assert row.lease_token is None
        assert not world.queue.dead

    story()


@simulated
async def test_cancel_of_a_job_that_has_ended_tells_of_its_end_again(world, uuids):
    world.start()
    world.send()
    world.playing()
    await world.settled(state="SUCCEEDED")
    world.cancel(uuids[0])
    await world.until(lambda: len(world.messages("Result")) == 2)
    assert world.row().state == "SUCCEEDED"
    assert not world.messages("Cancelled")


@simulated
async def test_cancel_before_the_request_is_honoured(world, uuids):
    world.start()
    world.cancel(uuids[0])
    await world.until(lambda: isinstance(world.ledger._rows.get(uuids[0]), CancelMark))
    world.send()
    await world.settled(state="CANCELLED")
    assert world.events() == ["Requested", "Cancelled"]
    assert not world.runner.submitted


@simulated
async def test_cancel_before_the_request_of_another_experiment_is_not(world, uuids):
    world.start()
    world.cancel(uuids[0], experiment="EVIL")
    await world.until(lambda: isinstance(world.ledger._rows.get(uuids[0]), CancelMark))
    world.send()
    world.playing()
    await world.settled(state="SUCCEEDED")


@simulated
async def test_cancel_of_another_experiments_job_is_rejected(world, uuids):
    world.start()
    world.send()
    await world.job()
    world.cancel(uuids[0], experiment="EVIL")
    await world.until(lambda: world.queue.dead)
    assert world.messages("Rejected", -1)[0]["error"]["code"] == "unknown-target"
    assert world.row().state == "SUBMITTED"


@simulated
async def test_a_cancellation_that_comes_in_the_midst_of_accepting(world, uuids):
    """Between the accepting worker's read and its write: the message must not be rejected."""
    world.start()
    real = world.ledger.put
    raced = []

    async def put(row, *, expected):
        if row.uuid == uuids[0] and not raced:
            raced.append(row)
            mark = CancelMark(uuid=row.uuid, experiment_id="EXP1", created_at=world.now())
            await real(mark, expected=None)
        await real(row, expected=expected)

    world.ledger.put = put
    world.send()
    await world.settled(state="CANCELLED")
    assert world.events() == ["Requested", "Cancelled"]
    assert not world.queue.dead


@simulated
async def test_cancel_and_restart_while_it_is_being_staged(world, uuids):
    """The staging of attempt 1 must not pass for that of attempt 2."""
    stopped = []

    def slow(stop):
        if not stopped:
            stopped.append(stop.wait(20))

    world.stager.script["c_variants"] = slow
    world.start()
    world.send()
    await world.until(lambda: uuids[0] in world.ledger._rows and world.row().state == "STAGING")
    world.cancel(uuids[0])
    await world.until(lambda: world.row().state == "CANCELLED")
    world.send(onDuplicate="restart", message_id="again")
    await world.until(lambda: world.row().attempt == 2)
    job = await world.job(attempt=2)
    assert [i.key for i in job.file().inputs] == world.inputs(attempt=2)
    job.run()
    job.succeed()
    await world.settled(state="SUCCEEDED")


@simulated
async def test_a_compute_that_refuses_the_job_fails_it(world):
    async def refuse(spec):
        raise SubmitFailed

    world.runner.submit = refuse
    world.start()
    world.send()
    await world.settled(state="FAILED")
    assert world.messages("Failed")[0]["error"]["code"] == "submit-failed"
    assert world.messages("Failed")[0]["trace_name"] is None
