"""Whether a worker says that it does what it is there for: each loop stalled in turn, in virtual time; its numbers."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import subprocess
import sys
import threading
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import pytest
from structlog.testing import capture_logs

from genoferry import metrics
from genoferry.errors import ServiceUnavailable, SettingsError, ZeroMatches
from genoferry.settings import HealthSettings
from genoferry.testing.clock import simulated
from genoferry.worker.health import Health, serve

QUICK = {"worker": {"backoff_seconds": 2}}


@pytest.fixture
def counting(monkeypatch):
    """Metrics of this test's own."""
    monkeypatch.setattr(metrics, "_on", None)
    metrics.switch_on()


def health(world, name="a"):
    worker = world.workers[name]
    return Health(worker.context.liveness, lambda: worker.stopping)


def ready(world, name="a"):
    """The document, and whether the status says the same."""
    answer = health(world, name).ready()
    document = json.loads(answer.body)
    assert document["ready"] == (answer.status == 200)
    return document


async def until_ready(world, name="a"):
    await world.until(lambda: ready(world, name)["ready"], within=300)


class Stall:
    """From now on the worker's calls of these names get no answer, until `end`."""

    def __init__(self, life, *names):
        self.names, self.over, self.asked = names, asyncio.Event(), False
        self._before, life.before = life.before, self._wait

    async def _wait(self, what):
        if what in self.names and not self.over.is_set():
            self.asked = True
            await self.over.wait()
        return await self._before(what)

    def end(self):
        self.over.set()


async def red_then_green(world, *names, loops):
    """Those loops, and no others, are late while the calls get no answer; then all is well again."""
    await until_ready(world)
    stall = Stall(world.lives["a"], *names)
    await world.until(lambda: not ready(world)["ready"], within=300)
    await asyncio.sleep(60)
    assert stall.asked
    found = ready(world)
    assert set(found["late"]) == loops
    assert all(seconds > 0 for seconds in found["late"].values())
    assert found["draining"] is False
    assert health(world).alive().status == 200
    stall.end()
    await until_ready(world)
    assert ready(world) == {"ready": True, "draining": False, "late": {}, "awaited": []}


# --- each loop ------------------------------------------------------------------------------------------------------


@simulated
async def test_a_worker_is_ready_once_each_of_its_loops_has_turned(world):
    world.start()
    assert ready(world)["awaited"] == ["due", "lease", "reports", "requests"]
    assert not ready(world)["ready"]
    await until_ready(world)


@simulated
async def test_an_idle_worker_stays_ready(world):
    world.start()
    await until_ready(world)
    for _ in range(720):
        await asyncio.sleep(5)
        assert ready(world)["ready"], ready(world)


@simulated
async def test_a_busy_worker_stays_ready(world):
    world.start()
    await until_ready(world)
    for number in range(8):
        world.send(number=number, uuid=f"00000000-0000-4000-8000-{number:012d}")
    world.playing(7)
    for _ in range(300):
        await asyncio.sleep(1)
        assert ready(world)["ready"], ready(world)
    await world.settled(7, state="SUCCEEDED")


@simulated
async def test_the_work_queues_poll(world):
    world.start()
    await red_then_green(world, "queue.receive", loops={"requests"})


@simulated
async def test_the_report_queues_poll(world):
    world.start()
    await red_then_green(world, "reports.receive", loops={"reports"})


@simulated
async def test_the_look_at_what_is_owed(world):
    """In whose turns the lease is renewed and the watch looks: nothing of it goes on."""
    world.start()
    await red_then_green(world, "ledger.anything_owed", "ledger.owed", loops={"due", "lease", "watch"})


@simulated
async def test_the_renewal_of_the_runners_lease(world):
    world.start()
    await red_then_green(world, "ledger.put_lease", loops={"due", "lease", "watch"})


@simulated
async def test_a_lease_that_cannot_be_renewed_while_all_else_goes_on(worlds):
    """Nothing hangs, but every renewal fails: the turns that need it fail, too."""
    world = worlds(**QUICK)
    world.start()
    await until_ready(world)
    world.lives["a"].broken = lambda what: what == "ledger.put_lease"
    await world.until(lambda: "lease" in ready(world)["late"], within=300)
    assert not {"requests", "reports"} & set(ready(world)["late"])
    world.lives["a"].broken = lambda _: False
    await until_ready(world)


@simulated
async def test_a_watch_that_hangs(world):
    world.start()
    world.send()
    job = await world.job()
    job.run()
    await world.until(lambda: world.row().state == "RUNNING")
    await red_then_green(world, "runner.observe", loops={"due", "lease", "watch"})


@simulated
async def test_a_watch_that_sees_nothing_while_all_else_goes_on(world):
    world.start()
    world.send()
    job = await world.job()
    job.run()
    await until_ready(world)
    world.lives["a"].broken = lambda what: what == "runner.observe"
    await world.until(lambda: not ready(world)["ready"], within=300)
    assert set(ready(world)["late"]) == {"watch"}
    world.lives["a"].broken = lambda _: False
    await until_ready(world)


@simulated
async def test_the_watch_of_another_is_not_this_workers_duty(world):
    world.start("a")
    world.send()
    job = await world.job()
    job.run()
    world.start("b")
    await until_ready(world, "a")
    await until_ready(world, "b")
    for life in world.lives.values():
        life.broken = lambda what: what == "runner.observe"
    await world.until(lambda: not ready(world, "a")["ready"], within=300)
    assert ready(world, "b")["ready"]
    assert "watch" not in world.workers["b"].context.liveness.behind()


@simulated
async def test_the_watch_becomes_the_duty_of_who_takes_the_lease_over(world):
    world.start("a")
    await until_ready(world, "a")
    world.start("b")
    await until_ready(world, "b")
    world.kill("a")
    await world.until(lambda: "watch" in world.workers["b"].context.liveness.behind(), within=120)
    await asyncio.sleep(120)
    assert ready(world, "b")["ready"]


@simulated
async def test_the_beat_of_a_row(world):
    """A row's lease is renewed while its staging takes its time; then the beat hangs, and nothing else."""
    enough = threading.Event()
    world.stager.script["c_variants"] = lambda _: enough.wait(60)
    world.start()
    world.send()
    await world.until(lambda: len(world.stager.known) == 2)
    turns = world.workers["a"].context.liveness
    assert "beats" in turns.behind()
    stall = Stall(world.lives["a"], "ledger.get", "ledger.put")
    await world.until(lambda: "beats" in ready(world)["late"], within=120)
    assert stall.asked
    assert set(ready(world)["late"]) == {"beats"}
    stall.end()
    enough.set()
    await until_ready(world)
    world.playing()
    await world.settled(state="SUCCEEDED")
    assert "beats" not in turns.behind(), "no row is held, so none must be renewed"


@simulated
async def test_a_poll_that_fails_at_every_turn_is_late_too(worlds):
    """A queue that can't be reached is no reason to be ended, but none to be called ready either."""
    world = worlds(**QUICK)
    world.start()
    await until_ready(world)
    world.lives["a"].broken = lambda what: what == "queue.receive"
    await world.until(lambda: set(ready(world)["late"]) == {"requests"}, within=300)
    assert health(world).alive().status == 200
    world.lives["a"].broken = lambda _: False
    await until_ready(world)


@simulated
async def test_a_draining_worker_is_alive_and_not_ready(world):
    world.stager.script["c_variants"] = lambda stop: stop.wait(5)
    world.start()
    await until_ready(world)
    world.send()
    await world.until(lambda: len(world.stager.known) == 2)
    world.workers["a"].stop()
    found = ready(world)
    assert (found["ready"], found["draining"], found["late"]) == (False, True, {})
    assert health(world).alive().status == 200
    await world.tasks["a"]


# --- the numbers ----------------------------------------------------------------------------------------------------


def numbers(world):
    """The page's samples: `name{labels}` and value."""
    page = health(world).metrics().body.decode()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in page.splitlines() if line[0] != "#"}


@simulated
async def test_a_jobs_life_in_numbers(worlds, counting):
    world = worlds(**QUICK)
    world.start()
    world.send()
    job = await world.job()
    job.run()
    await world.until(lambda: world.row().state == "RUNNING")
    seen = numbers(world)
    assert seen["genoferry_runner_lease"] == 1
    assert seen["genoferry_owed_jobs"] == 1
    job.fail(ZeroMatches())
    await world.settled(state="FAILED")
    world.send("not json")
    await world.until(lambda: world.queue.dead)
    await until_ready(world)
    seen = numbers(world)
    for before, after in [("", "REQUESTED"), ("REQUESTED", "STAGING"), ("SUBMITTED", "RUNNING"), ("RUNNING", "FAILED")]:
        assert seen[f'genoferry_transitions_total{{after="{after}",before="{before}"}}'] == 1
    assert seen['genoferry_failures_total{code="zero-matches"}'] == 1
    assert seen['genoferry_messages_total{code="",outcome="accepted"}'] == 1
    assert seen['genoferry_messages_total{code="not-json",outcome="rejected"}'] == 1
    for event in ("Requested", "Created", "Deployed", "Failed"):
        assert seen[f'genoferry_events_total{{event="{event}"}}'] == 1
    assert seen["genoferry_staged_bytes_total"] == 1500, "half of each file, as the scripted stager tells"
    assert seen["genoferry_ready"] == 1
    assert seen['genoferry_loop_late_seconds{loop="due"}'] == 0
    for loop in ("requests", "reports", "due", "lease", "watch", "beats"):
        assert f'genoferry_loop_turn_seconds_count{{loop="{loop}"}}' in seen or loop == "beats"
    assert any(name.startswith("genoferry_build_info{version=") for name in seen)
    assert "process_resident_memory_bytes" in seen


@simulated
async def test_lost_leases_and_deferred_messages_are_counted(worlds, counting):
    world = worlds(**QUICK)
    world.stager.script["c_variants"] = lambda stop: stop.wait(20)
    world.start()
    world.send()
    await world.until(lambda: len(world.stager.known) == 2)
    row = world.row()
    stolen = row.model_copy(update={"lease_token": "other", "version": row.version + 1})
    await world.ledger.put(stolen, expected=row.version)
    lease = await world.ledger.get_lease("runner:memory")
    await world.ledger.put_lease(
        lease.model_copy(update={"token": "other", "version": lease.version + 1}), expected=lease.version
    )
    await world.until(lambda: numbers(world).get('genoferry_leases_lost_total{lease="row"}') == 1)
    await world.until(lambda: numbers(world).get('genoferry_leases_lost_total{lease="runner"}') == 1)
    assert numbers(world)["genoferry_runner_lease"] == 0
    world.lives["a"].raise_before = None
    world.lives["a"].broken = lambda what: what == "work.put"
    world.send(number=1, uuid="00000000-0000-4000-8000-000000000001")
    deferred = f'genoferry_messages_total{{code="{ServiceUnavailable.code}",outcome="deferred"}}'
    await world.until(lambda: numbers(world).get(deferred, 0) >= 1)


@simulated
async def test_no_label_holds_anything_of_a_sender(worlds, counting):
    """Nor a uuid, an experiment, the name of a file, or a code that a job made up."""
    world = worlds(**QUICK)
    world.start()
    world.send(experimentId="CANARY-experiment", socketId="CANARY-socket", traceparent="CANARY-trace")
    world.send({"uuid": "00000000-0000-4000-8000-000000000009", "experimentId": "CANARY-e", "body": {"name": "CANARY"}})
    world.send("CANARY")
    job = await world.job()
    job.run()
    error = ZeroMatches()
    error.code = "CANARY-code"
    job.fail(error)
    await world.settled(state="FAILED")
    await world.until(lambda: len(world.queue.dead) == 2)
    page = health(world).metrics().body.decode()
    assert 'genoferry_failures_total{code="other"}' in page
    assert "CANARY" not in page
    assert "INTP" not in page
    assert "EXP1" not in page
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", page)


def test_what_nobody_asks_for_is_not_counted(monkeypatch):
    monkeypatch.setattr(metrics, "_on", None)
    metrics.count("messages", outcome="accepted", code="")
    assert metrics.page()[0] == b""


def test_a_worker_that_nobody_asks_loads_no_server():
    """It starts as fast as before."""
    names = "genoferry.cli.worker, genoferry.worker.worker, genoferry.worker.health"
    loaded = f"import sys, {names}; print({{'prometheus_client', 'aiohttp'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_every_meters_labels_are_few(counting):
    for name, meter in metrics.METERS.items():
        assert set(meter.labels) <= {"outcome", "code", "before", "after", "event", "lease", "loop", "version"}, name


# --- over HTTP ------------------------------------------------------------------------------------------------------


class Steady:
    """Liveness that are as a test says."""

    def __init__(self):
        self.behind_by = {}
        self.awaited = []

    def behind(self):
        return self.behind_by

    late = behind


@asynccontextmanager
async def served(turns, *, stopping=lambda: False, **settings):
    """Where it answers."""
    async with AsyncExitStack() as stack:
        with capture_logs() as logs:
            await serve(stack, HealthSettings(**({"port": 0} | settings)), Health(turns, stopping))
        (entry,) = [log for log in logs if log["event"] == "health"]
        yield f"http://{entry['host']}:{entry['port']}"


async def get(url):
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, answer.headers["Content-Type"], await answer.read()


async def test_the_three_pages(counting):
    turns = Steady()
    async with served(turns) as url:
        assert url.startswith("http://127.0.0.1:")
        status, kind, body = await get(f"{url}/healthz")
        assert (status, kind, json.loads(body)["alive"]) == (200, "application/json", True)
        status, kind, body = await get(f"{url}/readyz")
        assert (status, kind) == (200, "application/json")
        assert json.loads(body) == {"ready": True, "draining": False, "late": {}, "awaited": []}
        turns.behind_by = {"due": 41.26}
        status, _, body = await get(f"{url}/readyz")
        assert (status, json.loads(body)["late"]) == (503, {"due": 41.3})
        status, kind, body = await get(f"{url}/metrics")
        assert (status, kind.split(";")[0]) == (200, "text/plain")
        assert b'genoferry_loop_late_seconds{loop="due"} 41.26' in body
        assert b"genoferry_ready 0.0" in body
        assert (await get(f"{url}/"))[0] == 404
    with pytest.raises(aiohttp.ClientConnectionError):
        await get(f"{url}/healthz")


async def test_a_port_that_is_taken_is_told_at_the_start(counting):
    async with AsyncExitStack() as stack:
        taken = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        with pytest.raises(SettingsError, match="GENOFERRY_HEALTH_PORT"):
            await serve(stack, HealthSettings(port=taken.getsockname()[1]), Health(Steady(), lambda: False))


async def test_without_a_port_nothing_listens(monkeypatch):
    monkeypatch.setattr(metrics, "_on", None)
    async with AsyncExitStack() as stack:
        await serve(stack, HealthSettings(port=None), Health(Steady(), lambda: False))
    assert metrics.page()[0] == b""
