"""A world to put workers into: providers in memory, virtual time, scripted jobs, and workers that can be killed."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import json
import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from genoferry import faults
from genoferry.contracts.keys import input_key
from genoferry.errors import GenoferryError, ServiceUnavailable, StagingStopped
from genoferry.handlers import registry
from genoferry.ledger.leases import Leases, Observed
from genoferry.ledger.row import FileState, Row
from genoferry.settings import Settings
from genoferry.testing import MemoryLedger, MemoryObjects, MemoryPublisher, MemoryQueue, MemoryRunner, clock
from genoferry.testing.job_double import JobDouble
from genoferry.worker.build import deadlines
from genoferry.worker.context import Staged, WorkerContext
from genoferry.worker.worker import Worker

UUIDS = [f"00000000-0000-4000-8000-{n:012d}" for n in range(64)]
_on: contextvars.ContextVar[Mortal | None] = contextvars.ContextVar("worker", default=None)


class Killed(BaseException):
    """kill -9, as far as the task that passes the fault point can tell."""


@dataclass
class Mortal:
    """One worker's thread of life: `calls` it made to its providers, and what ends it.

    A killed worker's calls have no effect and return nothing: no word of it reaches the world any more.
    """

    name: str
    dead: bool = False
    kill_before: int | None = None
    kill_after: int | None = None
    calls: list[str] = field(default_factory=list)
    broken: Callable[[str], bool] = lambda _: False
    raise_before: int | None = None
    raise_after: int | None = None
    error: type[GenoferryError] = ServiceUnavailable

    async def before(self, what: str) -> int:
        number = len(self.calls)
        if self.dead or self.kill_before == number:
            await self.end()
        self.calls.append(what)
        if self.broken(what) or self.raise_before == number:
            raise self.error
        return number

    async def after(self, number: int) -> None:
        if self.dead or self.kill_after == number:
            await self.end()
        if self.raise_after == number:
            raise self.error

    async def end(self) -> None:
        self.dead = True
        raise Killed


class Provider:
    """A provider as one worker sees it."""

    def __init__(self, name: str, real: Any, life: Mortal) -> None:
        self._name, self._real, self._life = name, real, life

    def __getattr__(self, attribute: str) -> Any:
        found = getattr(self._real, attribute)
        what = f"{self._name}.{attribute}"
        if inspect.isasyncgenfunction(found):
            return lambda *a, **k: self._stream(what, found(*a, **k))
        if inspect.iscoroutinefunction(found):
            return lambda *a, **k: self._call(what, found, *a, **k)
        return found

    async def _call(self, what: str, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        number = await self._life.before(what)
        answer = await call(*args, **kwargs)
        await self._life.after(number)
        return answer

    async def _stream(self, what: str, items: Any) -> Any:
        number = await self._life.before(what)
        async for item in items:
            yield item
        await self._life.after(number)


@dataclass
class ScriptedStager:
    """Writes each input's key into the work bucket. `script` says what else happens, by the input's name."""

    work: MemoryObjects
    script: dict[str, Callable[[threading.Event], None]] = field(default_factory=dict)
    refused: Callable[[Any], None] = lambda _: None
    staged: Counter[str] = field(default_factory=Counter)
    known: list[FileState] = field(default_factory=list)

    def check(self, item: Any) -> None:
        self.refused(item)

    def stage(self, item: Any, key: str, known: FileState, *, on_state: Any, on_progress: Any, stop: Any) -> Staged:
        self.known.append(known)
        on_state(FileState(upload_id=known.upload_id or f"upload-{key}", source_etag="e"))
        on_progress((item.size or 0) // 2)
        if act := self.script.get(item.name):
            act(stop)
        if stop.is_set():
            raise StagingStopped
        self.staged[key] += 1
        self.work.content[key] = b"plain " + item.name.encode()
        return Staged(etag=f"etag-{key}", size=len(self.work.content[key]))


class MortalStager:
    def __init__(self, real: ScriptedStager, life: Mortal) -> None:
        self._real, self._life = real, life

    def check(self, item: Any) -> None:
        self._real.check(item)

    def stage(self, *args: Any, **kwargs: Any) -> Staged:
        if self._life.dead:
            raise StagingStopped
        return self._real.stage(*args, **kwargs)


class World:
    def __init__(self, **settings: Any) -> None:
        self.settings = self.configured(**settings)
        self.ledger = MemoryLedger(deadlines(self.settings))
        self.queue = MemoryQueue(visibility_seconds=60)
        self.reports = MemoryQueue(visibility_seconds=60)
        self.work, self.results = MemoryObjects("work"), MemoryObjects("results")
        self.publisher = MemoryPublisher()
        self.runner = MemoryRunner()
        self.stager = ScriptedStager(self.work)
        self.preflight: Any = None
        self.handlers: Any = registry.load()
        self.workers: dict[str, Worker] = {}
        self.lives: dict[str, Mortal] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.armed: dict[tuple[str, str], int] = {}
        self.skip = 0.0
        self._ids = iter(range(10**9))

    @staticmethod
    def configured(**sections: dict[str, Any]) -> Settings:
        """`worker={"lease_seconds": 3}` and so on, over the defaults; the environment doesn't count."""
        from genoferry import settings as s

        kinds = {
            "worker": s.WorkerSettings,
            "queue": s.QueueSettings,
            "staging": s.StagingSettings,
            "compute": s.ComputeSettings,
        }
        made = {name: kind(**sections.get(name, {})) for name, kind in kinds.items()}
        return Settings(genoferry_topic_arn="arn:aws:sns:us-east-1:000000000000:events", **made)

    # --- time ---

    def now(self) -> int:
        return clock.millis() + int(self.skip * 1000)

    def jump(self, seconds: float) -> None:
        """The wall clock goes on by so much at once, as after a stop of every worker."""
        self.skip += seconds

    async def until(self, condition: Callable[[], bool], *, within: float = 900.0) -> None:
        await clock.until(condition, within=within)

    # --- workers ---

    def context(self, name: str = "a", **other: Any) -> WorkerContext:
        life = self.lives.setdefault(name, Mortal(name))
        real = {
            "ledger": self.ledger,
            "work": self.work,
            "results": self.results,
            "queue": self.queue,
            "reports": self.reports,
            "publisher": self.publisher,
            "runner": self.runner,
        }
        mine: dict[str, Any] = {key: Provider(key, provider, life) for key, provider in (real | other).items()}
        lease = self.settings.worker.lease_seconds
        observed = Observed(clock.monotonic)
        token = self._token(name)
        return WorkerContext(
            settings=self.settings,
            leases=Leases(mine["ledger"], observed, self.now, token, lease, name),
            deadlines=deadlines(self.settings),
            stager=MortalStager(self.stager, life),
            preflight=self.preflight,
            handlers=self.handlers,
            report_queue_url="reports",
            now=self.now,
            monotonic=clock.monotonic,
            new_id=token,
            random=random.Random(1),  # noqa: S311
            **mine,
        )

    def _token(self, name: str) -> Callable[[], str]:
        return lambda: f"{name}-{next(self._ids)}"

    def start(self, name: str = "a", *, drain: bool = False, **other: Any) -> Worker:
        worker = self.workers[name] = Worker(self.context(name, **other), drain=drain)
        _on.set(self.lives[name])
        self.tasks[name] = asyncio.create_task(worker.run(), name=f"worker {name}")
        self.tasks[name].add_done_callback(lambda task: task.cancelled() or task.exception())  # Killed: as expected
        _on.set(None)
        return worker

    def kill(self, name: str) -> None:
        """kill -9."""
        self.lives[name].dead = True

    def arm(self, name: str, point: str, times: int = 1) -> None:
        """Kill this worker when it passes that fault point."""
        self.armed[name, point] = times

    def fault(self, point: str) -> None:
        life = _on.get()
        if life is not None and self.armed.get((life.name, point)):
            self.armed[life.name, point] -= 1
            life.dead = True
        if life is not None and life.dead:
            raise Killed

    async def stopped(self, name: str = "a") -> None:
        self.workers[name].stop()
        await self.tasks[name]

    # --- messages ---

    def request(self, number: int = 0, **over: Any) -> dict[str, Any]:
        files = [{"path": f"c_{part}.c4gh", "size": 1000} for part in ("geno", "variants", "pheno")]
        row = {"sampleset": "cohort", "chrom": "22", "format": "pfile"}
        row |= {part: f"c_{part}" for part in ("geno", "variants", "pheno")}
        body = {
            "name": "CalculateScores",
            "pipeline_param": {
                "id": f"INTP{number:012d}",
                "target_genomes": [row],
                "nxf_params_file": {"pgs_id": "PGS000001", "target_build": "GRCh37", "format": "json"},
            },
            "source": {"type": "file", "root": "/in", "files": files},
            "key": {"type": "file", "path": "/keys/k.sec"},
        }
        return {"uuid": UUIDS[number], "experimentId": "EXP1", "body": body} | over

    def send(self, document: Any = None, *, message_id: str | None = None, **over: Any) -> str:
        """A request (the usual one, changed by `over`), any JSON document, or any text. Returns its uuid."""
        document = self.request(**over) if document is None else document
        text = document if isinstance(document, str) else json.dumps(document)
        self.queue.send(text, message_id=message_id, group_id="EXP1")
        return document.get("uuid", "") if isinstance(document, dict) else ""

    def cancel(self, target: str, experiment: str = "EXP1") -> str:
        return self.send(
            {"uuid": UUIDS[-1], "experimentId": experiment, "body": {"name": "CancelJob", "target": target}}
        )

    # --- what is seen ---

    def row(self, number: int = 0) -> Row:
        found = self.ledger._rows[UUIDS[number]]
        assert isinstance(found, Row)
        return found

    def events(self, number: int = 0) -> list[str]:
        """The names of a request's events, each `event_id` once, in order of sequence; Progress left out."""
        told = {m["event_id"]: m for m, _ in self.publisher.published if m.get("uuid") == UUIDS[number]}
        rows = sorted(told.values(), key=lambda m: m.get("sequence") or 0)
        return [m["event"] for m in rows if m["event"] != "Progress"]

    def messages(self, event: str, number: int = 0) -> list[dict[str, Any]]:
        return [m for m, _ in self.publisher.published if m.get("uuid") == UUIDS[number] and m["event"] == event]

    def jobs(self, number: int | None = None) -> list[JobDouble]:
        """The attempts submitted, in order."""
        return [
            JobDouble(s.name, s.uuid, s.attempt, self.runner, self.work, self.results, self.reports)
            for s in self.runner.submitted
            if number is None or s.uuid == UUIDS[number]
        ]

    async def job(self, number: int = 0, attempt: int = 1) -> JobDouble:
        """The double of an attempt, once it is submitted and the row says so."""

        def there() -> bool:
            return UUIDS[number] in self.ledger._rows and any(
                j.attempt == attempt and self.row(number).state == "SUBMITTED" and self.row(number).attempt == attempt
                for j in self.jobs(number)
            )

        await self.until(there)
        return next(j for j in self.jobs(number) if j.attempt == attempt)

    async def settled(self, number: int = 0, state: str | None = None) -> Row:
        """The row, once it has ended and nothing is owed to it."""

        def done() -> bool:
            found = self.ledger._rows.get(UUIDS[number])
            return isinstance(found, Row) and found.terminal and not self.owed(number)

        await self.until(done)
        row = self.row(number)
        assert state is None or row.state == state
        return row

    def owed(self, number: int = 0) -> bool:
        row = self.row(number)
        return bool(row.outbox or row.clean_up or row.lease_token)

    async def autoplay(self, seconds: float = 5.0) -> None:
        """Every job that is submitted runs, and ends well, after so many seconds each. Cancel it to end it."""
        while True:
            for job in self.jobs():
                seen = self.runner.observations.get(job.name)
                if seen is not None and seen.phase == "pending":
                    job.run()
                elif seen is not None and seen.phase == "running":
                    job.succeed(hint=False)
            await asyncio.sleep(seconds)

    def playing(self, seconds: float = 5.0) -> None:
        self.tasks["autoplay"] = asyncio.create_task(self.autoplay(seconds))

    def inputs(self, number: int = 0, attempt: int = 1) -> list[str]:
        return [input_key(UUIDS[number], attempt, index) for index in range(3)]


@pytest.fixture
def worlds(monkeypatch: pytest.MonkeyPatch) -> Callable[..., World]:
    """Makes a world; the environment's settings don't reach it, and its fault points kill its own workers."""
    for name in ("CLUSTER_ENV", "WORK_QUEUE", "GENOFERRY_FAULT"):
        monkeypatch.delenv(name, raising=False)

    def make(**settings: Any) -> World:
        world = World(**settings)
        monkeypatch.setattr(faults, "point", world.fault)
        return world

    return make


@pytest.fixture
def world(worlds: Callable[..., World]) -> World:
    return worlds()


@pytest.fixture
def uuids() -> list[str]:
    return UUIDS
