"""The runner's lease holder: what it makes of what it sees, of silence, and of trouble."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from genoferry.compute.protocol import JobSpec, Workspace, job_name, workspace_name
from genoferry.contracts.keys import exit_key
from genoferry.contracts.reports import ExitReport, OutputReport
from genoferry.errors import ComputeError, JobLost, JobOutOfDisk, NodeLost, ServiceUnavailable, ZeroMatches
from genoferry.testing import clock
from genoferry.testing.clock import simulated


async def running(world, number=0, attempt=1):
    job = await world.job(number, attempt)
    job.run()
    await world.until(lambda: world.row(number).state == "RUNNING")
    return job


def looks_of(world):
    """When it looks from now on, and at whose jobs."""
    looks, real = [], world.runner.observe

    async def observe(handles):
        looks.append((clock.monotonic(), [handle.uuid for handle in handles]))
        return await real(handles)

    world.runner.observe = observe
    return looks


@simulated
async def test_a_failure_is_told_with_its_process_and_its_exit(world):
    world.start()
    world.send()
    job = await running(world)
    job.fail(ZeroMatches(), trace_name="PGSCATALOG:MATCH_COMBINE", trace_exit=15)
    await world.settled(state="FAILED")
    (failed,) = world.messages("Failed")
    assert failed["error"]["code"] == "zero-matches"
    assert (failed["trace_name"], failed["trace_exit"]) == ("PGSCATALOG:MATCH_COMBINE", 15)
    assert not world.results.content
    assert not world.messages("Result")


@simulated
async def test_a_lost_attempt_is_followed_by_another_that_reads_the_inputs_where_they_are(world):
    world.start()
    world.send()
    job = await running(world)
    first = job.file()
    job.die()
    second = await world.job(attempt=2)
    assert second.file().inputs == first.inputs
    assert second.file().nonce != first.nonce
    assert all(i.key in world.work.content for i in second.file().inputs), "the clean-up left them"
    assert set(world.stager.staged.values()) == {1}, "nothing was staged again"
    second.run()
    second.succeed()
    await world.settled(state="SUCCEEDED")
    assert world.events() == ["Requested", "Created", "Deployed", "Created", "Deployed", "Succeeded", "Result"]
    left = {k for k in world.work.content if "request-" not in k}
    assert all(k.endswith("job.json") for k in left), "the inputs, too, are gone"


@simulated
async def test_the_log_tells_each_attempts_outcome(world):
    """Not what its backend makes of it: a local job that outlived its worker has no exit code to be seen."""
    world.start()
    with capture_logs() as logs:
        world.send()
        (await running(world)).die()
        second = await running(world, attempt=2)
        second.succeed()
        world.runner.set_phase(second.name, "failed", None)
        await world.settled(state="SUCCEEDED")
        world.send(number=1)
        (await running(world, number=1)).fail(ZeroMatches())
        await world.settled(1, "FAILED")
    ends = [entry for entry in logs if entry["event"] == "attempt ended"]
    assert [(end["outcome"], end["code"], end["exit_code"], end["backend_phase"]) for end in ends] == [
        ("lost", None, None, "failed"),
        ("succeeded", None, 0, "failed"),
        ("failed", "zero-matches", 1, "failed"),
    ]
    assert not any("phase" in end for end in ends)


@simulated
async def test_a_job_that_is_always_lost_fails(world):
    world.start()
    world.send()
    for attempt in (1, 2, 3):
        job = await running(world, attempt=attempt)
        job.die()
    await world.settled(state="FAILED")
    assert world.messages("Failed")[0]["error"]["code"] == "job-lost"
    assert len(world.runner.submitted) == 3


@pytest.mark.parametrize(
    ("cause", "code"),
    [("exit", "job-lost"), ("out-of-memory", "job-out-of-memory"), ("unschedulable", "job-unschedulable")],
)
def test_what_the_backend_says_of_a_failure_is_told_and_what_it_saw_printed_is_kept(worlds, cause, code):
    world = worlds(worker={"max_lost_attempts": 1})

    @simulated
    async def story():
        world.start()
        world.send()
        job = await running(world)
        seen = replace(world.runner.observations[job.name], phase="failed", reason="In its words.", cause=cause)
        world.runner.observations[job.name] = replace(seen, log_tail=("last line",))
        row = await world.settled(state="FAILED")
        (failed,) = world.messages("Failed")
        assert failed["error"]["code"] == code
        assert failed["error"]["userMessage"].endswith("(In its words.)")
        assert row.log_tail == ("last line",)

    story()


@pytest.mark.parametrize("reported", [True, False])
def test_the_runner_says_what_to_set(worlds, reported):
    """Whether the job or its backend says that the disk was full."""
    world = worlds(worker={"max_lost_attempts": 1})
    world.runner.advices["out-of-disk"] = "SETTING sets it."

    @simulated
    async def story():
        world.start()
        world.send()
        job = await running(world)
        if reported:
            job.fail(JobOutOfDisk())
        else:
            seen = world.runner.observations[job.name]
            world.runner.observations[job.name] = replace(seen, phase="failed", cause="out-of-disk", reason="Full.")
        await world.settled(state="FAILED")
        (failed,) = world.messages("Failed")
        assert failed["error"]["code"] == "job-out-of-disk"
        assert failed["error"]["userMessage"].endswith("SETTING sets it." if reported else "SETTING sets it. (Full.)")

    story()


@simulated
async def test_the_last_of_its_lost_attempts_still_names_the_process(world):
    world.start()
    world.send()
    for attempt in (1, 2, 3):
        job = await running(world, attempt=attempt)
        job.fail(NodeLost(), trace_name="PGSC:MATCH_COMBINE", trace_exit=143, log_tail=("node is going down",))
    row = await world.settled(state="FAILED")
    (failed,) = world.messages("Failed")
    assert (failed["error"]["code"], failed["trace_name"], failed["trace_exit"]) == (
        "node-lost",
        "PGSC:MATCH_COMBINE",
        143,
    )
    assert row.log_tail == ("node is going down",)


@simulated
async def test_a_passing_error_of_the_job_is_a_lost_attempt(world):
    world.start()
    world.send()
    job = await running(world)
    job.fail(JobLost())
    await world.job(attempt=2)


@simulated
async def test_success_without_an_exit_report_is_a_failure_of_its_own(world):
    world.start()
    world.send()
    job = await running(world)
    world.runner.set_phase(job.name, "succeeded", 0)
    await world.settled(state="FAILED")
    assert world.messages("Failed")[0]["error"]["code"] == "no-exit-report"


@pytest.mark.parametrize("wrong", ["nonce", "attempt", "uuid", "text"])
def test_a_report_that_is_not_this_attempts_does_not_count(world, uuids, wrong):
    @simulated
    async def story():
        world.start()
        world.send()
        job = await running(world)
        known = {"uuid": uuids[0], "attempt": 1, "nonce": job.file().nonce, "exit_code": 0}
        known |= {"nonce": {"nonce": "stale"}, "attempt": {"attempt": 2}, "uuid": {"uuid": uuids[1]}}.get(wrong, {})
        job.write_exit(ExitReport(**known))
        if wrong == "text":
            world.work.content[f"{uuids[0]}/1/exit.json"] = b"\xff{"
        world.runner.set_phase(job.name, "succeeded", 0)
        await world.settled(state="FAILED")
        assert world.messages("Failed")[0]["error"]["code"] == "no-exit-report"

    story()


@simulated
async def test_an_exit_report_wins_over_what_the_compute_says(world):
    world.start()
    world.send()
    job = await running(world)
    job.succeed(hint=False)
    world.runner.set_phase(job.name, "failed", -9)
    await world.settled(state="SUCCEEDED")


@simulated
async def test_gone_takes_two_looks_and_a_minute(world):
    world.start()
    world.send()
    job = await running(world)
    seen = world.runner.observations.copy()
    job.vanish()
    await asyncio.sleep(50)
    assert world.row().attempt == 1
    world.runner.observations.update(seen)
    await asyncio.sleep(30)
    job.vanish()
    await asyncio.sleep(50)
    assert world.row().attempt == 1, "it was there between, so the minute begins anew"
    await world.until(lambda: world.row().attempt == 2, within=40)


@simulated
async def test_a_new_attempt_that_is_not_seen_yet_gets_its_own_minute(world):
    """What was gone was the attempt before it."""
    world.start()
    world.send()
    job = await running(world)
    job.vanish()
    second = await world.job(attempt=2)
    second.vanish()
    await asyncio.sleep(50)
    assert world.row().attempt == 2


@simulated
async def test_a_job_that_never_starts_fails_at_its_deadline(world):
    world.start()
    world.send()
    await world.job()
    world.jump(3700)
    await world.settled(state="FAILED")
    error = world.messages("Failed")[0]["error"]
    assert (error["code"], error["retryable"]) == ("start-deadline", True)


@simulated
async def test_a_job_that_never_ends_fails_at_its_deadline_and_is_ended(world):
    world.start()
    world.send()
    job = await running(world)
    world.jump(47 * 3600)
    await asyncio.sleep(60)
    assert world.row().state == "RUNNING"
    world.jump(2 * 3600)
    await world.settled(state="FAILED")
    assert world.messages("Failed")[0]["error"]["code"] == "run-deadline"
    assert world.runner.cleaned == [job.name]


@simulated
async def test_a_hint_makes_a_worker_look_at_once(worlds):
    world = worlds(worker={"watch_seconds": 600})
    world.start()
    world.send()
    job = await world.job()
    job.run()
    job.report()
    await world.until(lambda: world.row().state == "RUNNING", within=5)
    job.succeed()
    await world.until(lambda: world.row().terminal, within=5)


@simulated
async def test_what_the_backend_tells_by_itself_needs_neither_hint_nor_look_at_all(worlds, uuids):
    world = worlds(worker={"watch_seconds": 600}, compute={"max_running": 3})
    world.runner.telling = True
    world.start()
    for number in range(3):
        world.send(uuid=uuids[number])
    jobs = [await world.job(number) for number in range(3)]
    await asyncio.sleep(700)  # a look at all has come by since
    looks = looks_of(world)
    jobs[1].run()
    await world.until(lambda: world.row(1).state == "RUNNING", within=2)
    jobs[1].succeed(hint=False)
    await world.until(lambda: "Result" in world.events(1), within=2)
    assert [seen for _, seen in looks] == [[uuids[1]], [uuids[1]]], "only at the one it told of"
    assert {world.row(number).state for number in (0, 2)} == {"SUBMITTED"}


@simulated
async def test_what_the_backend_tells_of_others_is_no_news(world, capsys):
    world.runner.telling = True
    world.start()
    world.send()
    job = await running(world)
    await world.until(lambda: not world.owed())
    version = world.row().version
    world.runner.news.add("gf-another-job")
    world.runner.set_phase(job.name, "running")
    await asyncio.sleep(30)
    assert world.row().version == version
    assert "unexpected" not in capsys.readouterr().out


@simulated
async def test_hints_are_looked_at_while_others_are_admitted(worlds, uuids):
    world = worlds(worker={"watch_seconds": 600}, compute={"max_running": 60})
    world.start()
    world.send()
    job = await world.job()
    job.run()
    job.report()
    await world.until(lambda: world.row().state == "RUNNING", within=5)
    job.succeed()
    for number in range(1, 40):
        world.send(uuid=uuids[number])
        await asyncio.sleep(0.12)
        if world.row().terminal:
            break
    assert number < 10


@simulated
@pytest.mark.parametrize("telling", [True, False])
async def test_the_room_that_an_end_leaves_is_used_at_once(worlds, uuids, telling):
    world = worlds(worker={"watch_seconds": 600}, compute={"max_running": 1})
    world.runner.telling = telling
    world.start()
    for number in range(2):
        world.send(uuid=uuids[number])
    job = await world.job()
    await asyncio.sleep(700)
    job.run()
    job.succeed()
    await world.until(lambda: world.row(1).state != "REQUESTED", within=3)


@simulated
async def test_what_can_not_be_settled_is_not_driven_again_and_again(world):
    world.start()
    world.send()
    job = await running(world)
    await world.until(lambda: not world.owed())
    world.work.content[exit_key(job.uuid, 1)] = b'{"schema_version": 99}'
    job.report(final=True)
    await world.until(lambda: world.row().look_at is not None)
    version = world.row().version
    await asyncio.sleep(60)
    assert world.row().version == version


@simulated
async def test_what_the_backend_holds_back_does_not_wait(world):
    world.start()
    world.send()
    job = await world.job()
    world.runner.observations[job.name] = replace(world.runner.observations[job.name], suspended=True)
    await asyncio.sleep(5 * 3600)
    assert world.row().state == "SUBMITTED"
    writes = world.row().version
    assert writes < 5 * 60 + 30, "not one at every look"
    world.runner.observations[job.name] = replace(world.runner.observations[job.name], suspended=False)
    await asyncio.sleep(3500)
    assert world.row().state == "SUBMITTED"
    await world.settled(state="FAILED")
    assert world.messages("Failed")[0]["error"]["code"] == "start-deadline"


@simulated
async def test_a_job_whose_place_is_taken_away_while_it_runs_is_lost(world):
    world.start()
    world.send()
    job = await running(world)
    seen = world.runner.observations[job.name]
    world.runner.observations[job.name] = replace(seen, phase="pending", suspended=True)
    second = await world.job(attempt=2)
    second.run()
    second.succeed()
    await world.settled(state="SUCCEEDED")
    assert job.name in world.runner.cleaned


@simulated
async def test_a_deadline_says_what_the_job_waited_for(world):
    world.start()
    world.send()
    job = await world.job()
    seen = world.runner.observations[job.name]
    world.runner.observations[job.name] = replace(seen, reason="Unschedulable for 59 min: 0/1 nodes.")
    await asyncio.sleep(3600)
    await world.settled(state="FAILED")
    assert "0/1 nodes" in world.messages("Failed")[0]["error"]["userMessage"]


@simulated
async def test_what_a_job_printed_before_its_deadline_is_kept(world):
    world.start()
    world.send()
    job = await running(world)
    world.runner.printed[job.name] = [f"line {number}" for number in range(30)]
    world.jump(49 * 3600)
    row = await world.settled(state="FAILED")
    assert row.error.code == "run-deadline"
    assert row.log_tail == tuple(f"line {number}" for number in range(10, 30))


@simulated
async def test_what_a_lost_attempt_printed_is_kept(world):
    world.start()
    world.send()
    job = await running(world)
    seen = world.runner.observations[job.name]
    world.runner.observations[job.name] = replace(seen, phase="failed", cause="exit", log_tail=("last words",))
    await world.job(attempt=2)
    assert world.row().log_tail == ("last words",)


@simulated
async def test_what_a_look_finds_is_told_of_at_once(world):
    world.start()
    world.send()
    job = await running(world)
    await world.until(lambda: not world.owed())
    await asyncio.sleep(60)
    job.succeed(hint=False)
    await world.until(lambda: world.row().terminal)
    await world.until(lambda: "Result" in world.events(), within=1)


@simulated
async def test_looks_keep_their_pace_when_other_work_is_done(world, uuids):
    world.start()
    world.send()
    await running(world)
    looks = looks_of(world)
    world.send(uuid=uuids[1])
    await running(world, 1)
    await asyncio.sleep(60)
    watch, tick = world.settings.worker.watch_seconds, world.settings.worker.tick_seconds
    assert max(after - before for (before, _), (after, _) in pairwise(looks)) <= watch + tick


@simulated
async def test_a_stale_hint_and_one_of_an_unknown_job_do_nothing(world, uuids):
    world.start()
    world.send()
    job = await running(world)
    await world.until(lambda: not world.owed())
    version = world.row().version
    job.report(final=True, nonce="stale")
    world.reports.send("not a report")
    world.reports.send('{"uuid": "lease:runner:memory", "attempt": 1, "nonce": "x"}')
    world.reports.send(f'{{"uuid": "{uuids[9]}", "attempt": 1, "nonce": "x"}}')
    await world.until(lambda: not world.reports.waiting and not world.reports.in_flight)
    await asyncio.sleep(10)
    assert world.row().version == version


@simulated
async def test_a_hint_of_a_job_that_is_gone_does_not_make_it_look_at_every_turn(world):
    world.start()
    world.send()
    job = await running(world)
    looks = looks_of(world)
    job.vanish()
    job.report(final=True)
    await asyncio.sleep(50)
    assert len(looks) <= 50 / 5 + 3


@simulated
async def test_a_compute_in_trouble_keeps_nothing_else_waiting(world):
    async def trouble(handles):
        raise ComputeError

    world.start()
    world.send()
    await running(world)
    world.runner.observe = trouble
    world.send(number=1)
    await world.job(1)
    assert "Created" in world.events(1)
    assert world.row().state == "RUNNING"


@simulated
async def test_a_runner_that_raises_what_it_should_not_ends_no_worker(world):
    async def broken(handles):
        raise ZeroDivisionError

    world.start()
    world.send()
    job = await running(world)
    real, world.runner.observe = world.runner.observe, broken
    await asyncio.sleep(120)
    assert not world.tasks["a"].done()
    assert len(world.lives["a"].calls) < 5000
    world.runner.observe = real
    job.succeed()
    await world.settled(state="SUCCEEDED")


@simulated
async def test_a_handler_that_breaks_over_its_results_fails_its_job_and_no_other(world):
    class Broken:
        def __getattr__(self, name):
            return getattr(real, name)

        def results(self, report):
            raise KeyError("results")

    real = world.handlers["CalculateScores"]
    world.start()
    world.send()
    world.send(number=1)
    for number in (0, 1):
        await running(world, number)
    world.handlers = dict(world.handlers)
    world.workers["a"].context.__dict__["handlers"] = {"CalculateScores": Broken()}
    job = world.jobs(0)[0]
    job.succeed()
    await world.settled(state="FAILED")
    assert world.messages("Failed")[0]["error"]["code"] == "internal-error"
    world.workers["a"].context.__dict__["handlers"] = {"CalculateScores": real}
    world.jobs(1)[0].succeed()
    await world.settled(1, "SUCCEEDED")


@simulated
async def test_results_that_do_not_fit_the_row_fail_the_job_at_once(world, uuids):
    world.start()
    world.send()
    job = await running(world)
    outputs = [
        OutputReport(key=f"{uuids[0]}/1/{n:0400d}", content_type="text/plain", size=1, sha256="a" * 64)
        for n in range(200)
    ]
    job.write_exit(ExitReport(uuid=uuids[0], attempt=1, nonce=job.file().nonce, exit_code=0, outputs=tuple(outputs)))
    world.runner.set_phase(job.name, "succeeded", 0)
    await world.settled(state="FAILED")
    assert world.messages("Failed")[0]["error"]["code"] == "row-too-large"


@simulated
async def test_only_one_of_two_workers_watches_and_the_other_takes_over(world):
    world.start("a")
    world.start("b")
    world.send()
    await running(world)
    await asyncio.sleep(100)

    def looks(name):
        return world.lives[name].calls.count("runner.observe")

    (holder,) = [name for name in "ab" if looks(name)]
    other = "ab".replace(holder, "")
    world.kill(holder)
    await world.until(lambda: looks(other) > 0, within=120)


@simulated
async def test_a_holder_whose_ledger_fails_for_a_moment_goes_on_holding(world):
    world.start()
    world.send()
    await running(world)
    await asyncio.sleep(60)
    life = world.lives["a"]
    life.broken = lambda what: what.startswith("ledger.")
    await asyncio.sleep(12)
    life.broken = lambda _: False
    before = life.calls.count("runner.observe")
    await asyncio.sleep(20)
    assert life.calls.count("runner.observe") > before


@simulated
async def test_a_stopped_holder_lets_another_watch_at_once(world):
    world.start("a")
    await asyncio.sleep(5)
    world.start("b")
    world.send()
    await running(world)
    await world.stopped("a")
    before = world.lives["b"].calls.count("runner.observe")
    await world.until(lambda: world.lives["b"].calls.count("runner.observe") > before, within=21)


@simulated
async def test_two_workers_race_for_a_row_and_one_wins(world):
    world.start("a")
    world.start("b")
    world.send()
    await world.job()
    takes = [n for n in "ab" if "runner.submit" in world.lives[n].calls]
    assert len(takes) == 1
    assert len(world.runner.submitted) == 1


@simulated
async def test_a_bucket_in_trouble_delays_the_end_but_decides_nothing(world):
    world.start()
    world.send()
    job = await running(world)
    world.lives["a"].broken = lambda what: what == "work.get"
    job.succeed()
    await asyncio.sleep(300)
    assert world.row().state == "RUNNING"
    world.lives["a"].broken = lambda _: False
    await world.settled(state="SUCCEEDED")
    assert ServiceUnavailable.retryable


@simulated
@pytest.mark.parametrize(("days", "left"), [(14, 1), (16, 0)])
async def test_what_the_ledger_does_not_know_is_swept_once_no_row_could_be_left_of_it(world, uuids, days, left):
    name = job_name(world.settings.deployment, uuids[7], 1)
    await world.runner.submit(JobSpec(uuids[7], 1, name, "s3://work/job.json"))
    world.runner.age = days * 86400.0
    kept = workspace_name(world.settings.deployment, uuids[8], 1)
    world.runner.kept[kept] = Workspace(uuids[8], 1, kept, days * 86400.0)
    world.start()
    await asyncio.sleep(60)
    assert (len(world.runner.observations), len(world.runner.kept)) == (left, left)


def at_first(world, answers):
    """The backend's first answers, before it says what it sees."""
    left, real = list(answers), world.runner.observe

    async def observe(handles):
        return left.pop(0) if left else await real(handles)

    world.runner.observe = observe


@simulated
async def test_a_job_that_was_not_seen_yet_is_spared_its_deadline(world):
    world.start()
    world.send()
    job = await world.job()
    world.kill("a")
    job.run()
    world.jump(3700)
    at_first(world, [[]])
    world.start("b")
    await world.until(lambda: world.row().state != "SUBMITTED")
    assert world.row().state == "RUNNING"


@simulated
async def test_a_job_that_is_held_back_while_no_worker_is_there_is_spared_its_deadline(world):
    world.start()
    world.send()
    job = await world.job()
    world.runner.observations[job.name] = replace(world.runner.observations[job.name], suspended=True)
    await asyncio.sleep(300)
    world.kill("a")
    world.jump(3700)
    at_first(world, [[]])
    world.start("b")
    await asyncio.sleep(200)
    assert world.row().state == "SUBMITTED"


@simulated
async def test_a_job_that_is_never_seen_ends_all_the_same(world):
    world.start()
    world.send()
    await world.job()
    at_first(world, [[]] * 10_000)
    await asyncio.sleep(3600)
    assert world.row().state == "SUBMITTED"
    await world.settled(state="FAILED")


@simulated
@pytest.mark.parametrize("lines", [["x" * 4000] * 20, ["\u00e4" * 60_000]])
async def test_long_lines_are_cut_to_what_a_row_holds(world, lines):
    world.start()
    world.send()
    job = await running(world)
    world.runner.printed[job.name] = lines
    world.jump(49 * 3600)
    row = await world.settled(state="FAILED")
    assert row.log_tail
    assert sum(len(line.encode()) for line in row.log_tail) <= 4096


@simulated
async def test_a_backend_that_does_not_tell_what_a_job_printed_keeps_nobody(worlds, uuids):
    world = worlds(compute={"max_running": 8})
    world.start()
    for number in range(3):
        world.send(uuid=uuids[number])
    for number in range(3):
        await running(world, number)

    async def logs(handle, tail):
        if handle.uuid == uuids[0]:
            raise PermissionError(13, "no")
        await asyncio.sleep(60)

    world.runner.logs = logs
    world.jump(49 * 3600)
    await world.until(lambda: all(world.row(number).state == "FAILED" for number in range(3)), within=30)
    assert not world.workers["a"].context.liveness.late()


@simulated
async def test_the_room_that_a_deadline_leaves_is_used_at_once(worlds, uuids):
    world = worlds(worker={"watch_seconds": 600}, compute={"max_running": 1, "start_deadline_seconds": 700})
    world.start()
    for number in range(2):
        world.send(uuid=uuids[number])
    await world.job()
    await world.until(lambda: world.row(0).state == "FAILED", within=2000)
    await world.until(lambda: world.row(1).state != "REQUESTED", within=5)
