"""Looks at this runner's jobs: what its backend sees of them, and what that comes to (design, sections 4 and 6)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
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
from genoferry.worker.finish import read_report, settle
from genoferry.worker.rooms import Rooms

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
    looks: int = 1


@dataclass
class Look:
    """What one holder has seen so far, from one look to the next."""

    rooms: Rooms
    gone: dict[tuple[str, int], Gone] = field(default_factory=dict)
    """By uuid and attempt."""
    known: dict[str, OwedRow] = field(default_factory=dict)
    """By their jobs' names, those that the last look at all of them found at the backend, as they are since."""
    waits: dict[str, str] = field(default_factory=dict)
    """By name, why a job doesn't run yet, as last seen."""
    held: dict[str, float] = field(default_factory=dict)
    """By name, when it was last noted that the backend holds a job back."""
    answered: set[str] = field(default_factory=set)
    """Of the jobs by name, those of which the backend has said anything since the last look at all began."""
    blind: dict[str, float] = field(default_factory=dict)
    """By name, since when the backend says nothing of a job."""

    async def at_all(self, owed: Iterable[OwedRow]) -> list[Row]:
        """One batched observation of this runner's jobs, and what each comes to: the rows to which something is owed
        since."""
        self.rooms.runner.told()  # of before: all are looked at now
        mine = [row for row in owed if self._is_there(row)]
        self.known = {self._handle(row).name: row for row in mine}
        began, keys = self.rooms.monotonic(), {(row.uuid, row.attempt) for row in mine}
        self.gone = {key: gone for key, gone in self.gone.items() if key in keys}
        self.waits = {name: why for name, why in self.waits.items() if name in self.known}
        self.held = {name: at for name, at in self.held.items() if name in self.known}
        self.answered = set()
        news = await self._at(mine)
        self.blind = {name: self.blind.get(name, began) for name in self.known if name not in self.answered}
        return news

    async def at_some(self, due: Iterable[OwedRow]) -> list[Row]:
        """The same of those only that a report has told of, or, if the last look at all found them, the backend: so
        that they needn't wait for the next."""
        asked = [row for row in due if self._is_there(row) and row.due(self.rooms.now(), "look")]
        names = self.rooms.runner.told() - {self._handle(row).name for row in asked}
        told = [self.known[name] for name in sorted(names) if name in self.known]
        return await self._at([*asked, *told]) if asked or told else []

    def _is_there(self, row: OwedRow) -> bool:
        return row.runner == self.rooms.runner.key and row.state in AT_COMPUTE

    async def _at(self, rows: Sequence[OwedRow]) -> list[Row]:
        states = {(row.uuid, row.attempt): row for row in rows}
        seen = await self._observe(rows)
        self.answered.update(observation.handle.name for observation in seen)
        there = {observation.handle.uuid for observation in seen if observation.phase != "gone"}
        hinted = [row for row in rows if row.due(self.rooms.now(), "look") and row.uuid not in there]
        news = await side_by_side(self.ended_by_itself, hinted)  # of the others `settle` reads the report
        ended = {row.uuid for row in news}
        todo = [o for o in seen if o.handle.uuid not in ended]
        found = await side_by_side(lambda o: self._see(o, states[o.handle.uuid, o.handle.attempt]), todo)
        return news + [row for row in found if row.outbox or row.clean_up]

    def is_blind(self, row: OwedRow) -> bool:
        """Whether the backend has said nothing of its job yet, for a while: it may run, or be held back."""
        since = self.blind.get(self._handle(row).name)
        return since is not None and self.rooms.monotonic() - since < BLIND_SECONDS

    async def ended_by_itself(self, owed: OwedRow) -> Row | None:
        """Before any failure is declared the attempt's exit report is read, and a valid one wins: a job may have ended
        in time while no worker was there to see it. The row, if so."""
        if owed.state not in AT_COMPUTE:
            return None
        try:
            row = await read(self.rooms.ledger, owed.uuid)
            if row.attempt != owed.attempt or await read_report(self.rooms, row) is None:
                return None
            row = await settle(self.rooms, row, Observation(self._handle(owed), "succeeded"))
            return row if row.state not in AT_COMPUTE else None
        except ServiceError:
            raise
        except GenoferryError as error:
            log.warning("report left", uuid=owed.uuid, code=error.code, cause=str(error))
            return None

    async def _see(self, observation: Observation, row: OwedRow) -> Row | None:
        """What has become of it, if there was news."""
        try:
            await self._wait(observation, row)
            if self._is_news(observation, row):
                return await self._settle(observation, row)
            if row.due(self.rooms.now(), "look"):
                await self._looked(row, row.owes["look"])
        except GenoferryError as error:
            log.warning("look failed", uuid=row.uuid, code=error.code, cause=str(error))
        return None

    async def _observe(self, rows: Sequence[OwedRow]) -> list[Observation]:
        """What the compute sees; nothing while it is in trouble, which must not keep other work waiting."""
        try:
            with self.rooms.turns.turn("watch"):
                return await self.rooms.runner.observe([self._handle(row) for row in rows]) if rows else []
        except GenoferryError as error:
            log.warning("no look", runner=self.rooms.runner.key, code=error.code, cause=str(error))
            return []

    def _handle(self, row: OwedRow) -> Handle:
        name = job_name(self.rooms.settings.deployment, row.uuid, row.attempt)
        return Handle(row.uuid, row.attempt, name, row.ref)

    def _is_news(self, seen: Observation, row: OwedRow) -> bool:
        hinted = row.due(self.rooms.now(), "look")
        if seen.phase == "gone":
            return self._gone_for_good((row.uuid, row.attempt))
        self.gone.pop((row.uuid, row.attempt), None)
        return hinted or (seen.phase, row.state) not in {("pending", "SUBMITTED"), ("running", "RUNNING")}

    async def _wait(self, seen: Observation, row: OwedRow) -> None:
        """Note why it doesn't run yet; and now and then, for the deadline's sake, that it is held back."""
        name, now = seen.handle.name, self.rooms.monotonic()
        self.waits.pop(name, None)
        if seen.phase == "pending" and seen.reason:
            self.waits[name] = seen.reason
        every = min(HELD_SECONDS, self.rooms.deadlines.start / 4000)
        waited = self.rooms.now() + self.rooms.deadlines.start - row.owes.get("deadline", 0) >= every * 1000
        if waited and seen.suspended and row.state == "SUBMITTED" and now - self.held.get(name, -every) >= every:
            await update(self.rooms.ledger, row.uuid, partial(held_back, now=self.rooms.now(), attempt=row.attempt))
            self.held[name] = now

    def why(self, row: OwedRow) -> str | None:
        """Why its job doesn't run yet, in the backend's words."""
        return self.waits.get(self._handle(row).name)

    async def last_lines(self, row: OwedRow) -> tuple[str, ...]:
        """What its job printed last; nothing where the backend can't tell, or not soon."""
        try:
            return bounded(await asyncio.wait_for(self.rooms.runner.logs(self._handle(row), LOG_LINES), TAIL_SECONDS))
        except (GenoferryError, OSError) as error:  # TimeoutError, too
            log.warning("no lines", uuid=row.uuid, cause=str(error) or type(error).__name__)
            return ()

    def _gone_for_good(self, key: tuple[str, int]) -> bool:
        """Two looks and a minute."""
        now = self.rooms.monotonic()
        gone = self.gone.setdefault(key, Gone(now, 0))
        gone.looks += 1
        return gone.looks >= 2 and now - gone.since >= self.rooms.settings.worker.gone_seconds

    async def _settle(self, seen: Observation, owed: OwedRow) -> Row:
        row = began = await read(self.rooms.ledger, owed.uuid)
        if row.attempt == owed.attempt and not row.terminal:
            row = await settle(self.rooms, row, seen)
            if row.look_at is not None:
                row = await self._looked(row, began.look_at)
        self._know(owed, row)
        return row

    async def _looked(self, row: Row | OwedRow, asked: int | None) -> Row:
        return await update(self.rooms.ledger, row.uuid, partial(looked, asked=asked))

    def _know(self, owed: OwedRow, row: Row) -> None:
        """What the row has come to, until the next look at all."""
        name = self._handle(owed).name
        self.known.pop(name, None)
        if row.attempt == owed.attempt and row.state in AT_COMPUTE:
            owes = {kind: at for kind, at in owed.owes.items() if kind != "look"}
            self.known[name] = owed.model_copy(update={"state": row.state, "owes": owes})
