"""A write to a row: what it reads, what it puts, and what it counts."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from genoferry import metrics
from genoferry.contracts.events import ErrorInfo
from genoferry.errors import LeaseLost, NoSuchJob, RowTooLarge, VersionConflict
from genoferry.ledger import states
from genoferry.ledger.memory import MemoryLedger
from genoferry.ledger.row import changed
from genoferry.ledger.update import CONFLICTS, counted, read, update
from genoferry.testing import clock
from genoferry.testing.clock import simulated

ERROR = ErrorInfo(code="zero-matches", user_message="m", retryable=False)


class CountingLedger(MemoryLedger):
    """Counts reads and writes."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.calls: Counter[str] = Counter()

    async def get(self, uuid: str) -> Any:
        self.calls["get"] += 1
        return await super().get(uuid)

    async def put(self, row: Any, *, expected: int | None) -> None:
        self.calls["put"] += 1
        await super().put(row, expected=expected)


@pytest.fixture
def ledger(deadlines):
    return CountingLedger(deadlines)


async def stored(ledger, row):
    await ledger.put(row, expected=None)
    ledger.calls.clear()
    return row


def named(socket_id):
    return lambda row: changed(row, socket_id=socket_id)


@simulated
async def test_a_row_that_isnt_there_cant_be_read(ledger):
    with pytest.raises(NoSuchJob):
        await read(ledger, "00000000-0000-4000-8000-000000000001")


@simulated
async def test_a_write_raises_the_version_by_one(ledger, make_row):
    row = await stored(ledger, make_row(version=4))
    after = await update(ledger, row.uuid, named("a"))
    assert after == await ledger.get(row.uuid) == changed(row, version=5, socket_id="a")


@simulated
async def test_a_known_row_is_written_unread(ledger, make_row):
    row = await stored(ledger, make_row(lease_token="t"))
    first = await update(ledger, row.uuid, named("a"), known=row)
    second = await update(ledger, row.uuid, named("b"), known=first, lease="t")
    assert (second.socket_id, second.version) == ("b", 2)
    assert ledger.calls == {"put": 2}


@simulated
async def test_a_known_row_of_another_lease_is_read(ledger, make_row):
    row = await stored(ledger, make_row(lease_token="t"))
    after = await update(ledger, row.uuid, named("a"), known=changed(row, lease_token="old"), lease="t")
    assert after == changed(row, version=1, socket_id="a")
    assert ledger.calls == {"get": 1, "put": 1}
    with pytest.raises(LeaseLost):
        await update(ledger, row.uuid, named("b"), known=after, lease="old")
    assert ledger.calls == {"get": 2, "put": 1}, "a lost lease is lost: it isn't tried again"
    assert await ledger.get(row.uuid) == after


@simulated
async def test_a_row_known_as_it_was_is_read_again(ledger, make_row):
    row = await stored(ledger, make_row())
    now = await update(ledger, row.uuid, named("a"))
    after = await update(ledger, row.uuid, lambda there: changed(there, retry_at=5), known=row)
    assert after == changed(now, version=2, retry_at=5)


@simulated
async def test_nothing_to_write_of_a_row_as_it_was(ledger, make_row):
    """What it is now decides: it may have changed so that the transition applies."""
    row = await stored(ledger, make_row())
    ended = await update(ledger, row.uuid, lambda there: states.cancel(there, 5))
    ledger.calls.clear()
    assert await update(ledger, row.uuid, lambda there: there, known=row) == ended
    after = await update(
        ledger, row.uuid, lambda there: changed(there, retry_at=5) if there.terminal else there, known=row
    )
    assert (after.retry_at, after.version) == (5, 2)
    assert ledger.calls == {"get": 2, "put": 1}


@simulated
async def test_a_row_too_large_as_it_was_is_read_again(ledger, make_row):
    row = await stored(ledger, make_row())
    large = changed(row, log_tail=("l" * 70_000,))
    after = await update(ledger, row.uuid, named("a"), known=large)
    assert after == changed(row, version=1, socket_id="a")
    with pytest.raises(RowTooLarge):
        await update(ledger, row.uuid, lambda there: changed(there, log_tail=large.log_tail), known=after)


@simulated
async def test_conflicts_are_backed_off_within_bounds(ledger, make_row, monkeypatch):
    """At random below a limit that doubles from 10 ms to half a second: writers that met don't meet again."""
    monkeypatch.setattr(random, "uniform", lambda low, high: high)
    row = await stored(ledger, make_row())
    moments = []

    def transition(there):
        moments.append(clock.monotonic())
        assert len(moments) <= CONFLICTS
        ledger._rows[row.uuid] = changed(there, version=there.version + 1)
        return changed(there, socket_id="x")

    with pytest.raises(VersionConflict):
        await update(ledger, row.uuid, transition)
    waits = [later - sooner for sooner, later in pairwise(moments)]
    assert len(moments) == CONFLICTS == 20
    assert waits == pytest.approx([0.01 * 2**n for n in range(6)] + [0.5] * 13)


@pytest.fixture
def counts(monkeypatch):
    """What is counted, in place of Prometheus."""
    calls: list[tuple[str, dict[str, str]]] = []
    monkeypatch.setattr(metrics, "count", lambda name, **labels: calls.append((name, labels)))
    return calls


@simulated
async def told_of(ledger, row, transition):
    await ledger.put(row, expected=None)
    await update(ledger, row.uuid, transition)


@pytest.mark.parametrize(
    ("transition", "expected"),
    [
        (named("a"), []),
        (lambda row: row, []),
        (
            lambda row: states.admit(row, 5, runner="r"),
            [("transitions", {"before": "REQUESTED", "after": "STAGING"})],
        ),
        (
            lambda row: states.fail(row, 5, ERROR, attempt=1),
            [
                ("transitions", {"before": "REQUESTED", "after": "FAILED"}),
                ("failures", {"code": "zero-matches"}),
            ],
        ),
        (
            lambda row: changed(row, state="FAILED", error=None),
            [("transitions", {"before": "REQUESTED", "after": "FAILED"})],
        ),
        (
            lambda row: changed(row, state="STAGING", error=ERROR),
            [("transitions", {"before": "REQUESTED", "after": "STAGING"})],
        ),
    ],
)
def test_a_change_of_state_is_counted_once_written(ledger, make_row, counts, transition, expected):
    told_of(ledger, make_row(), transition)
    assert counts == expected


@simulated
async def test_a_write_that_fails_isnt_counted(ledger, make_row, counts):
    row = await stored(ledger, make_row())
    with pytest.raises(RowTooLarge):
        await update(ledger, row.uuid, lambda there: changed(there, state="FAILED", log_tail=("l" * 70_000,)))
    assert counts == []


def test_a_new_row_comes_from_no_state(make_row, counts):
    counted(None, make_row())
    assert counts == [("transitions", {"before": "", "after": "REQUESTED"})]
