"""Leases on a clock of one's own; writes that meet."""

from __future__ import annotations

import asyncio

import pytest

from genoferry.errors import LeaseLost, NoSuchJob, VersionConflict
from genoferry.ledger import states
from genoferry.ledger.leases import Leases, Observed, runner_lease
from genoferry.ledger.memory import MemoryLedger
from genoferry.ledger.row import CancelMark, Lease, changed
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
    real = place.ledger.get_lease

    async def slow_get_lease(name):
        lease = await real(name)
        await asyncio.sleep(0)  # both have read it before one writes
        return lease

    place.ledger.get_lease = slow_get_lease
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
        assert len(tries) <= CONFLICTS
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


@simulated
async def test_a_token_is_stale_after_its_whole_length(place):
    observed = place.taker("a").observed
    assert not observed.stale("key", "t", LENGTH)
    place.clock += LENGTH - 1
    assert not observed.stale("key", "t", LENGTH)
    place.clock += 1
    assert observed.stale("key", "t", LENGTH)
    assert not observed.stale("other", "t", LENGTH), "each key for itself"
    assert not observed.stale("key", "u", LENGTH)
    place.clock += LENGTH
    observed.forget("key")
    observed.forget("key")
    assert not observed.stale("key", "u", LENGTH), "forgotten: it counts anew"
    assert observed.stale("other", "t", LENGTH)


def test_a_sight_is_forgotten_after_100_lengths():
    clock = [5.0]
    observed = Observed(lambda: clock[0])
    observed.stale("old", "t", LENGTH)
    clock[0] += 1
    observed.stale("young", "t", LENGTH)
    clock[0] = 5 + 100 * LENGTH
    observed.stale("new", "t", LENGTH)
    assert observed.seen == {"young": ("t", 6.0), "new": ("t", clock[0])}


@simulated
async def test_a_row_lease_is_written_and_wiped(place, make_row):
    row = make_row()
    await place.ledger.put(row, expected=None)
    a = place.taker("a", ahead=7)
    taken = await a.take(row.uuid)
    assert taken == changed(row, version=1, lease_token="a0", lease_until=1_000_000 + 30_000 + 7)
    place.clock += 5
    renewed = await a.renew(row.uuid, "a0")
    assert renewed == changed(row, version=2, lease_token="a1", lease_until=1_005_000 + 30_000 + 7)
    assert await a.give_back(renewed, "a1") == changed(row, version=3)
    assert await place.ledger.get(row.uuid) == changed(row, version=3)


@simulated
async def test_a_lease_in_parts_of_seconds(place, make_row):
    """A length below a second, too, is counted in whole milliseconds."""
    row = make_row()
    await place.ledger.put(row, expected=None)
    a = place.taker("a")
    a.length = 0.0015
    assert (await a.take(row.uuid)).lease_until == 1_000_001


@simulated
async def test_a_taker_forgets_whose_lease_it_took(place, make_row):
    row = make_row()
    await place.ledger.put(row, expected=None)
    a, b = place.taker("a"), place.taker("b")
    await a.take(row.uuid)
    await b.take(row.uuid)
    assert list(b.observed.seen) == [row.uuid]
    place.clock += LENGTH
    assert await b.take(row.uuid)
    assert b.observed.seen == {}


@simulated
async def test_a_renewal_written_twice_is_kept(place, make_row):
    """The first answer is lost, the client sends the write again, and it meets itself."""
    row = make_row()
    await place.ledger.put(row, expected=None)
    a = place.taker("a")
    await a.take(row.uuid)
    real = place.ledger.put

    async def written_twice(after, *, expected):
        await real(after, expected=expected)
        raise VersionConflict

    place.ledger.put = written_twice
    renewed = await a.renew(row.uuid, "a0")
    assert (renewed.lease_token, renewed.version) == ("a1", 2)


@simulated
async def test_a_row_as_last_read_is_given_back_unread(place, make_row):
    row = make_row()
    await place.ledger.put(row, expected=None)
    a = place.taker("a")
    held = await a.take(row.uuid)
    real, reads = place.ledger.get, []

    async def get(uuid):
        reads.append(uuid)
        return await real(uuid)

    place.ledger.get = get
    assert (await a.give_back(held, "a0")).lease_token is None
    assert reads == []


@simulated
async def test_a_runner_lease_is_written_with_its_holder(place):
    a = place.taker("a", ahead=7)
    assert await a.hold("runner:x", None) == "a0"
    first = Lease(name="runner:x", version=0, token="a0", until=1_030_007, holder="a")
    assert await place.ledger.get_lease("runner:x") == first
    place.clock += 5
    assert await a.hold("runner:x", "a0") == "a1"
    second = Lease(name="runner:x", version=1, token="a1", until=1_035_007, holder="a")
    assert await place.ledger.get_lease("runner:x") == second
    await a.let_go("runner:x", "a1")
    third = second.model_copy(update={"version": 2, "token": None})
    assert await place.ledger.get_lease("runner:x") == third
    assert await place.taker("b").hold("runner:x", None) == "b2", "nobody's: it is taken at once"


@simulated
async def test_a_runner_lease_is_stale_by_its_name(place):
    """Two leases with one token, as if a generator repeated itself: each has its own time."""
    b = place.taker("b")
    for name in ("runner:x", "runner:y"):
        await place.ledger.put_lease(Lease(name=name, token="t"), expected=None)
    assert await b.hold("runner:x", None) is None
    place.clock += LENGTH
    assert await b.hold("runner:y", None) is None
    assert await b.hold("runner:x", None) == "b0"


@simulated
async def test_a_lease_let_go_too_late_is_the_takers(place):
    a, b = place.taker("a"), place.taker("b")
    token = await a.hold("runner:x", None)
    real = place.ledger.get_lease

    async def get_and_lose(name):
        lease = await real(name)
        place.ledger.get_lease = real
        place.clock += LENGTH
        assert await b.hold(name, token)
        return lease

    place.ledger.get_lease = get_and_lose
    await a.let_go("runner:x", token)
    lease = await place.ledger.get_lease("runner:x")
    assert (lease.holder, lease.version) == ("b", 1)
    assert lease.token is not None
    await a.let_go("runner:unheld", token)
    assert await place.ledger.get_lease("runner:unheld") is None


@simulated
async def test_a_renewed_runner_lease_isnt_abandoned(place):
    a, b = place.taker("a"), place.taker("b")
    token = None
    for _ in range(4):
        token = await a.hold("runner:x", token)
        assert not await b.abandoned("runner:x")
        place.clock += LENGTH - 1
    assert not await b.abandoned("runner:x")
    place.clock += 1
    assert await b.abandoned("runner:x"), "one token for the whole length"
    assert await b.hold("runner:x", None), "and it may be taken"


@simulated
async def test_a_lease_never_held_is_abandoned_in_time(place):
    b = place.taker("b")
    assert not await b.abandoned("runner:x")
    place.clock += LENGTH
    assert await b.abandoned("runner:x")
    assert not await b.abandoned("runner:y"), "each for itself"


@simulated
async def test_a_lease_freed_again_counts_anew(place):
    """Between two looks a worker started and stopped: its runner isn't gone for good."""
    a, b = place.taker("a"), place.taker("b")
    assert not await b.abandoned("runner:x")
    for _ in range(2):
        place.clock += LENGTH
        token = await a.hold("runner:x", None)
        await a.let_go("runner:x", token)
        assert not await b.abandoned("runner:x")


def test_a_runner_lease_has_its_runners_name():
    assert runner_lease("local:h") == "runner:local:h", "it is a key in tables that exist"
