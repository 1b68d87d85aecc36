"""Looks at this runner's jobs: what its backend sees of them, and what that comes to (design, sections 4 and 6)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import structlog

from genoferry.compute.protocol import Handle, Observation, job_name
from genoferry.errors import GenoferryError, ServiceError
from genoferry.ledger.row import OwedRow, Row, State
from genoferry.ledger.states import looked
from genoferry.ledger.update import read, update
from genoferry.worker.finish import read_report, settle
from genoferry.worker.rooms import Rooms

log = structlog.get_logger()
AT_COMPUTE: frozenset[State] = frozenset({"SUBMITTED", "RUNNING"})
SETTLED_AT_ONCE = 16
"""Jobs whose ends are read and written side by side: when thousands end together, none waits for all the others."""


def batched(items: Sequence[Observation], size: int) -> Iterable[Sequence[Observation]]:
    """Runs of at most `size`, in order."""
    return (items[start : start + size] for start in range(0, len(items), size))


@dataclass
class Gone:
    """A job that its backend doesn't know: since when, and how many looks in a row."""

    since: float
    looks: int = 1


@dataclass
class Look:
    """What one holder has seen so far, from one look to the next."""

    rooms: Rooms
    gone: dict[tuple[str, int], Gone] = field(default_factory=dict)
    """By uuid and attempt."""
    known: dict[str, OwedRow] = field(default_factory=dict)
    """By their jobs' names, those that the last look at all of them has left at the backend."""

    async def at_all(self, owed: Iterable[OwedRow]) -> list[str]:
        """One batched observation of this runner's jobs, and what each comes to; of whom there was news."""
        self.rooms.runner.told()  # of before: all are looked at now
        mine = [row for row in owed if self._is_there(row)]
        self.known = {self._handle(row).name: row for row in mine}
        keys = {(row.uuid, row.attempt) for row in mine}
        self.gone = {key: gone for key, gone in self.gone.items() if key in keys}
        return await self._at(mine)

    async def at_some(self, due: Iterable[OwedRow]) -> list[str]:
        """The same of those only that a report or the backend has told of, however many there are: between two looks at
        all, so that nobody waits for the next."""
        asked = [row for row in due if self._is_there(row) and row.due(self.rooms.now(), "look")]
        names = self.rooms.runner.told() - {self._handle(row).name for row in asked}
        told = [self.known[name] for name in sorted(names) if name in self.known]
        return await self._at([*asked, *told]) if asked or told else []

    def _is_there(self, row: OwedRow) -> bool:
        return row.runner == self.rooms.runner.key and row.state in AT_COMPUTE

    async def _at(self, rows: Sequence[OwedRow]) -> list[str]:
        states = {(row.uuid, row.attempt): row for row in rows}
        seen = await self._observe(rows)
        there = {observation.handle.uuid for observation in seen if observation.phase != "gone"}
        hinted = [row for row in rows if row.due(self.rooms.now(), "look") and row.uuid not in there]
        news = [row.uuid for row in hinted if await self.ended_by_itself(row)]  # of the others `settle` reads it
        todo = [observation for observation in seen if observation.handle.uuid not in news]
        for some in batched(todo, SETTLED_AT_ONCE):
            found = await asyncio.gather(*(self._see(o, states[o.handle.uuid, o.handle.attempt]) for o in some))
            news += [one.handle.uuid for one, is_news in zip(some, found, strict=True) if is_news]
        return news

    async def ended_by_itself(self, owed: OwedRow) -> bool:
        """Before any failure is declared the attempt's exit report is read, and a valid one wins: a job may have ended
        in time while no worker was there to see it."""
        if owed.state not in AT_COMPUTE:
            return False
        try:
            row = await read(self.rooms.ledger, owed.uuid)
            if row.attempt != owed.attempt or await read_report(self.rooms, row) is None:
                return False
            return (await settle(self.rooms, row, Observation(self._handle(owed), "succeeded"))).state not in AT_COMPUTE
        except ServiceError:
            raise
        except GenoferryError as error:
            log.warning("report left", uuid=owed.uuid, code=error.code, cause=str(error))
            return False

    async def _see(self, observation: Observation, row: OwedRow) -> bool:
        """Whether there was news."""
        news = self._is_news(observation, row)
        try:
            if news:
                await self._settle(observation, row)
            elif row.due(self.rooms.now(), "look"):
                await update(self.rooms.ledger, row.uuid, looked)
        except GenoferryError as error:
            log.warning("look failed", uuid=row.uuid, code=error.code, cause=str(error))
        return news

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

    def _gone_for_good(self, key: tuple[str, int]) -> bool:
        """Two looks and a minute."""
        now = self.rooms.monotonic()
        gone = self.gone.setdefault(key, Gone(now, 0))
        gone.looks += 1
        return gone.looks >= 2 and now - gone.since >= self.rooms.settings.worker.gone_seconds

    async def _settle(self, seen: Observation, owed: OwedRow) -> None:
        row = await read(self.rooms.ledger, owed.uuid)
        if row.attempt == owed.attempt and not row.terminal:
            row = await settle(self.rooms, row, seen)
            if row.look_at is not None:
                row = await update(self.rooms.ledger, row.uuid, looked)
        self._know(owed, row)

    def _know(self, owed: OwedRow, row: Row) -> None:
        """What the row has come to, until the next look at all."""
        name = self._handle(owed).name
        self.known.pop(name, None)
        if row.attempt == owed.attempt and row.state in AT_COMPUTE:
            self.known[name] = owed.model_copy(update={"state": row.state})
