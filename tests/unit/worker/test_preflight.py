"""The pre-flight in the life of a job: warnings in `Created`, a failure before anything is submitted."""

from __future__ import annotations

import asyncio
import threading

import pytest

from genoferry.contracts.events import Warn
from genoferry.contracts.jobfile import StagedInput
from genoferry.errors import AccessDenied, BuildMismatch, CalculationStopped, ServiceUnavailable
from genoferry.handlers.protocol import Plan
from genoferry.settings import Settings
from genoferry.testing.clock import simulated
from genoferry.worker.driver import preflight

DOUBTFUL = Warn(code="few-samples", message="Fewer than 50 samples.")


class Scripted:
    """A pre-flight that comes to what the test says, one after the other, then to nothing."""

    def __init__(self, *outcomes):
        self.outcomes = list(outcomes)
        self.looks = []

    async def check(self, handler, plan, inputs, *, stop):
        self.looks.append((plan.run_name, [item.name for item in inputs]))
        outcome = self.outcomes.pop(0) if self.outcomes else ()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


@simulated
async def test_what_is_doubtful_is_told_with_created(world):
    world.preflight = Scripted((DOUBTFUL,))
    world.start()
    world.send()
    await world.job()
    await world.until(lambda: world.messages("Created"))
    assert world.messages("Created")[0]["warnings"] == [DOUBTFUL.model_dump()]


@simulated
async def test_what_cannot_go_well_fails_the_job_and_starts_nothing(world):
    world.preflight = Scripted(BuildMismatch())
    world.start()
    world.send()
    await world.settled(state="FAILED")
    (failed,) = world.messages("Failed")
    assert failed["error"]["code"] == "genome-build-mismatch"
    assert (failed["trace_name"], failed["trace_exit"]) == (None, None)
    assert world.runner.submitted == []
    assert world.events() == ["Requested", "Failed"]


@simulated
async def test_a_bucket_in_trouble_only_delays(world):
    scripted = Scripted(ServiceUnavailable(), ())
    world.preflight = scripted
    world.start()
    world.send()
    await world.job()
    assert len(scripted.looks) == 2


@simulated
async def test_a_lost_attempt_is_not_looked_at_again(world):
    scripted = Scripted()
    world.preflight = scripted
    world.start()
    world.send()
    (await world.job()).die()
    await world.job(attempt=2)
    assert len(scripted.looks) == 1


class Endless:
    """A pre-flight that goes on until it is told to stop, as one of a large file does."""

    def __init__(self):
        self.stops = []

    async def check(self, handler, plan, inputs, *, stop):
        self.stops.append(stop)
        while not stop.is_set():  # noqa: ASYNC110  # it is a thread's event
            await asyncio.sleep(1)
        raise CalculationStopped


@simulated
async def test_a_cancellation_ends_it(world):
    endless = world.preflight = Endless()
    world.start()
    world.send()
    await world.until(lambda: endless.stops)
    world.cancel(world.row().uuid)
    await world.settled(state="CANCELLED")
    assert world.runner.submitted == []
    assert len(endless.stops) == 1


@simulated
async def test_a_drain_ends_it_and_another_worker_looks_again(world):
    endless = world.preflight = Endless()
    world.start()
    world.send()
    await world.until(lambda: endless.stops)
    await world.stopped()
    assert world.row().state == "SUBMITTING"
    world.preflight = None
    world.start("b")
    await world.job()


@simulated
async def test_after_the_intent_it_is_not_done_again_and_its_warnings_are_kept(world):
    scripted = world.preflight = Scripted((DOUBTFUL,))
    world.arm("a", "submit")
    world.start()
    world.send()
    await world.until(lambda: world.lives["a"].dead)
    world.start("b")
    await world.until(lambda: world.messages("Created"))
    assert world.messages("Created")[0]["warnings"] == [DOUBTFUL.model_dump()]
    assert len(scripted.looks) == 1
    assert world.row().intent.warnings == ()


class Handler:
    def __init__(self, error):
        self.error = error

    def preflight(self, inputs):
        raise self.error


@pytest.mark.parametrize(
    "error", [BuildMismatch(), ServiceUnavailable(), AccessDenied(), ValueError("a line of the data")]
)
def test_a_fault_of_ours_keeps_no_job_from_running(error, monkeypatch):
    monkeypatch.setattr(preflight, "sync_client", lambda _: None)
    checks = preflight.Preflight(Settings())
    item = StagedInput(role="target", name="a.pvar", key="k", size=1)
    plan = Plan("run", (), {})

    def check():
        return checks.look(Handler(error), plan, [item], stop=threading.Event())

    if isinstance(error, (ValueError, AccessDenied)):
        assert check() == (preflight.INCOMPLETE,)
    else:
        with pytest.raises(type(error)):
            check()
