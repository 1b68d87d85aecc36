"""`genoferry follow`: news from the ledger, until the job ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

import pytest

from genoferry.cli import output
from genoferry.cli.exit_codes import ExitCode
from genoferry.cli.follow import NEVER_ANSWERED, NEVER_KNOWN, NO_ANSWER, NO_SIGN, fresh_events, looks, watch
from genoferry.contracts.events import ErrorInfo, Event, ProgressInfo, Summary
from genoferry.errors import FollowTimeout, InvalidBody, ServiceUnavailable
from genoferry.ledger.row import Row
from genoferry.ledger.states import admit, again, cancel, expire, fail, progressed, republish, succeed
from genoferry.ledger.update import update

NOW = 1_700_000_000_500


@dataclass
class Seen:
    """A view that keeps what it is shown."""

    events: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    on_state: Callable[[], None] = lambda: None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def event(self, event: Event) -> None:
        self.events.append(event.event)

    def state(self, row: Row) -> None:
        self.states.append(row.state)
        self.on_state()

    def note(self, text: str) -> None:
        self.notes.append(text)


def done(row: Row) -> Row:
    return succeed(row, NOW, attempt=row.attempt, results=(), verified="size")


def attached(row: Row) -> Row:
    """Sent again once all was published."""
    return republish(row.model_copy(update={"outbox": ()}), NOW)


async def test_it_waits_for_the_job_shows_each_event_once_and_ends_with_it(memory, row) -> None:
    shown = Seen()
    following = asyncio.create_task(watch(memory.ledger, row.uuid, shown))
    await asyncio.sleep(0)
    await memory.ledger.put(row, expected=None)
    looked = asyncio.Event()
    shown.on_state = looked.set
    await looked.wait()
    await update(memory.ledger, row.uuid, lambda r: admit(r, NOW, runner="local:x"))
    await update(memory.ledger, row.uuid, done)
    assert (await following).state == "SUCCEEDED"
    assert shown.events == ["Requested", "Succeeded", "Result"]


async def test_it_gives_up_after_its_time(memory, row) -> None:
    await memory.ledger.put(row, expected=None)
    with pytest.raises(FollowTimeout):
        await watch(memory.ledger, row.uuid, Seen(), seconds=0.01)


async def test_an_earlier_attempts_end_is_no_news(memory, row) -> None:
    ended = fail(row, NOW, ErrorInfo.of(InvalidBody("x")), attempt=1)
    await memory.ledger.put(ended, expected=None)
    shown = Seen()
    looked = asyncio.Event()
    shown.on_state = looked.set
    following = asyncio.create_task(watch(memory.ledger, row.uuid, shown, after=ended.sequence))
    await looked.wait()
    assert not following.done()
    await update(memory.ledger, row.uuid, lambda r: again(r, NOW, "m2", "k2"))
    await update(memory.ledger, row.uuid, done)
    assert (await following).attempt == 2
    assert shown.events == ["Requested", "Succeeded", "Result"]


async def test_what_is_published_again_shows_once(memory, row) -> None:
    """An attach publishes the present state under a new sequence: of a live job, and of one that has ended."""
    row = attached(attached(done(attached(row))))
    assert [event.event for event in row.recent] == ["Requested"] * 2 + ["Succeeded", "Result"] * 3
    await memory.ledger.put(row, expected=None)
    shown = Seen()
    await watch(memory.ledger, row.uuid, shown)
    assert shown.events == ["Requested", "Succeeded", "Result"]


async def test_sent_again_its_end_shows_once(memory, row) -> None:
    """`send --follow` of a request whose job has ended begins behind the first end."""
    ended = done(row)
    await memory.ledger.put(attached(ended), expected=None)
    shown = Seen()
    await watch(memory.ledger, row.uuid, shown, after=ended.sequence)
    assert shown.events == ["Succeeded", "Result"]


async def test_every_attempt_shows_its_own_end(memory, row) -> None:
    row = again(fail(row, NOW, ErrorInfo.of(InvalidBody("x")), attempt=1), NOW, "m2", "k2")
    row = fail(row, NOW, ErrorInfo.of(InvalidBody("x")), attempt=2)
    await memory.ledger.put(row, expected=None)
    shown = Seen()
    await watch(memory.ledger, row.uuid, shown)
    assert shown.events == ["Requested", "Failed", "Requested", "Failed"]


def test_a_timeout_without_job_says_so(run, memory, row) -> None:
    result = run("follow", row.uuid, "--timeout", "0.01")
    assert result.exit_code == ExitCode.TIMED_OUT
    assert NEVER_KNOWN in result.stderr
    assert "goes on" not in result.stderr


async def test_a_timeout_without_answers_says_so(row) -> None:
    class Silent:
        async def get(self, _: str) -> Row:
            raise ServiceUnavailable

    with pytest.raises(FollowTimeout, match=NEVER_ANSWERED.partition(".")[0]):
        await watch(Silent(), row.uuid, Seen(), seconds=0.01)  # type: ignore[arg-type]


async def test_a_ledger_that_does_not_answer_is_asked_again_and_noted_once(memory, row) -> None:
    answers: list[Exception | Row] = [ServiceUnavailable(), ServiceUnavailable(), row]
    notes: list[str] = []

    class Flaky:
        async def get(self, _: str) -> Row:
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

    first = await anext(looks(Flaky(), row.uuid, notes.append, poll_seconds=0))  # type: ignore[arg-type]
    assert [event.event for event in first.events] == ["Requested"]
    assert notes == [NO_ANSWER]


async def test_without_a_sign_of_the_job_people_are_told_why_that_may_be(memory, row) -> None:
    clock = iter(range(0, 1000, 10))
    noted = asyncio.Event()
    notes: list[str] = []

    def note(text: str) -> None:
        notes.append(text)
        noted.set()

    never = looks(memory.ledger, row.uuid, note, monotonic=lambda: float(next(clock)), poll_seconds=0)
    waiting = asyncio.create_task(anext(never))  # type: ignore[arg-type]
    await noted.wait()
    waiting.cancel()
    assert notes == [NO_SIGN]


def test_fresh_events_are_those_past_a_sequence(row) -> None:
    info = ProgressInfo(phase="staging", done=1, total=2, unit="bytes")
    row = progressed(row, NOW, info, attempt=1, every=0)
    assert [event.event for event in fresh_events(row, 1)] == ["Progress"]
    assert fresh_events(row, 2) == ()


@pytest.mark.parametrize(
    ("ended", "code"),
    [
        (done, ExitCode.OK),
        (lambda row: fail(row, NOW, ErrorInfo.of(InvalidBody("why")), attempt=1), ExitCode.JOB_FAILED),
        (lambda row: cancel(row, NOW), ExitCode.JOB_CANCELLED),
        (lambda row: expire(row, NOW), ExitCode.JOB_EXPIRED),
    ],
)
def test_the_exit_code_is_the_states(run, memory, row, ended: Callable[[Row], Row], code: ExitCode) -> None:
    asyncio.run(memory.ledger.put(ended(row), expected=None))
    result = run("follow", row.uuid, "--json")
    assert result.exit_code == code
    told = [json.loads(line)["event"] for line in result.stdout.splitlines()]
    assert told == [event.event for event in ended(row).recent]


def test_a_timeout_has_its_own_exit_code(run, memory, row) -> None:
    asyncio.run(memory.ledger.put(row, expected=None))
    result = run("follow", row.uuid, "--timeout", "0.01")
    assert result.exit_code == ExitCode.TIMED_OUT
    assert "It goes on" in result.stderr


@pytest.mark.parametrize("count", [2, 3])
def test_a_partial_success_points_to_status(run, memory, row, monkeypatch, count: int) -> None:
    hints: list[str] = []
    monkeypatch.setattr(output, "hint", hints.append)
    counts = Summary(done=count, total=3, unit="scores")
    ended = succeed(row, NOW, attempt=1, results=(), verified="size", summary=counts)
    asyncio.run(memory.ledger.put(ended, expected=None))
    assert run("follow", row.uuid).exit_code == ExitCode.OK
    assert any("genoferry status" in hint for hint in hints) == (count < 3)


def test_plain_lines_count_what_was_calculated(run, memory, row) -> None:
    counts = Summary(done=2, total=3, unit="scores")
    ended = succeed(row, NOW, attempt=1, results=(), verified="size", summary=counts)
    asyncio.run(memory.ledger.put(ended, expected=None))
    assert "Succeeded 2 of 3 scores; verified: size" in run("follow", row.uuid).stdout


def test_plain_lines_say_why_a_job_failed(run, memory, row) -> None:
    failed = fail(row, NOW, ErrorInfo.of(InvalidBody("why")), attempt=1, trace_name="MATCH_COMBINE", trace_exit=15)
    asyncio.run(memory.ledger.put(failed, expected=None))
    last = run("follow", row.uuid).stdout.splitlines()[-1]
    assert last == "2023-11-14T22:13:20.500Z Failed invalid-body: why (MATCH_COMBINE, exit 15)"
