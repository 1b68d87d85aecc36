"""A row that this worker holds the lease of: every write carries the token, and a beat renews it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

import structlog

from genoferry import metrics
from genoferry.errors import GenoferryError, LeaseLost
from genoferry.ledger.row import Row
from genoferry.ledger.update import Transition, update
from genoferry.worker.context import WorkerContext

log = structlog.get_logger()
BEATS_PER_LEASE = 3


class LeasedRow:
    """`row` is what was last read or written. Raises `LeaseLost` from `update` once another took over."""

    def __init__(self, context: WorkerContext, row: Row) -> None:
        self.context = context
        self.row = row
        self._lock = asyncio.Lock()
        self.lost = False
        self.stop = threading.Event()
        """Ends what runs on a thread for this row."""
        self._done = asyncio.Event()

    @property
    def token(self) -> str:
        assert self.row.lease_token is not None  # noqa: S101  # that is what being held means
        return self.row.lease_token

    async def update(self, transition: Transition) -> Row:
        async with self._lock:
            if self.lost:
                raise LeaseLost
            try:
                self.row = await update(
                    self.context.ledger, self.row.uuid, transition, lease=self.token, known=self.row
                )
            except LeaseLost:
                self._lose()
                raise
            return self.row

    async def renew(self) -> Row:
        async with self._lock:
            try:
                self.row = await self.context.leases.renew(self.row.uuid, self.token)
            except LeaseLost:
                self._lose()
                raise
            return self.row

    def _lose(self) -> None:
        if not self.lost:
            metrics.count("leases_lost", lease="row")
        self.lost = True

    async def give_back(self) -> None:
        async with self._lock:
            if not self.lost:
                await self.context.leases.give_back(self.row, self.token)
                self.lost = True

    async def beat(self, after: Callable[[], Awaitable[None]]) -> None:
        """Renew until ended or lost; `after` runs at each beat, with the row fresh. Passing trouble is lived with:
        a lease that couldn't be renewed in time is lost, and that ends it."""
        turns, uuid = self.context.liveness, self.row.uuid
        with turns.on_duty("beats", uuid):
            while not self.lost and not await self._done_within(self.context.leases.length / BEATS_PER_LEASE):
                try:
                    with turns.turn("beats", uuid):
                        await self.renew()
                        await after()
                except GenoferryError as error:
                    log.warning("beat failed", uuid=uuid, code=error.code, cause=str(error))
                except Exception:
                    log.exception("unexpected", uuid=uuid)

    def end_beat(self) -> None:
        """Between two beats, never in the middle of one: its write would leave a token that nobody knows."""
        self._done.set()

    async def _done_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._done.wait(), seconds)
        except TimeoutError:
            return False
        return True
