"""Leases on a clock of one's own; writes that meet."""

from __future__ import annotations

import asyncio

import pytest

from genoferry.errors import LeaseLost, NoSuchJob, VersionConflict
from genoferry.ledger import states
from genoferry.ledger.leases import Leases, Observed
from genoferry.ledger.memory import MemoryLedger
from genoferry.ledger.row import CancelMark, changed
from genoferry.ledger.update import CONFLICTS, update
from genoferry.testing.clock import simulated

LENGTH = 30.0


class Place:
    """A ledger, and takers whose clocks a test moves. Wall clocks disagree on purpose."""

    def __init__(self, deadlines):
        self.ledger = MemoryLedger(deadlines)
        self.clock = 1000.0
        self.tokens = iter(range(10**6))

    def taker(self, name, *, ahead=0):
        return Leases(
            ledger=self.ledger,
            observed=Observed(lambda: self.clock),
            now=lambda: int(self.clock * 1000) + ahead,
            new_token=lambda: f"{name}{next(self.tokens)}",
            length=LENGTH,
            holder=name,
        )


@pytest.fixture
def place(deadlines):
    return Place(deadlines)


@simulated
async def test_a_lease_is_held_until_it_is_given_back(place, make_row):
    row = make_row()
    await place.ledger.put(row, expected=None)
    a, b = place.taker("a"), place.taker("b")
    held = await a.take(row.uuid)
    assert held is not None
    assert await b.take(row.uuid) is None
    assert await a.give_back(held, held.lease_token) is not None
    assert await b.take(row.uuid) is not None
    assert await a.give_back(held, held.lease_token) is None


@simulated
async def test_only_a_token_unchanged_for_the_whole_length_is_taken_over(place, make_row):
    row = make_row()
    await place.ledger.put(row, expected=None)
    a, b = place.taker("a"), place.taker("b", ahead=10**9)
    held = await a.take(row.uuid)
    place.clock += 1000
    assert await b.take(row.uuid) is None, "seen for the first time"
    place.clock += LENGTH - 0.1
    assert await b.take(row.uuid) is None
    held = await a.renew(row.uuid, held.lease_token)
    place.clock += 0.2
    assert await b.take(row.uuid) is None, "it was renewed"
    place.clock += LENGTH - 0.1
    assert await b.take(row.uuid) is None
    place.clock += 0.2
    taken = await b.take(row.uuid)
    assert taken is not None
    with pytest.raises(LeaseLost):
        await a.renew(row.uuid, held.lease_token)
    with pytest.raises(LeaseLost):
        await update(place.ledger, row.uuid, lambda r: states.cancel(r, 1), lease=held.lease_token)
    assert await b.renew(row.uuid, taken.lease_token)


@simulated
async def test_of_many_takers_at_once_one_wins(place, make_row):
    row = make_row()
    await place.ledger.put(row, expected=None)
    real_get = place.ledger.get

    async def slow_get(uuid):
        found = await real_get(uuid)
        await asyncio.sleep(0)
        return found

    place.ledger.get = slow_get
    won = [held for held in await asyncio.gather(*(place.taker(str(n)).take(row.uuid) for n in range(10))) if held]
    assert len(won) == 1


@simulated
async def test_of_two_takers_of_a_stale_runner_lease_one_wins(place):
    dead, a, b = place.taker("dead"), place.taker("a"), place.taker("b")
    assert await dead.hold("runner:x", None)
    for taker in (a, b):
        assert await taker.hold("runner:x", None) is None
    place.clock += LENGTH
    held = await asyncio.gather(a.hold("runner:x", None), b.hold("runner:x", None))
    assert sum(token is not None for token in held) == 1


@simulated
async def test_a_runner_lease_is_renewed_let_go_and_not_by_another(place):
    a, b = place.taker("a"), place.taker("b")
    token = await a.hold("runner:x", None)
    renewed = await a.hold("runner:x", token)
    assert renewed not in (None, token)
    assert await b.hold("runner:x", None) is None
    await b.let_go("runner:x", "not mine")
    assert await b.hold("runner:x", None) is None
    assert not await b.abandoned("runner:x")
    await a.let_go("runner:x", renewed)
    assert not await b.abandoned("runner:x"), "a worker may be starting again"
    place.clock += LENGTH
    assert await b.abandoned("runner:x")
    assert await b.hold("runner:x", None)


@simulated
async def test_an_update_reads_again_when_another_was_first(place, make_row):
    row = make_row()
    await place.ledger.put(row, expected=None)
    raced = []

    def transition(there):
        if len(raced) < 3:
            raced.append(there.version)
            place.ledger._rows[row.uuid] = changed(there, version=there.version + 1, socket_id=str(len(raced)))
        return states.cancel(there, 5)

    after = await update(place.ledger, row.uuid, transition)
    assert (after.state, after.socket_id, after.version) == ("CANCELLED", "3", 4)
    assert raced == [0, 1, 2]


@simulated
async def test_an_update_gives_up_after_twenty_conflicts(place, make_row):
    row = make_row()
    await place.ledger.put(row, expected=None)
    tries = []

    def transition(there):
        tries.append(there)
        place.ledger._rows[row.uuid] = changed(there, version=there.version + 1)
        return changed(there, socket_id="x")

    with pytest.raises(VersionConflict):
        await update(place.ledger, row.uuid, transition)
    assert len(tries) == CONFLICTS


@simulated
async def test_a_transition_that_does_not_apply_writes_nothing(place, make_row):
    row = make_row()
    await place.ledger.put(row, expected=None)
    assert (await update(place.ledger, row.uuid, lambda there: there)).version == 0


@simulated
async def test_there_is_nothing_to_update_under_a_cancel_mark(place, make_row):
    row = make_row()
    await place.ledger.put(CancelMark(uuid=row.uuid, experiment_id="E", created_at=1), expected=None)
    with pytest.raises(NoSuchJob):
        await update(place.ledger, row.uuid, lambda there: there)


def test_what_was_seen_is_forgotten_in_time():
    clock = [0.0]
    observed = Observed(lambda: clock[0])
    for number in range(1000):
        clock[0] = number * 10.0
        assert not observed.stale(f"key-{number}", "t", LENGTH)
    assert len(observed.seen) < 400
