"""Who holds the runner's lease, and when it does what only its holder does (design, sections 4 and 6)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import structlog

from genoferry import metrics
from genoferry.errors import GenoferryError
from genoferry.ledger.leases import runner_lease
from genoferry.ledger.row import OwedRow, Row
from genoferry.worker.context import WorkerContext
from genoferry.worker.leader.admission import Admission
from genoferry.worker.leader.observer import Observer
from genoferry.worker.leader.orphans import sweep

log = structlog.get_logger()
SWEEP_SECONDS = 3600.0


class Leader:
    """One worker as the holder of its runner's lease, or as one that would be."""

    def __init__(self, context: WorkerContext) -> None:
        self.context = context
        self._name = runner_lease(context.runner.key)
        self._observer = Observer(context)
        self._admission = Admission(context, self._observer)
        self._token: str | None = None
        self._last_token: str | None = None
        self._next_hold = 0.0
        self._next_look = 0.0
        self._next_sweep = 0.0
        self._sweeping: asyncio.Task[None] | None = None

    @property
    def holds(self) -> bool:
        return self._token is not None

    def renews_in(self) -> float:
        """Seconds until the lease is due to be taken or renewed."""
        return self._next_hold - self.context.monotonic()

    def looks_in(self) -> float:
        """Seconds until the next look at all jobs; of who doesn't look, until it might have to."""
        return self._next_look - self.context.monotonic() if self.holds else self.context.settings.worker.watch_seconds

    async def hold(self) -> None:
        """Take or renew the runner's lease, three times in its length."""
        now = self.context.monotonic()
        if now < self._next_hold:
            return
        had, self._token = self._token, None  # what can't be renewed is not acted on, but may be renewed later
        before = self._last_token
        with self.context.liveness.turn("lease"):
            self._token = self._last_token = await self.context.leases.hold(self._name, before)
        self._holds(lost=before is not None and self._token is None)
        self._next_hold = now + self.context.leases.length / 3
        if (had is None) != (self._token is None):
            log.info("runner lease", runner=self.context.runner.key, held=self._token is not None)
        if self._token is not None and now >= self._next_sweep:
            self._next_sweep = now + SWEEP_SECONDS
            self._sweeping = self._sweeping or asyncio.create_task(self._sweep(), name="sweep")

    async def _sweep(self) -> None:
        """Beside the turns: hundreds of gigabytes take longer to delete than a lease lasts."""
        try:
            await sweep(self.context)
        except GenoferryError as error:
            log.warning("sweep failed", code=error.code, cause=str(error))
        except Exception:
            log.exception("unexpected")
        finally:
            self._sweeping = None

    def _holds(self, *, lost: bool) -> None:
        """Whether the watch is this worker's duty now, for who asks after its health."""
        held = self._token is not None
        self.context.liveness.duty("watch", on=held)
        metrics.put("runner_lease", held)
        if lost:
            metrics.count("leases_lost", lease="runner")
        if not held:
            metrics.put("owed_jobs", 0)

    async def turn(self, due: Sequence[OwedRow]) -> tuple[Sequence[OwedRow], list[Row]]:
        """What is due now, and the rows of which there is news. The whole index is read only when there is a reason."""
        if not self._must_read(due):
            news = await self._observer.at_some(due)
            self._admission.full = self._admission.full and not news
            return due, news
        rows = await self.context.ledger.owed()
        metrics.put("owed_jobs", len(rows))
        news = await self._look_at(rows)
        news += await self._admission.enforce(rows)  # after the look: what that finds ended in time is past no deadline
        if await self._admission.admit(rows, news):
            rows = await self.context.ledger.owed(before=self.context.now())
        return rows, news

    def _must_read(self, due: Sequence[OwedRow]) -> bool:
        """The time has come, or a row asks for what only the lease's holder does."""
        now = self.context.now()
        admits = not self._admission.full and any(row.due(now, "admit") for row in due)
        return admits or self._must_look(due)

    def _must_look(self, rows: Sequence[OwedRow]) -> bool:
        """At all jobs: when the time has come, or a deadline of one has."""
        now, runner = self.context.now(), self.context.runner.key
        late = any(row.due(now, "deadline") and row.runner == runner for row in rows)
        return late or self.context.monotonic() >= self._next_look

    async def _look_at(self, rows: Sequence[OwedRow]) -> list[Row]:
        """At all, or at those that something is known of."""
        if not self._must_look(rows):
            return await self._observer.at_some(rows)
        self._next_look = self.context.monotonic() + self.context.settings.worker.watch_seconds
        news = await self._observer.at_all(rows)
        await self._admission.adopt(rows)
        return news

    async def end_sweep(self) -> None:
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.gather(self._sweeping, return_exceptions=True)

    async def let_go(self) -> None:
        """Give the lease back, if it is ours."""
        if self._last_token is not None:
            with suppress(GenoferryError):
                await self.context.leases.let_go(self._name, self._last_token)
