"""The runner's lease holder: admits, adopts, and enforces deadlines (design, sections 4 and 6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import structlog

from genoferry.contracts.events import ErrorInfo
from genoferry.errors import GenoferryError, RunDeadline, ServiceError, StartDeadline
from genoferry.ledger.due import CLEAN, deadline_at
from genoferry.ledger.leases import runner_lease
from genoferry.ledger.row import OwedRow, Row, State, changed
from genoferry.ledger.states import admit, adopt, expire, fail
from genoferry.ledger.update import Transition, update
from genoferry.worker.context import WorkerContext
from genoferry.worker.leader.observer import AT_COMPUTE, Observer, side_by_side
from genoferry.worker.leader.reconcile import told

log = structlog.get_logger()
ADMITTED: frozenset[State] = AT_COMPUTE | {"STAGING", "SUBMITTING"}


@dataclass
class Admission:
    """What one holder does at each turn, from the rows that the index of owed work holds."""

    context: WorkerContext
    observer: Observer
    full: bool = False
    """Whether the last admission left no room, and none has come since."""

    async def admit(self, owed: Sequence[OwedRow], news: Iterable[Row] = ()) -> int:
        """Let in what the runner's limit leaves room for, after what a look has just found; how many were."""
        runner, most = self.context.runner.key, self.context.settings.compute.max_running
        ended = {row.uuid for row in news if row.state not in ADMITTED}
        mine = [row for row in owed if row.runner == runner and row.state in ADMITTED and row.uuid not in ended]
        waiting = [row for row in owed if row.due(self.context.now(), "admit")]
        chosen = fair(waiting, Counter(row.experiment_id for row in mine))[: max(0, most - len(mine))]
        self.full = len(mine) + len(chosen) >= most
        for row in chosen:
            await self._apply(row, lambda there: admit(there, self.context.now(), runner=runner))
            log.info("admitted", uuid=row.uuid, runner=runner)
        return len(chosen)

    async def enforce(self, owed: Iterable[OwedRow]) -> list[Row]:
        """End what is past its deadline: of this runner's jobs, of those that no runner has yet, and of a runner
        that nobody looks after any more. The rows that ended."""
        now = self.context.now()
        return await side_by_side(self._enforce, [row for row in owed if row.due(now, "deadline")])

    async def _enforce(self, owed: OwedRow) -> Row | None:
        if not await self._is_ours(owed) or (owed.state == "SUBMITTED" and self.observer.is_blind(owed)):
            return None
        if (row := await self.observer.ended_by_itself(owed)) is not None:
            return row
        tail = await self._last_lines(owed)
        row = await self._apply(owed, partial(self._past_deadline, why=self.observer.why(owed), tail=tail))
        return row if row is not None and row.terminal else None

    async def _last_lines(self, owed: OwedRow) -> tuple[str, ...]:
        """Of a job of ours that will be ended while it runs."""
        if owed.state != "RUNNING" or owed.runner != self.context.runner.key:
            return ()
        row = await self.context.ledger.get(owed.uuid)
        return await self.observer.last_lines(owed) if isinstance(row, Row) and self._is_late(row) else ()

    def _is_late(self, row: Row) -> bool:
        """By the row itself: the index says what was owed when it was written, by the deadlines of that time."""
        at = deadline_at(row, self.context.deadlines)
        return at is not None and at <= self.context.now()

    async def adopt(self, owed: Sequence[OwedRow]) -> None:
        """Take over what a runner that nobody looks after can't do any more: see `states.adopt`."""
        own, now = self.context.runner.key, self.context.now()
        for runner in {name for row in owed for name in waits_for(row, now)} - {own}:
            if await self.context.leases.abandoned(runner_lease(runner)):
                for row in owed:
                    if runner in waits_for(row, now):
                        await self._apply(row, partial(adopt, now=now, dead=runner, runner=own))
                        log.warning("adopted", uuid=row.uuid, runner=own, dead_runner=runner)

    async def _is_ours(self, row: OwedRow) -> bool:
        if row.runner in (None, self.context.runner.key):
            return True
        return await self.context.leases.abandoned(runner_lease(row.runner))

    async def _apply(self, row: OwedRow, transition: Transition) -> Row | None:
        """One row's trouble must not keep the others waiting."""
        try:
            return await update(self.context.ledger, row.uuid, transition)
        except ServiceError:
            raise
        except GenoferryError as error:
            log.warning("left", uuid=row.uuid, code=error.code, cause=str(error))
            return None

    def _past_deadline(self, row: Row, *, why: str | None, tail: tuple[str, ...]) -> Row:
        if not self._is_late(row):
            return changed(row)  # the index has another time: deadlines are set anew at each write
        now = self.context.now()
        if row.timeout_at is not None and row.timeout_at <= now and row.state != "RUNNING":
            return expire(row, now)
        error = RunDeadline() if row.state == "RUNNING" else told(StartDeadline, why)
        return fail(row, now, ErrorInfo.of(error), attempt=row.attempt, log_tail=tail)


def waits_for(row: OwedRow, now: int) -> set[str]:
    """The runners without whose workers something that is owed to the row by now can't be done."""
    cleaning = {
        kind.removeprefix(f"{CLEAN} ") for kind in row.owes if kind.startswith(f"{CLEAN} ") and row.due(now, kind)
    }
    working = row.state in ("STAGING", "SUBMITTING") and row.due(now, "work") and row.runner is not None
    return cleaning | ({row.runner} if working and row.runner else set())


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
