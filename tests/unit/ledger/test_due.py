"""What is owed and when, as the index of owed work shows it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genoferry.contracts.events import ErrorInfo
from genoferry.ledger import states
from genoferry.ledger.due import SHARDS, clean_by, deadline_at, due_at, owes, shard, ttl
from genoferry.ledger.row import Intent, changed

ERROR = ErrorInfo(code="c", user_message="m", retryable=False)


def told(row):
    return states.published(row, frozenset(e.event_id for e in row.outbox))


@given(st.uuids())
def test_a_row_is_always_in_the_same_shard(uuid):
    assert shard(str(uuid)) in range(SHARDS)
    assert shard(str(uuid)) == shard(str(uuid))


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
