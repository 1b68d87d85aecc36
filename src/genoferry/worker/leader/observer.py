"""Looks at this runner's jobs: what its backend sees of them, and what that comes to (design, sections 4 and 6)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import structlog

from genoferry.compute.protocol import Handle, Observation, job_name
from genoferry.contracts.reports import LOG_LINES, bounded
from genoferry.errors import GenoferryError, ServiceError
from genoferry.ledger.row import OwedRow, Row, State
from genoferry.ledger.states import held_back, looked
from genoferry.ledger.update import read, update
from genoferry.worker.context import WorkerContext
from genoferry.worker.leader.reconcile import read_report, settle

log = structlog.get_logger()
T = TypeVar("T")
AT_COMPUTE: frozenset[State] = frozenset({"SUBMITTED", "RUNNING"})
SETTLED_AT_ONCE = 16
"""Jobs whose ends are read and written side by side: when thousands end together, none waits for all the others."""
HELD_SECONDS = 60.0
"""Between two notes that a job is held back, at most: so much of that time may count as waiting."""
TAIL_SECONDS = 5.0
"""For the lines that a job printed last: its node may not answer, and others wait."""
BLIND_SECONDS = 600.0
"""How long a job that the backend says nothing of is spared its deadline: worker or watch may have been away."""


async def side_by_side(act: Callable[[T], Awaitable[Row | None]], items: Sequence[T]) -> list[Row]:
    """What acting on each comes to, where it comes to something; `SETTLED_AT_ONCE` at a time, in order."""
    found: list[Row | None] = []
    for start in range(0, len(items), SETTLED_AT_ONCE):
        found += await asyncio.gather(*map(act, items[start : start + SETTLED_AT_ONCE]))
    return [row for row in found if row is not None]


@dataclass
class Gone:
    """A job that its backend doesn't know: since when, and for how many looks at it."""

    since: float
    looks: int = 0


@dataclass
class Job:
    """One at the backend, as far as this holder has seen: times are by the monotonic clock."""

    row: OwedRow
    """As the index showed it last, or as it has become since."""
    gone: Gone | None = None
    why: str | None = None
    """It doesn't run yet, in the backend's words."""
    held_at: float | None = None
    """When it was last noted that the backend holds it back."""
    blind_since: float | None = None
    """Since when the backend says nothing of it."""


@dataclass
class Observer:
    """What one holder has seen so far, from one look to the next."""

    context: WorkerContext
    jobs: dict[str, Job] = field(default_factory=dict)
    """By name, those that the last look at all of them found at the backend, or one since that was asked for."""

    async def at_all(self, owed: Iterable[OwedRow]) -> list[Row]:
        """One batched observation of this runner's jobs, and what each comes to: the rows to which something is owed
        since."""
        self.context.runner.take_changes()  # of before: all are looked at now
        known, self.jobs = self.jobs, {}
        jobs = [self._take(row, known) for row in owed if self._is_there(row)]
        for job in jobs:
            if job.blind_since is None:  # until it is answered for
                job.blind_since = self.context.monotonic()
        return await self._at(jobs)

    async def at_some(self, due: Iterable[OwedRow]) -> list[Row]:
        """The same of those only that a report has told of, or, if they are known from before, the backend: so that
        they needn't wait for the next."""
        asked = [row for row in due if self._is_there(row) and row.due(self.context.now(), "look")]
        names = self.context.runner.take_changes() - {self._handle(row).name for row in asked}
        told = [self.jobs[name] for name in sorted(names) if name in self.jobs]
        jobs = [*(self._take(row, self.jobs) for row in asked), *told]
        return await self._at(jobs) if jobs else []

    def _take(self, row: OwedRow, known: Mapping[str, Job]) -> Job:
        """The row's job, with what is known of it."""
        name = self._handle(row).name
        job = self.jobs[name] = known.get(name) or Job(row)
        job.row = row
        return job

    def _is_there(self, row: OwedRow) -> bool:
        return row.runner == self.context.runner.key and row.state in AT_COMPUTE

    async def _at(self, jobs: Sequence[Job]) -> list[Row]:
        by_name = {self._handle(job.row).name: job for job in jobs}
        seen = await self._observe([job.row for job in jobs])
        for observation in seen:
            by_name[observation.handle.name].blind_since = None
        there = {observation.handle.uuid for observation in seen if observation.phase != "gone"}
        rows = [job.row for job in jobs]
        hinted = [row for row in rows if row.due(self.context.now(), "look") and row.uuid not in there]
        news = await side_by_side(self.ended_by_itself, hinted)  # of the others `settle` reads the report
        ended = {row.uuid for row in news}
        todo = [o for o in seen if o.handle.uuid not in ended]
        found = await side_by_side(lambda o: self._see(o, by_name[o.handle.name]), todo)
        return news + [row for row in found if row.outbox or row.clean_up]

    def is_blind(self, row: OwedRow) -> bool:
        """Whether the backend has said nothing of its job yet, for a while: it may run, or be held back."""
        job = self.jobs.get(self._handle(row).name)
        since = job.blind_since if job else None
        return since is not None and self.context.monotonic() - since < BLIND_SECONDS

    async def ended_by_itself(self, owed: OwedRow) -> Row | None:
        """Before any failure is declared the attempt's exit report is read, and a valid one wins: a job may have ended
        in time while no worker was there to see it. The row, if so."""
        if owed.state not in AT_COMPUTE:
            return None
        try:
            row = await read(self.context.ledger, owed.uuid)
            if row.attempt != owed.attempt or await read_report(self.context, row) is None:
                return None
            row = await settle(self.context, row, Observation(self._handle(owed), "succeeded"))
            return row if row.state not in AT_COMPUTE else None
        except ServiceError:
            raise
        except GenoferryError as error:
            log.warning("report left", uuid=owed.uuid, code=error.code, cause=str(error))
            return None

    async def _see(self, observation: Observation, job: Job) -> Row | None:
        """What has become of it, if there was news."""
        row = job.row
        try:
            await self._wait(observation, job)
            if self._is_news(observation, job):
                return await self._settle(observation, job)
            if row.due(self.context.now(), "look"):
                await self._looked(row, row.owes["look"])
        except GenoferryError as error:
            log.warning("look failed", uuid=row.uuid, code=error.code, cause=str(error))
        return None

    async def _observe(self, rows: Sequence[OwedRow]) -> list[Observation]:
        """What the compute sees; nothing while it is in trouble, which must not keep other work waiting."""
        try:
            with self.context.liveness.turn("watch"):
                return await self.context.runner.observe([self._handle(row) for row in rows]) if rows else []
        except GenoferryError as error:
            log.warning("no look", runner=self.context.runner.key, code=error.code, cause=str(error))
            return []

    def _handle(self, row: OwedRow) -> Handle:
        name = job_name(self.context.settings.deployment, row.uuid, row.attempt)
        return Handle(row.uuid, row.attempt, name, row.ref)

    def _is_news(self, seen: Observation, job: Job) -> bool:
        if seen.phase == "gone":
            return self._gone_for_good(job)
        job.gone = None
        hinted = job.row.due(self.context.now(), "look")
        return hinted or (seen.phase, job.row.state) not in {("pending", "SUBMITTED"), ("running", "RUNNING")}

    async def _wait(self, seen: Observation, job: Job) -> None:
        """Note why it doesn't run yet; and now and then, for the deadline's sake, that it is held back."""
        row, now = job.row, self.context.monotonic()
        job.why = seen.reason if seen.phase == "pending" else None
        if not seen.suspended or row.state != "SUBMITTED":
            return
        every = min(HELD_SECONDS, self.context.deadlines.start / 4000)
        waited = self.context.now() + self.context.deadlines.start - row.owes.get("deadline", 0) >= every * 1000
        if waited and (job.held_at is None or now - job.held_at >= every):
            await update(self.context.ledger, row.uuid, partial(held_back, now=self.context.now(), attempt=row.attempt))
            job.held_at = now

    def why(self, row: OwedRow) -> str | None:
        """Why its job doesn't run yet, in the backend's words."""
        job = self.jobs.get(self._handle(row).name)
        return job.why if job else None

    async def last_lines(self, row: OwedRow) -> tuple[str, ...]:
        """What its job printed last; nothing where the backend can't tell, or not soon."""
        try:
            return bounded(await asyncio.wait_for(self.context.runner.logs(self._handle(row), LOG_LINES), TAIL_SECONDS))
        except (GenoferryError, OSError) as error:  # TimeoutError, too
            log.warning("no lines", uuid=row.uuid, cause=str(error) or type(error).__name__)
            return ()

    def _gone_for_good(self, job: Job) -> bool:
        """Two looks and a minute."""
        now = self.context.monotonic()
        gone = job.gone = job.gone or Gone(now)
        gone.looks += 1
        return gone.looks >= 2 and now - gone.since >= self.context.settings.worker.gone_seconds

    async def _settle(self, seen: Observation, job: Job) -> Row:
        row = began = await read(self.context.ledger, job.row.uuid)
        if row.attempt == job.row.attempt and not row.terminal:
            row = await settle(self.context, row, seen)
            if row.look_at is not None:
                row = await self._looked(row, began.look_at)
        self._know(job, row)
        return row

    async def _looked(self, row: Row | OwedRow, asked: int | None) -> Row:
        return await update(self.context.ledger, row.uuid, partial(looked, asked=asked))

    def _know(self, job: Job, row: Row) -> None:
        """What the row has come to, until the index is read again."""
        if row.attempt == job.row.attempt and row.state in AT_COMPUTE:
            owes = {kind: at for kind, at in job.row.owes.items() if kind != "look"}
            job.row = job.row.model_copy(update={"state": row.state, "owes": owes})
        else:
            self.jobs.pop(self._handle(job.row).name, None)
