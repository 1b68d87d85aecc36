"""One job through a worker: every event, in order; every trace of it removed."""

from __future__ import annotations

import asyncio

import pytest

from genoferry.contracts.events import ProgressInfo
from genoferry.contracts.jobfile import JobDocument
from genoferry.contracts.reports import ScoreReport
from genoferry.ledger.row import Row
from genoferry.testing.clock import simulated
from genoferry.testing.job_double import CALCULATED

IN_ORDER = ["Requested", "Created", "Deployed", "Succeeded", "Result"]


@simulated
async def test_a_job_is_told_of_in_order_and_leaves_only_its_results(world, uuids):
    world.start()
    world.send(socketId="socket-1")
    job = await world.job()
    job.run()
    await world.until(lambda: world.row().state == "RUNNING")
    job.succeed()
    row = await world.settled(state="SUCCEEDED")

    assert world.publisher.events(uuids[0]) == IN_ORDER
    sequences = [m["sequence"] for m, _ in world.publisher.published]
    assert sequences == sorted(set(sequences))
    assert all(m["socketId"] == "socket-1" for m, _ in world.publisher.published)
    assert world.messages("Succeeded")[0]["verified"] == "size"
    (result,) = world.messages("Result")
    assert result["results"][0]["type"] == "s3-path"
    assert result["results"][0]["body"] == f"s3://results/{uuids[0]}/1/aggregated_scores.txt.gz"
    assert list(world.results.content) == [f"{uuids[0]}/1/aggregated_scores.txt.gz"]
    left = [key for key in world.work.content if not key.startswith(f"{uuids[0]}/request-")]
    assert left == [f"{uuids[0]}/1/job.json"]
    assert JobDocument.validate_json(world.work.content[left[0]]).kind == "tombstone"
    assert world.runner.cleaned == [job.name]
    assert not world.queue.in_flight
    assert not world.queue.waiting
    assert await world.ledger.owed() == []
    assert row.attempt == 1


LEFT_OUT = ScoreReport(id="PGS000002", status="failed", reason="Only 40% of its variants match.")


@pytest.mark.parametrize(("scores", "done"), [([CALCULATED, LEFT_OUT, CALCULATED], 2), ([CALCULATED], 1)])
def test_succeeded_counts_the_scores_calculated(world, scores, done):
    """When it is published once more, too."""

    @simulated
    async def story():
        world.start()
        world.send()
        job = await world.job()
        job.run()
        job.succeed(scores=scores)
        row = await world.settled(state="SUCCEEDED")
        world.send(message_id="again")
        await world.until(lambda: len(world.messages("Result")) == 2)
        counts = {"done": done, "total": len(scores), "unit": "scores"}
        assert [event["summary"] for event in world.messages("Succeeded")] == [counts, counts]
        assert row.summary.model_dump() == counts
        world.send(onDuplicate="restart")
        await world.job(attempt=2)
        assert world.row().summary is None

    story()


@simulated
async def test_no_report_of_scores_gives_no_summary(world):
    world.start()
    world.send()
    job = await world.job()
    job.run()
    job.succeed(scores=())
    await world.settled(state="SUCCEEDED")
    assert "summary" not in world.messages("Succeeded")[0]


@simulated
async def test_attributes_let_a_subscriber_filter(world, uuids):
    world.start()
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    world.send(traceparent=trace)
    await world.until(lambda: "Requested" in world.events())
    _, attributes = world.publisher.published[0]
    assert attributes == {
        "event": "Requested",
        "uuid": uuids[0],
        "name": "CalculateScores",
        "experimentId": "EXP1",
        "traceparent": trace,
    }


@simulated
async def test_progress_of_the_job_is_passed_on_while_it_runs(world):
    world.start()
    world.send()
    job = await world.job()
    job.run()
    await world.until(lambda: world.row().state == "RUNNING")
    for done in range(40):
        job.report(ProgressInfo(phase="match", done=done, total=40, unit="steps"))
        await world.until(lambda: not world.reports.waiting and not world.reports.in_flight)
    await world.until(lambda: not world.row().outbox)
    told = world.messages("Progress")
    assert 1 <= len(told) <= 3, "at most one in 15 s"
    assert told[0]["progress"]["phase"] == "match"


@simulated
async def test_watching_a_running_job_reads_no_bucket(world):
    world.start()
    world.send()
    job = await world.job()
    job.run()
    await world.until(lambda: world.row().state == "RUNNING")
    world.lives["a"].calls.clear()
    for done in range(40):
        job.report(ProgressInfo(phase="MATCH_VARIANTS", done=done, total=40, unit="processes"))
        await asyncio.sleep(15)
    await world.until(lambda: len(world.messages("Progress")) >= 30)
    assert not [call for call in world.lives["a"].calls if call.startswith(("work.", "results."))]


@simulated
async def test_without_a_single_hint_the_job_is_finished_all_the_same(world):
    world.start()
    world.send()
    job = await world.job()
    job.run()
    job.succeed(hint=False)
    await world.settled(state="SUCCEEDED")
    assert world.events() == IN_ORDER


@simulated
async def test_many_jobs_two_workers_each_once(worlds):
    world = worlds(compute={"max_running": 5}, staging={"jobs_at_once": 2})
    world.start("a")
    world.start("b")
    for number in range(20):
        world.send(number=number)
    world.playing(3)
    for number in range(20):
        await world.settled(number, "SUCCEEDED")
        assert world.events(number) == IN_ORDER
    assert len(world.runner.submitted) == 20
    assert set(world.stager.staged.values()) == {1}
    assert not world.queue.dead


@simulated
async def test_no_more_run_at_once_than_the_limit_lets_in(worlds):
    world = worlds(compute={"max_running": 3}, staging={"jobs_at_once": 3})
    world.start("a")
    world.start("b")
    most = 0
    for number in range(9):
        world.send(number=number)
    world.playing(3)

    def ended() -> bool:
        nonlocal most
        rows = [r for r in world.ledger._rows.values() if isinstance(r, Row)]
        most = max(most, sum(r.state not in ("REQUESTED",) and not r.terminal for r in rows))
        return len(rows) == 9 and all(r.terminal for r in rows)

    await world.until(ended)
    assert most == 3


@simulated
async def test_an_experiment_with_many_jobs_does_not_keep_another_waiting(worlds):
    world = worlds(compute={"max_running": 2})
    for number in range(5):
        world.send(number=number, experimentId="MANY")
    world.send(number=5, experimentId="ONE")
    world.start()
    world.playing(2)
    await world.settled(5)
    assert sum(world.row(number).terminal for number in range(5)) <= 2


@simulated
async def test_drain_ends_when_nothing_is_owed(world):
    worker = world.start(drain=True)
    world.send()
    world.playing(2)
    await world.tasks["a"]
    assert worker is world.workers["a"]
    assert world.row().state == "SUCCEEDED"
    assert not world.owed()
