"""What is owed and when, as the index of owed work shows it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genoferry.contracts.events import ErrorInfo
from genoferry.ledger import states
from genoferry.ledger.due import SHARDS, clean_by, deadline_at, due_at, owes, shard, ttl
from genoferry.ledger.row import TERMINAL, CleanUp, Intent, WorkspaceOwed, changed

ERROR = ErrorInfo(code="c", user_message="m", retryable=False)


def told(row):
    return states.published(row, frozenset(e.event_id for e in row.outbox))


@given(st.uuids())
def test_a_row_is_always_in_the_same_shard(uuid):
    assert shard(str(uuid)) in range(SHARDS)
    assert shard(str(uuid)) == shard(str(uuid))


def test_rows_that_exist_stay_in_their_shards():
    """Workers of two versions read one table."""
    uuids = [f"00000000-0000-4000-8000-{n:012d}" for n in range(1, 9)]
    assert [shard(uuid) for uuid in uuids] == [1, 3, 5, 6, 0, 2, 4, 5]


def test_shards_are_used_evenly():
    used = {shard(f"00000000-0000-4000-8000-{n:012d}") for n in range(200)}
    assert used == set(range(SHARDS))


def test_a_held_lease_keeps_others_away_until_it_could_be_over(make_row, deadlines):
    row = changed(make_row(), lease_token="t", lease_until=99_000)
    owed = owes(row, deadlines)
    assert owed["publish"] == 99_000
    assert owed["work"] == 99_000
    assert owed["admit"] == 1000, "admission is the runner's holder's, whoever holds the row"


def test_a_stale_lease_alone_brings_a_finished_row_back(make_row, deadlines):
    row = told(states.fail(make_row(), 5, ERROR, attempt=1))
    row = changed(states.cleaned(row, row.clean_up[0]), lease_token="t", lease_until=99_000)
    assert due_at(row, deadlines) == 99_000
    assert due_at(changed(row, lease_token=None, lease_until=None), deadlines) is None


def test_deadlines(make_row, deadlines):
    row = make_row(timeout_at=50_000)
    assert deadline_at(row, deadlines) == 50_000
    row = states.staged(states.admit(row, 2, runner="r"), 3, attempt=1)
    row = states.intend(row, 4, Intent(attempt=1, runner="r", name="n", nonce="x"))
    row = states.submitted(row, 5_000, attempt=1, ref="r")
    assert deadline_at(row, deadlines) == 50_000
    assert deadline_at(changed(row, timeout_at=None), deadlines) == 5_000 + deadlines.start
    row = states.running(row, 6_000, attempt=1)
    assert deadline_at(row, deadlines) == 6_000 + deadlines.run, "a timeout doesn't end what runs"
    assert deadline_at(states.cancel(row, 7_000), deadlines) is None


def test_a_clean_up_says_whose_it_is(make_row, deadlines):
    row = states.staged(states.admit(make_row(), 2, runner="r1"), 3, attempt=1)
    row = states.intend(row, 4, Intent(attempt=1, runner="r1", name="n", nonce="x"))
    row = told(states.cancel(row, 5))
    assert set(owes(row, deadlines)) == {clean_by("r1")}
    row = told(states.cancel(make_row(), 5))
    assert set(owes(row, deadlines)) == {"clean"}


def test_ttl_is_fifteen_days_after_the_end(make_row, deadlines):
    row = states.fail(make_row(), 86_400_000, ERROR, attempt=1)
    assert ttl(row) is None
    row = told(row)
    assert ttl(row) is None
    row = states.cleaned(row, row.clean_up[0])
    assert ttl(row) == 86_400 + 15 * 86_400


@pytest.mark.parametrize("state", ["REQUESTED", "STAGING", "SUBMITTING"])
def test_a_back_off_is_waited_for(make_row, deadlines, state):
    row = told(changed(make_row(), state=state))
    row = states.back_off(row, 10_000, 5_000)
    assert due_at(row, deadlines) == 15_000
    assert row.failures == 1


STATES = ["REQUESTED", "STAGING", "SUBMITTING", "SUBMITTED", "RUNNING", *sorted(TERMINAL)]
LEASED = {"lease_token": "t", "lease_until": 500}
AT_R1 = CleanUp(attempt=1, intent=Intent(attempt=1, runner="r1", name="n", nonce="x"))
AT_R1_AND_R2 = AT_R1.model_copy(update={"workspace": WorkspaceOwed(staged_in=1, runner="r2")})


def times(**fields):
    """Each kind of work at a time of its own: admission and work at 10, publication at 20, looks at 30, clean-ups at
    40; before the row's lease is over, where it has one."""
    return {"retry_at": 10, "publish_at": 20, "look_at": 30, "clean_at": 40} | fields


@pytest.mark.parametrize(
    ("state", "lease", "owed"),
    [
        ("REQUESTED", {}, {"admit": 10, "publish": 20}),
        ("REQUESTED", LEASED, {"admit": 10, "publish": 500, "work": 500}),
        ("STAGING", {}, {"work": 10, "publish": 20}),
        ("STAGING", LEASED, {"work": 500, "publish": 500}),
        ("SUBMITTING", {}, {"work": 10, "publish": 20}),
        ("SUBMITTING", LEASED | {"lease_until": 15}, {"work": 15, "publish": 20}),
        ("SUBMITTED", {}, {"publish": 20}),
        ("RUNNING", LEASED, {"publish": 500, "work": 500}),
        ("FAILED", {}, {"publish": 20}),
        ("STAGING", {"lease_until": 500}, {"work": 10, "publish": 20}),  # nobody's: its time is of the one before
        ("RUNNING", {"lease_token": "t"}, {"work": 0, "publish": 20}),
    ],
)
def test_what_is_owed_waits_for_the_lease(make_row, deadlines, state, lease, owed):
    row = changed(make_row(state=state), **times(), **lease)
    assert owes(row, deadlines) == owed | {"look": 30}
    quiet = changed(row, outbox=(), look_at=None)
    assert owes(quiet, deadlines) == {kind: at for kind, at in owed.items() if kind != "publish"}


@pytest.mark.parametrize(
    ("clean_up", "kinds"),
    [
        ((), []),
        ((CleanUp(attempt=1),), ["clean"]),
        ((AT_R1,), ["clean r1"]),
        ((AT_R1_AND_R2,), ["clean r1", "clean r2"]),
        ((CleanUp(attempt=2), AT_R1, AT_R1_AND_R2), ["clean", "clean r1", "clean r2"]),
    ],
)
def test_clean_ups_are_owed_by_runner(make_row, deadlines, clean_up, kinds):
    row = changed(make_row(state="FAILED"), outbox=(), clean_up=clean_up, clean_at=40)
    assert owes(row, deadlines) == dict.fromkeys(kinds, 40)
    assert owes(changed(row, **LEASED), deadlines) == dict.fromkeys(kinds, 500) | {"work": 500}
    assert list(owes(row, deadlines)) == kinds, "in one order, or equal rows would differ"


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("timeout_at", [None, 5, 10**12])
def test_a_deadline_is_that_of_the_state(make_row, deadlines, state, timeout_at):
    row = make_row(state=state, timeout_at=timeout_at, submitted_at=100, running_at=200)
    by_runner = {"SUBMITTED": 100 + deadlines.start, "RUNNING": 200 + deadlines.run}.get(state)
    by_request = timeout_at if state in STATES[:4] else None
    expected = min((at for at in (by_request, by_runner) if at is not None), default=None)
    assert deadline_at(row, deadlines) == expected
    assert owes(row, deadlines).get("deadline") == expected


@pytest.mark.parametrize(
    ("submitted_at", "waits_from", "start"), [(100, None, 100), (100, 99, 100), (0, None, 0), (0, 1, 1)]
)
def test_the_start_deadline_counts_from_the_last_wait(make_row, deadlines, submitted_at, waits_from, start):
    row = make_row(state="SUBMITTED", submitted_at=submitted_at, running_at=10**9, waits_from=waits_from)
    assert deadline_at(row, deadlines) == start + deadlines.start


@pytest.mark.parametrize("state", ["SUBMITTED", "RUNNING"])
def test_without_its_time_a_state_has_no_deadline(make_row, deadlines, state):
    assert deadline_at(make_row(state=state), deadlines) is None


@pytest.mark.parametrize("state", STATES)
def test_a_row_is_due_at_the_first_of_what_is_owed(make_row, deadlines, state):
    row = changed(make_row(state=state), outbox=(), look_at=None, retry_at=10)
    first = {"REQUESTED": 10, "STAGING": 10, "SUBMITTING": 10}.get(state)
    last = None if state in TERMINAL else 253_402_300_799_000
    assert due_at(row, deadlines) == (last if first is None else first)
    assert due_at(changed(row, look_at=7, clean_up=(AT_R1,), clean_at=9), deadlines) == 7


def test_what_is_owed_at_once_is_due_since_ever(make_row, deadlines):
    row = changed(make_row(state="RUNNING"), publish_at=0)
    assert due_at(row, deadlines) == 0


def test_a_running_row_is_due_at_its_deadline(make_row, deadlines):
    row = changed(make_row(state="RUNNING", running_at=200), outbox=())
    assert due_at(row, deadlines) == 200 + deadlines.run


def test_ttl_is_in_whole_seconds_of_an_ended_row(make_row):
    ended = changed(make_row(state="FAILED"), outbox=(), ended_at=1_999)
    keep = ttl(ended)
    assert keep == 1 + 15 * 86_400
    assert isinstance(keep, int), "DynamoDB takes whole seconds"
    assert ttl(changed(ended, state="RUNNING")) is None
    assert ttl(changed(ended, ended_at=None)) is None
    assert ttl(changed(ended, outbox=make_row().outbox)) is None
    assert ttl(changed(ended, clean_up=(AT_R1,))) is None
