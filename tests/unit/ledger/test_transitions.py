"""Each transition, from every state, on a row with no field at its default: what it changes, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, get_args

import pytest

from genoferry.contracts.events import ErrorInfo, Event, ProgressInfo, Summary, Warn, event_id, utc_time
from genoferry.contracts.results import ResultPointer
from genoferry.errors import EventsWaiting, TooManyAttempts
from genoferry.ledger import states
from genoferry.ledger.row import (
    KEPT_ATTACHED,
    MAX_ATTEMPTS,
    RECENT_EVENTS,
    TERMINAL,
    CleanUp,
    FileState,
    Intent,
    ProgressMark,
    Row,
    State,
    WorkspaceOwed,
)

UUID = "00000000-0000-4000-8000-000000000001"
ALL: tuple[State, ...] = get_args(State)
LIVE = tuple(state for state in ALL if state not in TERMINAL)
ENDED = tuple(state for state in ALL if state in TERMINAL)
NOW = 20_000
ATTEMPT = 3
WARNINGS = (Warn(code="w", message="warning"),)
ERROR = ErrorInfo(code="zero-matches", user_message="message", retryable=True)
RESULTS = (ResultPointer(key="new", content_type="text/html", size=2),)
INTENT = Intent(attempt=ATTEMPT, runner="r", name="n", nonce="x", ref="ref", warnings=WARNINGS)
OLD_INTENT = Intent(attempt=2, runner="r", name="old", nonce="o")
NEW_INTENT = Intent(attempt=ATTEMPT, runner="other", name="new", nonce="y")
OWED = CleanUp(attempt=1, results=True)
SUMMARY = Summary(done=3, total=3, unit="scores")
PROGRESS = ProgressInfo(phase="p", done=2, total=3, unit="steps")


def event(name: str, sequence: int, **fields: Any) -> Event:
    known: dict[str, Any] = {
        "uuid": UUID,
        "event_id": event_id(UUID, sequence),
        "sequence": sequence,
        "attempt": ATTEMPT,
        "run_name": "R",
        "utc_time": utc_time(NOW),
        "event": name,
        "socket_id": "socket",
    }
    return Event(**(known | fields))


OTHER_EVENT = event("Rejected", 4)
"""Of a name that no transition tells, so that it stands in the way of none."""


def full_row(state: State = "REQUESTED", **fields: Any) -> Row:
    known: dict[str, Any] = {
        "uuid": UUID,
        "version": 7,
        "experiment_id": "E",
        "name": "N",
        "run_name": "R",
        "deployment": "d",
        "fingerprint": "f",
        "request_key": "k",
        "message_ids": ("m0",),
        "attached": ("a0",),
        "socket_id": "socket",
        "traceparent": "trace",
        "timeout_at": 99_000,
        "state": state,
        "attempt": ATTEMPT,
        "lost_attempts": 1,
        "created_at": 1,
        "updated_at": 2,
        "submitted_at": 3,
        "waits_from": 4,
        "running_at": 5,
        "ended_at": 6,
        "staged_in": 2,
        "files": (FileState(etag="e0"),),
        "intent": INTENT,
        "runner": "r",
        "sequence": 5,
        "outbox": (OTHER_EVENT,),
        "recent": (OTHER_EVENT,),
        "progress": ProgressMark(phase="p", done=1, total=3, unit="steps", at=NOW - 100),
        "error": ErrorInfo(code="old", user_message="old", retryable=False),
        "log_tail": ("old",),
        "results": (ResultPointer(key="old", content_type="text/plain", size=1),),
        "verified": "size",
        "summary": Summary(done=1, total=2, unit="scores"),
        "lease_token": "t",
        "lease_until": 50_000,
        "look_at": 9,
        "retry_at": 10,
        "publish_at": 11,
        "clean_at": 12,
        "failures": 2,
        "clean_up": (OWED,),
    }
    return Row(**(known | fields))


def test_the_full_row_leaves_no_field_at_its_default() -> None:
    row = full_row("RUNNING")
    kept = {"schema_version", "kind"}
    left = [n for n, f in Row.model_fields.items() if n not in kept and getattr(row, n) == f.get_default()]
    assert left == [], "or a transition that resets it would pass unseen"


def telling(*told: Event, **changes: Any) -> dict[str, Any]:
    """These changes, and the events that go out with them."""
    return changes | {
        "sequence": 5 + len(told),
        "outbox": (OTHER_EVENT, *told),
        "recent": (OTHER_EVENT, *told),
        "updated_at": NOW,
    }


def ending(state: State, **changes: Any) -> dict[str, Any]:
    """An end of attempt 3, whose inputs attempt 2 staged; its results may go unless it succeeded."""
    own = CleanUp(attempt=ATTEMPT, intent=INTENT, results=state != "SUCCEEDED")
    shared = CleanUp(attempt=2, inputs=True, workspace=WorkspaceOwed(staged_in=2, runner="r"))
    return changes | {
        "state": state,
        "ended_at": NOW,
        "clean_up": (OWED, own, shared),
        "clean_at": NOW,
        "failures": 0,
        "look_at": None,
        "files": (),
    }


NEXT_ATTEMPT: dict[str, Any] = {
    "attempt": ATTEMPT + 1,
    "intent": None,
    "submitted_at": None,
    "running_at": None,
    "look_at": None,
    "progress": None,
    "failures": 0,
}


@dataclass(frozen=True)
class Case:
    """What a transition changes in the states in which it applies; in all others it must return the row itself.

    (But `cancel`, which tells of an ended job again.)
    """

    applies: tuple[State, ...]
    act: Callable[[Row, int], Row]
    """Given the row and the attempt that it is for."""
    changes: dict[str, Any]
    row: Row = field(default_factory=full_row)
    any_attempt: bool = False
    """Whether it is of the row, not of one attempt."""


CASES = {
    "admit": Case(
        ("REQUESTED",),
        lambda row, _: states.admit(row, NOW, runner="new"),
        {"state": "STAGING", "runner": "new", "retry_at": NOW, "failures": 0, "updated_at": NOW},
        any_attempt=True,
    ),
    "a file in flight": Case(
        ("STAGING",),
        lambda row, attempt: states.file_state(row, 2, FileState(upload_id="u"), attempt=attempt),
        {"files": (FileState(etag="e0"), FileState(), FileState(upload_id="u"))},
    ),
    "a file done": Case(
        ("STAGING",),
        lambda row, attempt: states.file_state(row, 0, FileState(etag="e1"), attempt=attempt),
        {"files": (FileState(etag="e1"),), "failures": 0},
    ),
    "staged": Case(
        ("STAGING",),
        lambda row, attempt: states.staged(row, NOW, attempt=attempt),
        {"state": "SUBMITTING", "failures": 0, "retry_at": NOW, "progress": None, "updated_at": NOW},
    ),
    "intend": Case(
        ("SUBMITTING",),
        lambda row, _: states.intend(row, NOW, NEW_INTENT),
        {"intent": NEW_INTENT, "runner": "other", "updated_at": NOW},
        row=full_row(intent=OLD_INTENT),
        any_attempt=True,
    ),
    "intend for the first time": Case(
        ("SUBMITTING",),
        lambda row, _: states.intend(row, NOW, NEW_INTENT),
        {"intent": NEW_INTENT, "runner": "other", "updated_at": NOW},
        row=full_row(intent=None),
        any_attempt=True,
    ),
    "intend twice": Case((), lambda row, _: states.intend(row, NOW, NEW_INTENT), {}, any_attempt=True),
    "submitted": Case(
        ("SUBMITTING",),
        lambda row, attempt: states.submitted(row, NOW, attempt=attempt, ref="new"),
        telling(
            event("Created", 6, warnings=WARNINGS),
            state="SUBMITTED",
            intent=INTENT.model_copy(update={"ref": "new", "warnings": ()}),
            submitted_at=NOW,
            failures=0,
        ),
    ),
    "submitted without intent": Case(
        (), lambda row, attempt: states.submitted(row, NOW, attempt=attempt, ref="new"), {}, row=full_row(intent=None)
    ),
    "running": Case(
        ("SUBMITTED",),
        lambda row, attempt: states.running(row, NOW, attempt=attempt),
        telling(event("Deployed", 6), state="RUNNING", running_at=NOW, look_at=None),
    ),
    "progressed": Case(
        LIVE,
        lambda row, attempt: states.progressed(row, NOW, PROGRESS, attempt=attempt, every=100),
        telling(
            event("Progress", 6, progress=PROGRESS),
            progress=ProgressMark(phase="p", done=2, total=3, unit="steps", at=NOW),
        ),
    ),
    "progressed too soon": Case(
        (), lambda row, attempt: states.progressed(row, NOW, PROGRESS, attempt=attempt, every=101), {}
    ),
    "progressed by nothing": Case(
        (),
        lambda row, attempt: states.progressed(
            row, NOW, PROGRESS.model_copy(update={"done": 1, "total": 9}), attempt=attempt, every=100
        ),
        {},
    ),
    "hinted": Case(
        LIVE,
        lambda row, attempt: states.hinted(row, NOW, attempt=attempt),
        {"look_at": NOW, "updated_at": NOW},
    ),
    "hinted twice": Case(
        (), lambda row, attempt: states.hinted(row, NOW, attempt=attempt), {}, row=full_row(look_at=NOW)
    ),
    "looked": Case(ALL, lambda row, _: states.looked(row, 9), {"look_at": None}, any_attempt=True),
    "looked before a hint": Case((), lambda row, _: states.looked(row, 8), {}, any_attempt=True),
    "succeed": Case(
        LIVE,
        lambda row, attempt: states.succeed(
            row, NOW, attempt=attempt, results=RESULTS, verified="digest", summary=SUMMARY
        ),
        telling(event("Succeeded", 6, verified="digest", summary=SUMMARY), event("Result", 7))
        | ending("SUCCEEDED", results=RESULTS, verified="digest", summary=SUMMARY, error=None),
    ),
    "fail": Case(
        LIVE,
        lambda row, attempt: states.fail(
            row, NOW, ERROR, attempt=attempt, trace_name="T", trace_exit=15, log_tail=("new",)
        ),
        telling(event("Failed", 6, error=ERROR, trace_name="T", trace_exit=15))
        | ending("FAILED", error=ERROR, log_tail=("new",)),
    ),
    "cancel": Case(
        LIVE,
        lambda row, _: states.cancel(row, NOW),
        telling(event("Cancelled", 6)) | ending("CANCELLED"),
        any_attempt=True,
    ),
    "expire": Case(
        ("REQUESTED", "STAGING", "SUBMITTING", "SUBMITTED"),
        lambda row, _: states.expire(row, NOW),
        telling(event("Expired", 6)) | ending("EXPIRED"),
        any_attempt=True,
    ),
    "held back": Case(
        ("SUBMITTED",), lambda row, attempt: states.held_back(row, NOW, attempt=attempt), {"waits_from": NOW}
    ),
    "lose": Case(
        LIVE,
        lambda row, attempt: states.lose(row, NOW, attempt=attempt, delay=500, log_tail=("new",)),
        NEXT_ATTEMPT
        | {
            "state": "SUBMITTING",
            "lost_attempts": 2,
            "clean_up": (OWED, CleanUp(attempt=ATTEMPT, intent=INTENT, results=True)),
            "clean_at": NOW,
            "retry_at": NOW + 500,
            "log_tail": ("new",),
            "updated_at": NOW,
        },
    ),
    "again": Case(
        ENDED,
        lambda row, _: states.again(row, NOW, "m1", "key"),
        NEXT_ATTEMPT
        | telling(
            event("Requested", 6, attempt=ATTEMPT + 1),
            message_ids=("m0", "m1"),
            request_key="key",
            state="REQUESTED",
            staged_in=ATTEMPT + 1,
            files=(),
            lost_attempts=0,
            runner=None,
            ended_at=None,
            retry_at=NOW,
            error=None,
            log_tail=(),
            results=(),
            verified=None,
            summary=None,
        ),
        any_attempt=True,
    ),
    "published": Case(
        ALL,
        lambda row, _: states.published(row, frozenset({OTHER_EVENT.event_id, "unknown"})),
        {"outbox": (event("Deployed", 5),), "publish_at": 0},
        row=full_row(outbox=(OTHER_EVENT, event("Deployed", 5))),
        any_attempt=True,
    ),
    "published before": Case((), lambda row, _: states.published(row, frozenset({"unknown"})), {}, any_attempt=True),
    "cleaned": Case(
        ALL,
        lambda row, _: states.cleaned(row, OWED),
        {"clean_up": (CleanUp(attempt=2, inputs=True),)},
        row=full_row(clean_up=(OWED, CleanUp(attempt=2, inputs=True))),
        any_attempt=True,
    ),
    "cleaned before": Case((), lambda row, _: states.cleaned(row, CleanUp(attempt=9)), {}, any_attempt=True),
    "back off": Case(
        ALL, lambda row, _: states.back_off(row, NOW, 500), {"retry_at": NOW + 500, "failures": 3}, any_attempt=True
    ),
    "back off cleaning": Case(
        ALL, lambda row, _: states.back_off_cleaning(row, NOW, 500), {"clean_at": NOW + 500}, any_attempt=True
    ),
    "back off publishing": Case(
        ALL, lambda row, _: states.back_off_publishing(row, NOW, 500), {"publish_at": NOW + 500}, any_attempt=True
    ),
    "attach": Case(ALL, lambda row, _: states.attach(row, "a1"), {"attached": ("a0", "a1")}, any_attempt=True),
    "newest": Case(
        ALL,
        lambda row, _: states.newest(row, timeout_at=5, socket_id="new", traceparent="later"),
        {"timeout_at": 5, "socket_id": "new", "traceparent": "later"},
        any_attempt=True,
    ),
}


def values(row: Row) -> dict[str, Any]:
    return {name: getattr(row, name) for name in Row.model_fields}


@pytest.mark.parametrize("state", ALL)
@pytest.mark.parametrize("name", CASES)
def test_a_transition_changes_its_fields_only(name: str, state: State) -> None:
    case = CASES[name]
    before = case.row.model_copy(update={"state": state})
    after = case.act(before, ATTEMPT)
    if state in case.applies:
        assert values(after) == values(before) | case.changes
    elif name != "cancel":
        assert after is before


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not case.any_attempt and case.applies])
@pytest.mark.parametrize("attempt", [ATTEMPT - 1, ATTEMPT + 1])
def test_another_attempts_word_changes_nothing(name: str, attempt: int) -> None:
    for state in CASES[name].applies:
        before = CASES[name].row.model_copy(update={"state": state})
        assert CASES[name].act(before, attempt) is before


def test_created_without_warnings_has_none() -> None:
    row = full_row("SUBMITTING", intent=NEW_INTENT)
    assert states.submitted(row, NOW, attempt=ATTEMPT, ref="r").outbox[-1] == event("Created", 6)


def test_an_untold_failure_has_no_process() -> None:
    row = states.fail(full_row(), NOW, ERROR, attempt=ATTEMPT)
    assert row.outbox[-1] == event("Failed", 6, error=ERROR)
    assert row.log_tail == ()


def test_a_lost_attempt_without_log_keeps_the_last() -> None:
    assert states.lose(full_row(), NOW, attempt=ATTEMPT, delay=0).log_tail == ("old",)


def test_the_first_progress_needs_no_interval() -> None:
    row = states.progressed(full_row(progress=None), NOW, PROGRESS, attempt=ATTEMPT, every=10**9)
    assert row.outbox[-1] == event("Progress", 6, progress=PROGRESS)


def test_a_new_phase_is_progress() -> None:
    info = PROGRESS.model_copy(update={"phase": "q", "done": 1})
    assert states.progressed(full_row(), NOW, info, attempt=ATTEMPT, every=100).progress.phase == "q"


def test_a_progress_replaces_the_pending_one_only() -> None:
    others = (event("Requested", 1), event("Created", 3))
    pending = (others[0], event("Progress", 2, progress=PROGRESS), others[1])
    row = full_row(outbox=pending, recent=pending)
    told = event("Progress", 6, progress=PROGRESS)
    after = states.tell(row, NOW, "Progress", progress=PROGRESS)
    assert after.outbox == after.recent == (*others, told)
    assert states.tell(row, NOW, "Deployed").outbox == (*pending, event("Deployed", 6))
    assert states.tell(row, NOW, "Deployed").recent == (*pending, event("Deployed", 6))


def test_recent_keeps_the_last_events_in_short() -> None:
    row = full_row(recent=())
    for _ in range(RECENT_EVENTS + 2):
        row = states.tell(row, NOW, "Requested")
    assert [e.sequence for e in row.recent] == list(range(8, 8 + RECENT_EVENTS))
    warnings = tuple(Warn(code=f"c{n}", message=f"{n}" * 101) for n in range(5))
    long = ErrorInfo(code="c", user_message="m" * 161, retryable=True)
    row = states.tell(row, NOW, "Failed", error=long, warnings=warnings)
    assert (row.outbox[-1].error, row.outbox[-1].warnings) == (long, warnings)
    assert row.recent[-1] == row.outbox[-1].model_copy(
        update={
            "error": ErrorInfo(code="c", user_message="m" * 160, retryable=True),
            "warnings": tuple(Warn(code=f"c{n}", message=f"{n}" * 100) for n in range(4)),
        }
    )


def test_attached_keeps_the_last_messages() -> None:
    row = full_row(attached=())
    for number in range(KEPT_ATTACHED + 2):
        row = states.attach(row, f"m{number}")
    assert row.attached == tuple(f"m{n}" for n in range(2, KEPT_ATTACHED + 2))


@pytest.mark.parametrize("state", ALL)
def test_the_sixteenth_attempt_is_the_last(state: State) -> None:
    last, next_to_last = (full_row(state, attempt=MAX_ATTEMPTS - n) for n in range(2))
    if state in TERMINAL:
        with pytest.raises(TooManyAttempts):
            states.again(last, NOW, "m1", "key")
        assert states.again(next_to_last, NOW, "m1", "key").attempt == MAX_ATTEMPTS
    else:
        with pytest.raises(TooManyAttempts):
            states.lose(last, NOW, attempt=MAX_ATTEMPTS, delay=0)
        assert states.lose(next_to_last, NOW, attempt=MAX_ATTEMPTS - 1, delay=0).attempt == MAX_ATTEMPTS


def test_no_new_attempt_while_much_is_untold() -> None:
    untold = tuple(event("Requested", n) for n in range(13))
    with pytest.raises(EventsWaiting):
        states.again(full_row("FAILED", outbox=untold), NOW, "m1", "key")
    assert states.again(full_row("FAILED", outbox=untold[1:]), NOW, "m1", "key").attempt == ATTEMPT + 1
    with pytest.raises(EventsWaiting):
        states.again(full_row("SUCCEEDED", outbox=(event("Result", 4),)), NOW, "m1", "key")


@pytest.mark.parametrize(
    ("fields", "owed"),
    [
        (
            {"staged_in": ATTEMPT, "runner": None, "intent": None},
            [CleanUp(attempt=ATTEMPT, results=True, inputs=True)],
        ),
        (
            {"staged_in": ATTEMPT, "runner": "r", "intent": None},
            [CleanUp(attempt=ATTEMPT, results=True, inputs=True)],
        ),
        (
            {"staged_in": ATTEMPT, "runner": "r", "intent": INTENT},
            [
                CleanUp(
                    attempt=ATTEMPT,
                    intent=INTENT,
                    results=True,
                    inputs=True,
                    workspace=WorkspaceOwed(staged_in=ATTEMPT, runner="r"),
                )
            ],
        ),
        (
            {"staged_in": 2, "runner": "r", "intent": None},
            [
                CleanUp(attempt=ATTEMPT, results=True),
                CleanUp(attempt=2, inputs=True, workspace=WorkspaceOwed(staged_in=2, runner="r")),
            ],
        ),
        (
            {"staged_in": 2, "runner": None, "intent": None},
            [CleanUp(attempt=ATTEMPT, results=True), CleanUp(attempt=2, inputs=True)],
        ),
    ],
)
def test_an_end_owes_what_its_attempts_made(fields: dict[str, Any], owed: list[CleanUp]) -> None:
    row = states.cancel(full_row("SUBMITTING", clean_up=(), **fields), NOW)
    assert row.clean_up == tuple(owed)


PRESENT = {
    "REQUESTED": "Requested",
    "STAGING": "Requested",
    "SUBMITTING": "Requested",
    "SUBMITTED": "Created",
    "RUNNING": "Deployed",
    "SUCCEEDED": "Succeeded",
    "FAILED": "Failed",
    "CANCELLED": "Cancelled",
    "EXPIRED": "Expired",
}
FAILURES = (
    event("Failed", 1, error=ERROR, trace_name="first", trace_exit=1),
    event("Failed", 3, error=ERROR, trace_name="last", trace_exit=2),
    OTHER_EVENT,
)


@pytest.mark.parametrize("state", ALL)
def test_attach_tells_the_present_state_once(state: State) -> None:
    row = full_row(state, recent=FAILURES, error=ERROR)
    after = states.republish(row, NOW)
    fields: dict[str, Any] = {
        "SUCCEEDED": {"verified": "size", "summary": row.summary},
        "FAILED": {"error": ERROR, "trace_name": "last", "trace_exit": 2},
    }.get(state, {})
    told = [event(PRESENT[state], 6, **fields)] + [event("Result", 7)] * (state == "SUCCEEDED")
    assert values(after) == values(row) | telling(*told) | {"recent": (*FAILURES, *told)}
    assert states.republish(after, NOW + 1) is after
    if state in TERMINAL:
        assert states.cancel(row, NOW) == after, "a cancellation that comes late is told what became of the job"


def test_a_failure_forgotten_is_told_without_process() -> None:
    after = states.republish(full_row("FAILED"), NOW)
    assert after.outbox[-1] == event("Failed", 6, error=full_row().error)


DEAD = Intent(attempt=1, runner="dead", name="n", nonce="x", ref="ref")
MOVED = DEAD.model_copy(update={"runner": "heir"})


def owed_by(runner: str) -> tuple[CleanUp, ...]:
    """What a runner is owed to clean up: of its compute, its workspace, or both."""
    intent = DEAD.model_copy(update={"runner": runner})
    workspace = WorkspaceOwed(staged_in=1, runner=runner)
    return (
        CleanUp(attempt=1, intent=intent, workspace=workspace),
        CleanUp(attempt=1, intent=intent),
        CleanUp(attempt=1, workspace=workspace),
    )


def adopt(row: Row) -> Row:
    return states.adopt(row, now=NOW, dead="dead", runner="heir")


@pytest.mark.parametrize("state", ALL)
def test_an_heir_takes_a_dead_runners_clean_ups(state: State) -> None:
    before = full_row(state, clean_up=(*owed_by("other"), *owed_by("dead"), OWED))
    owed = (*owed_by("other"), *owed_by("heir"), OWED)
    assert values(adopt(before)) == values(before) | {"clean_up": owed, "clean_at": NOW}


@pytest.mark.parametrize("state", ALL)
def test_another_runners_job_is_left_to_it(state: State) -> None:
    before = full_row(state, clean_up=(*owed_by("other"), OWED), runner="other")
    assert adopt(before) is before


@pytest.mark.parametrize("state", ALL)
def test_an_heir_takes_what_hasnt_been_submitted(state: State) -> None:
    before = full_row(state, runner="dead", intent=None)
    after = adopt(before)
    if state in ("STAGING", "SUBMITTING"):
        assert values(after) == values(before) | {"runner": "heir", "updated_at": NOW}
    else:
        assert after is before, "a job that may run there is left to its deadline"


@pytest.mark.parametrize("state", ["STAGING", "SUBMITTING"])
def test_an_attempt_of_a_dead_runner_is_lost(state: State) -> None:
    intent = DEAD.model_copy(update={"attempt": ATTEMPT})
    before = full_row(state, runner="dead", intent=intent)
    lost = CleanUp(attempt=ATTEMPT, intent=intent.model_copy(update={"runner": "heir"}), results=True)
    assert values(adopt(before)) == values(before) | NEXT_ATTEMPT | {
        "state": "SUBMITTING",
        "runner": "heir",
        "lost_attempts": 2,
        "clean_up": (OWED, lost),
        "clean_at": NOW,
        "retry_at": NOW,
        "updated_at": NOW,
    }


def test_the_last_attempt_goes_on_at_the_heir() -> None:
    before = full_row("SUBMITTING", runner="dead", intent=DEAD, attempt=MAX_ATTEMPTS)
    assert values(adopt(before)) == values(before) | {"runner": "heir", "intent": MOVED, "updated_at": NOW}
