"""Being asked to stop, losing a lease, and having nothing to do."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter

from genoferry.errors import ComputeError
from genoferry.ledger.row import Lease
from genoferry.testing.clock import simulated


@simulated
async def test_stop_in_the_midst_of_staging_gives_every_lease_back_at_once(worlds):
    world = worlds(worker={"grace_seconds": 5})
    world.stager.script["c_variants"] = lambda stop: stop.wait(30)
    world.start("a")
    world.send()
    await world.until(lambda: len(world.stager.known) == 2)
    await world.stopped("a")
    assert world.row().state == "STAGING"
    assert world.row().lease_token is None
    lease = await world.ledger.get_lease("runner:memory")
    assert isinstance(lease, Lease)
    assert lease.token is None
    world.stager.script.clear()
    world.start("b")
    world.playing()
    await world.settled(state="SUCCEEDED")
    assert set(world.stager.staged.values()) == {1}, "what was staged is not staged again"
    assert world.stager.known[2].upload_id == f"upload-{world.inputs()[1]}", "what was begun is gone on with"


@simulated
async def test_stop_lets_what_is_nearly_done_end(world):
    ready = threading.Event()
    world.stager.script["c_variants"] = lambda stop: ready.wait(20)
    world.start("a")
    world.send()
    await world.until(lambda: len(world.stager.known) == 2)
    asyncio.get_running_loop().call_later(5, ready.set)
    await world.stopped("a")
    assert world.row().state != "STAGING"


@simulated
async def test_a_stopped_worker_takes_nothing_new(world):
    world.start("a")
    await asyncio.sleep(1)
    await world.stopped("a")
    world.send()
    await asyncio.sleep(100)
    assert not world.ledger._rows
    assert len(world.queue.waiting) == 1


@simulated
async def test_a_worker_that_lost_its_lease_stops_staging(world):
    """Another has the job by then: bytes must not be moved twice for longer than a beat."""
    stopped = []
    world.stager.script["c_variants"] = lambda stop: stopped.append(stop.wait(20))
    world.start("a")
    world.send()
    await world.until(lambda: len(world.stager.known) == 2)
    row = world.row()
    await world.ledger.put(
        row.model_copy(update={"lease_token": "other", "version": row.version + 1}), expected=row.version
    )
    await world.until(lambda: bool(stopped), within=25)
    assert stopped == [True]
    world.stager.script.clear()
    world.playing()
    await world.settled(state="SUCCEEDED")


@simulated
async def test_a_moment_without_the_ledger_costs_no_lease(world):
    ready = threading.Event()
    world.stager.script["c_variants"] = lambda stop: ready.wait(20)
    world.start("a")
    world.send()
    await world.until(lambda: len(world.stager.known) == 2)
    await asyncio.sleep(1)
    life = world.lives["a"]
    token = world.row().lease_token
    life.broken = lambda what: what.startswith("ledger.")
    await asyncio.sleep(12)
    life.broken = lambda _: False
    await asyncio.sleep(15)
    assert world.row().lease_token not in (None, token), "it was renewed"
    ready.set()
    world.playing()
    await world.settled(state="SUCCEEDED")
    assert set(world.stager.staged.values()) == {1}


@simulated
async def test_an_idle_worker_costs_nearly_nothing(world):
    world.start()
    await asyncio.sleep(600)
    life = world.lives["a"]
    life.calls.clear()
    await asyncio.sleep(3600)
    calls = Counter(life.calls)
    assert calls["queue.receive"] <= 181
    assert calls["reports.receive"] <= 181
    renewals = 3600 / (world.settings.worker.lease_seconds / 3) + 1
    assert calls["ledger.anything_owed"] <= renewals
    assert calls["ledger.get_lease"] <= renewals
    assert calls["ledger.put_lease"] <= renewals
    assert set(calls) == {
        "queue.receive",
        "reports.receive",
        "ledger.anything_owed",
        "ledger.get_lease",
        "ledger.put_lease",
        "runner.leftovers",
        "runner.workspaces",
    }
    assert calls["runner.leftovers"] == 1, "a look at its own folders, once an hour"


@simulated
async def test_a_second_idle_worker_writes_nothing(world):
    world.start("a")
    await asyncio.sleep(1)
    world.start("b")
    await asyncio.sleep(600)
    assert "ledger.put_lease" not in world.lives["b"].calls


@simulated
async def test_a_worker_that_only_watches_is_no_busy_loop(world):
    world.start("a")
    world.start("b")
    world.send()
    job = await world.job()
    job.run()
    await world.until(lambda: world.row().state == "RUNNING" and not world.owed())
    await asyncio.sleep(60)
    world.lives["a"].calls.clear()
    world.lives["b"].calls.clear()
    version = world.row().version
    await asyncio.sleep(600)
    assert world.row().version == version, "nothing is written while nothing changes"
    for name in "ab":
        calls = Counter(world.lives[name].calls)
        assert calls["ledger.owed"] <= 610
        assert calls["ledger.get"] == 0
        assert calls["runner.observe"] <= 121


@simulated
async def test_jobs_that_wait_for_a_staging_slot_cost_nothing(worlds):
    world = worlds(compute={"max_running": 20}, staging={"jobs_at_once": 1})
    world.stager.script["c_geno"] = lambda stop: stop.wait(1)
    world.start()
    for number in range(10):
        world.send(number=number)
    await world.until(lambda: sum(r.state == "STAGING" for r in world.ledger._rows.values()) == 10)
    await asyncio.sleep(20)
    versions = {u: r.version for u, r in world.ledger._rows.items() if r.lease_token is None}
    assert len(versions) == 9
    assert max(versions.values()) <= 8, "nobody takes leases to find that there is no slot"
    await asyncio.sleep(100)
    now = {u: r.version for u, r in world.ledger._rows.items() if r.lease_token is None}
    assert {u: v for u, v in versions.items() if u in now} == {u: now[u] for u in versions if u in now}


@simulated
async def test_a_clean_up_owed_by_another_runner_is_left_to_it_while_it_lives(world, uuids):
    """Two hosts with local runners: the other can't end what this one's compute runs, and must not try in vain."""
    world.start("a")
    world.send()
    job = await world.job()
    job.run()
    await world.until(lambda: world.row().state == "RUNNING" and not world.owed())
    other = type(world.runner)(key="other")

    async def refuse(handle):
        raise ComputeError

    world.runner.clean = refuse
    world.start("b", runner=other)
    world.cancel(uuids[0])
    await world.until(lambda: world.row().terminal)
    await asyncio.sleep(60)
    assert world.row().clean_up, "only its own runner can end it"
    assert other.cleaned == []
    world.send(onDuplicate="restart", message_id="again")
    await world.until(lambda: world.row().attempt == 2)


@simulated
async def test_what_a_dead_runner_left_is_adopted(world, uuids):
    """A host that is gone for good: its clean-up is done by another, and a job admitted to it goes on there."""
    world.start("a")
    world.send()
    job = await world.job()
    job.run()
    await world.until(lambda: world.row().state == "RUNNING" and not world.owed())
    world.kill("a")
    other = type(world.runner)(key="other")
    world.start("b", runner=other)
    world.cancel(uuids[0])
    await world.until(lambda: world.row().terminal and not world.row().clean_up)
    assert [name.rpartition("-")[2] for name in other.cleaned] == ["1"]
    assert other.discarded == [world.runner.submitted[0].workspace], "or nobody would be owed its removal"
    world.send(onDuplicate="restart", message_id="again")
    await world.until(lambda: len(other.submitted) == 1)
    assert other.submitted[0].attempt == 2


@simulated
async def test_what_is_remembered_of_leases_does_not_grow(worlds):
    world = worlds(compute={"max_running": 10}, staging={"jobs_at_once": 10})
    world.start("a")
    worker = world.start("b")
    world.playing()
    for number in range(20):
        world.send(number=number)
    for number in range(20):
        await world.settled(number)
    await asyncio.sleep(4000)
    assert len(worker.context.leases.observed.seen) <= 1
