"""The pre-flight in the life of a job: warnings in `Created`, a failure before anything is submitted."""

from __future__ import annotations

import threading

import pytest

from genoferry.contracts.events import Warn
from genoferry.contracts.jobfile import StagedInput
from genoferry.errors import BuildMismatch, ServiceUnavailable
from genoferry.handlers.protocol import Plan
from genoferry.settings import Settings
from genoferry.testing.clock import simulated
from genoferry.worker import preflight

DOUBTFUL = Warn(code="few-samples", message="Fewer than 50 samples.")


class Scripted:
    """A pre-flight that comes to what the test says, one after the other, then to nothing."""

    def __init__(self, *outcomes):
        self.outcomes = list(outcomes)
        self.looks = []

    def check(self, handler, plan, inputs, *, stop):
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


class Handler:
    def __init__(self, error):
        self.error = error

    def look(self, look):
        raise self.error


@pytest.mark.parametrize("error", [BuildMismatch(), ServiceUnavailable(), ValueError("a line of the data")])
def test_a_fault_of_ours_keeps_no_job_from_running(error, capsys, monkeypatch):
    monkeypatch.setattr(preflight, "sync_client", lambda _: None)
    checks = preflight.Preflight(Settings())
    item = StagedInput(role="target", name="a.pvar", key="k", size=1)
    plan = Plan("run", (), {})

    def check():
        return checks.check(Handler(error), plan, [item], stop=threading.Event())

    if isinstance(error, ValueError):
        assert check() == (preflight.INCOMPLETE,)
    else:
        with pytest.raises(type(error)):
            check()
