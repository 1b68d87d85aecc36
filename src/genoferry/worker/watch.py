"""The runner's lease holder: admits, looks, and enforces deadlines (design, sections 4 and 6)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import structlog

from genoferry.compute.protocol import Handle, Observation, Workspace, job_name
from genoferry.contracts.events import ErrorInfo
from genoferry.errors import GenoferryError, RunDeadline, ServiceError, StartDeadline
from genoferry.ledger.due import CLEAN, deadline_at
from genoferry.ledger.leases import runner_lease
from genoferry.ledger.row import KEEP_MILLIS, CancelMark, OwedRow, Row, State
from genoferry.ledger.states import admit, adopt, expire, fail, looked
from genoferry.ledger.update import Transition, read, update
from genoferry.worker.finish import read_report, settle
from genoferry.worker.rooms import Rooms

log = structlog.get_logger()
AT_COMPUTE: frozenset[State] = frozenset({"SUBMITTED", "RUNNING"})
ADMITTED: frozenset[State] = AT_COMPUTE | {"STAGING", "SUBMITTING"}


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
class Watch:
    """What one holder does at each turn, from the rows that the index of owed work holds."""

    rooms: Rooms
    gone: dict[tuple[str, int], Gone] = field(default_factory=dict)
    """By uuid and attempt."""
    full: bool = False
    """Whether the last admission left no room."""

    async def admit(self, owed: Sequence[OwedRow]) -> int:
        """Let in what the runner's limit leaves room for; how many were."""
        runner, most = self.rooms.runner.key, self.rooms.settings.compute.max_running
        mine = [row for row in owed if row.runner == runner and row.state in ADMITTED]
        waiting = [row for row in owed if row.due(self.rooms.now(), "admit")]
        chosen = fair(waiting, Counter(row.experiment_id for row in mine))[: max(0, most - len(mine))]
        self.full = len(mine) + len(chosen) >= most
        for row in chosen:
            await self._apply(row, lambda there: admit(there, self.rooms.now(), runner=runner))
            log.info("admitted", uuid=row.uuid, runner=runner)
        return len(chosen)

    async def enforce(self, owed: Iterable[OwedRow]) -> None:
        """End what is past its deadline: of this runner's jobs, of those that no runner has yet, and of a runner
        that nobody looks after any more."""
        now = self.rooms.now()
        for row in owed:
            if row.due(now, "deadline") and await self._is_ours(row) and not await self._ended_by_itself(row):
                await self._apply(row, self._past_deadline)

    async def adopt(self, owed: Sequence[OwedRow]) -> None:
        """Take over what a runner that nobody looks after can't do any more: see `states.adopt`."""
        own, now = self.rooms.runner.key, self.rooms.now()
        for runner in {name for row in owed for name in waits_for(row, now)} - {own}:
            if await self.rooms.leases.abandoned(runner_lease(runner)):
                for row in owed:
                    if runner in waits_for(row, now):
                        await self._apply(row, partial(adopt, now=now, dead=runner, runner=own))
                        log.warning("adopted", uuid=row.uuid, runner=own, dead_runner=runner)

    async def sweep(self) -> None:
        """Clean what the compute still has of attempts that are over: left by a worker that stalled or a host that
        was away. What the ledger doesn't know, or has work owed for, is left alone."""
        runner, deployment = self.rooms.runner, self.rooms.settings.deployment
        for handle in await runner.leftovers(deployment):
            async with _on_its_own(handle.uuid):
                row = await self.rooms.ledger.get(handle.uuid)
                if isinstance(row, Row) and is_over(row, handle.attempt):
                    await runner.clean(handle)
                    log.info("swept", uuid=handle.uuid, attempt=handle.attempt)
        for kept in await runner.workspaces(deployment):
            async with _on_its_own(kept.uuid):
                if is_done_with(await self.rooms.ledger.get(kept.uuid), kept):
                    await runner.discard(kept.name)
                    log.info("swept", uuid=kept.uuid, workspace=kept.staged_in)

    async def _is_ours(self, row: OwedRow) -> bool:
        if row.runner in (None, self.rooms.runner.key):
            return True
        return await self.rooms.leases.abandoned(runner_lease(row.runner))

    async def _ended_by_itself(self, owed: OwedRow) -> bool:
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

    async def _apply(self, row: OwedRow, transition: Transition) -> None:
        """One row's trouble must not keep the others waiting."""
        try:
            await update(self.rooms.ledger, row.uuid, transition)
        except ServiceError:
            raise
        except GenoferryError as error:
            log.warning("left", uuid=row.uuid, code=error.code, cause=str(error))

    def _past_deadline(self, row: Row) -> Row:
        now = self.rooms.now()
        at = deadline_at(row, self.rooms.deadlines)
        if at is None or at > now:
            return row
        if row.timeout_at is not None and row.timeout_at <= now and row.state != "RUNNING":
            return expire(row, now)
        error = RunDeadline() if row.state == "RUNNING" else StartDeadline()
        return fail(row, now, ErrorInfo.of(error), attempt=row.attempt)

    async def look(self, owed: Iterable[OwedRow]) -> int:
        """One batched observation of this runner's jobs, and what each comes to; of how many there was news."""
        mine = [row for row in owed if row.runner == self.rooms.runner.key and row.state in AT_COMPUTE]
        states = {(row.uuid, row.attempt): row for row in mine}
        self.gone = {key: gone for key, gone in self.gone.items() if key in states}
        seen = await self._observe(mine)
        there = {observation.handle.uuid for observation in seen if observation.phase != "gone"}
        hinted = [row for row in mine if row.due(self.rooms.now(), "look") and row.uuid not in there]
        ended = {row.uuid for row in hinted if await self._ended_by_itself(row)}  # of the others `settle` reads it
        todo, news = [o for o in seen if o.handle.uuid not in ended], len(ended)
        for some in batched(todo, SETTLED_AT_ONCE):
            news += sum(await asyncio.gather(*(self._see(o, states[o.handle.uuid, o.handle.attempt]) for o in some)))
        return news

    async def _see(self, observation: Observation, row: OwedRow) -> bool:
        """Whether there was news."""
        if self._is_news(observation, row):
            await self._settle(observation)
            return True
        if row.due(self.rooms.now(), "look"):
            await self._apply(row, looked)
        return False

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

    async def _settle(self, seen: Observation) -> None:
        try:
            row = await read(self.rooms.ledger, seen.handle.uuid)
            if row.attempt == seen.handle.attempt and not row.terminal:
                row = await settle(self.rooms, row, seen)
                if row.look_at is not None:
                    await update(self.rooms.ledger, row.uuid, looked)
        except GenoferryError as error:
            log.warning("look failed", uuid=seen.handle.uuid, code=error.code, cause=str(error))


def waits_for(row: OwedRow, now: int) -> set[str]:
    """The runners without whose workers something that is owed to the row by now can't be done."""
    cleaning = {
        kind.removeprefix(f"{CLEAN} ") for kind in row.owes if kind.startswith(f"{CLEAN} ") and row.due(now, kind)
    }
    working = row.state in ("STAGING", "SUBMITTING") and row.due(now, "work") and row.runner is not None
    return cleaning | ({row.runner} if working and row.runner else set())


def is_over(row: Row, attempt: int) -> bool:
    """Whether nothing can come of that attempt any more, and no clean-up of it is owed."""
    owed = any(up.attempt == attempt for up in row.clean_up)
    return not owed and (row.attempt > attempt or (row.attempt == attempt and row.terminal))


def is_done_with(row: Row | CancelMark | None, kept: Workspace) -> bool:
    """Whether no attempt can come that would use that workspace, and its removal isn't owed. A row that is gone from
    the ledger ended longer ago than rows are kept: genotypes in clear must not outlive it."""
    if not isinstance(row, Row):
        return kept.age * 1000 > KEEP_MILLIS
    owed = any(up.workspace and up.workspace.staged_in == kept.staged_in for up in row.clean_up)
    return not owed and (row.staged_in > kept.staged_in or (row.staged_in == kept.staged_in and row.terminal))


@asynccontextmanager
async def _on_its_own(uuid: str) -> AsyncIterator[None]:
    """One leftover's trouble must not keep the others."""
    try:
        yield
    except ServiceError:
        raise
    except GenoferryError as error:
        log.warning("not swept", uuid=uuid, code=error.code, cause=str(error))
    except Exception:
        log.exception("unexpected", uuid=uuid)


def fair(waiting: Iterable[OwedRow], running: Counter[str]) -> list[OwedRow]:
    """Who is next: the experiment with the fewest jobs admitted, then who has waited longest."""
    left = sorted(waiting, key=lambda row: row.owes["admit"])
    counts, order = Counter(running), []
    while left:
        row = min(left, key=lambda candidate: counts[candidate.experiment_id])
        left.remove(row)
        counts[row.experiment_id] += 1
        order.append(row)
    return order
