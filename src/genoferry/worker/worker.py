"""The worker: takes messages in, does what is owed, and winds up when asked to (design, section 4)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

import structlog

from genoferry import metrics
from genoferry.errors import GenoferryError
from genoferry.ledger.due import CLEAN, clean_by
from genoferry.ledger.row import OwedRow, Row
from genoferry.worker.context import WorkerContext
from genoferry.worker.driver.driver import Driver
from genoferry.worker.intake.consumer import Consumer
from genoferry.worker.leader.leader import Leader

log = structlog.get_logger()
DRIVEN_AT_ONCE = 256
"""Rows that one worker holds the leases of: thousands would only wait for each other."""
MOST_CALM = 3
"""A worker that finds nothing due looks half as often each time, down to an eighth."""


class Worker:
    """One worker. `run` returns after `stop`, when what was running is done, stopped or out of grace.

    With `drain` it stops by itself when the queue is empty and nothing is owed to any job.
    """

    def __init__(self, context: WorkerContext, *, drain: bool = False) -> None:
        self.context = context
        self._drain = drain
        self._stopping = asyncio.Event()
        self._wake = asyncio.Event()
        self._consumer = Consumer(context, self._wake.set, self._stopping)
        self._driver = Driver(context, slots=asyncio.Semaphore(context.settings.staging.jobs_at_once))
        self._leader = Leader(context)
        self._driving: dict[str, asyncio.Task[bool]] = {}
        self._calm = 0

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def stop(self) -> None:
        """Take no new work, and end."""
        if not self._stopping.is_set():
            log.info("draining", driving=len(self._driving))
        self._stopping.set()
        self._wake.set()

    async def run(self) -> None:
        log.info("worker started", runner=self.context.runner.key, deployment=self.context.settings.deployment)
        polls = self._consumer.loops()
        self._listen()
        try:
            while not self._stopping.is_set():
                self._wake.clear()
                pause = await self._turn()
                await self._rest()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), pause)
                    self._calm = 0
        finally:
            for task in polls:
                task.cancel()
            await asyncio.gather(*polls, return_exceptions=True)
            await self._wind_up()

    def _listen(self) -> None:
        """To what the runner's backend tells by itself."""
        loop = asyncio.get_running_loop()

        def wake() -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody is there to be woken
                loop.call_soon_threadsafe(self._wake.set)

        self.context.runner.listen(wake)

    async def _rest(self) -> None:
        """A floor between two turns, however often something wakes us."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), self.context.settings.worker.tick_seconds / 5)

    async def _turn(self) -> float:
        """One look at what is owed; seconds until the next."""
        try:
            with self.context.liveness.turn("due"):
                await self._leader.hold()
                if self._calm == MOST_CALM and not await self.context.ledger.anything_owed():
                    return await self._idle()
                return await self._owed()
        except GenoferryError as error:
            log.warning("turn failed", code=error.code, cause=str(error))
        except Exception:
            log.exception("unexpected")  # nothing that one job does may end the worker
        return self.context.backoff_millis(3) / 1000

    async def _idle(self) -> float:
        self.context.liveness.turned("watch")  # nothing is owed, so there is nothing to look at
        metrics.put("due_jobs", 0)
        metrics.put("owed_jobs", 0)
        if self._drain and await self._consumer.quiet() and not await self.context.ledger.anything_owed():
            self.stop()
        timing = self.context.settings.worker
        return min(timing.idle_tick_seconds, max(timing.tick_seconds, self._leader.renews_in()))

    async def _owed(self) -> float:
        """Do what is due, and as the runner's lease holder what is owed to its jobs."""
        due = await self.context.ledger.owed(before=self.context.now())
        rows: Sequence[OwedRow] = due
        news: list[Row] = []
        metrics.put("due_jobs", len(due))
        if self._leader.holds:
            rows, news = await self._leader.turn(due)
        self._drive_due(rows)
        for row in news:
            self._drive(row.uuid)
        self._calm = 0 if due or self._driving else min(self._calm + 1, MOST_CALM)
        tick = self.context.settings.worker.tick_seconds
        return float(min(tick * 2**self._calm, max(tick, self._leader.looks_in())))

    def _drive_due(self, rows: Sequence[OwedRow]) -> None:
        """The longest due first, and no more than there is room for: a lease that is taken for nothing costs, too."""
        now, slots = self.context.now(), self._driver.slots_left()
        for row in rows:
            if row.uuid in self._driving or not self._is_ours(row, now):
                continue
            if self._only_to_stage(row, now):
                slots -= 1
                if slots < 0:
                    continue
            self._drive(row.uuid)

    def _is_ours(self, row: OwedRow, now: int) -> bool:
        """Whether a drive could do anything: publication and staging are anyone's, a compute's things are for its
        runner's workers."""
        anyones = row.state == "STAGING" or row.runner in (None, self.context.runner.key)
        return self._is_told_or_cleaned(row, now) or (anyones and row.due(now, "work"))

    def _is_told_or_cleaned(self, row: OwedRow, now: int) -> bool:
        return row.due(now, "publish", CLEAN, clean_by(self.context.runner.key))

    def _only_to_stage(self, row: OwedRow, now: int) -> bool:
        return row.state == "STAGING" and not self._is_told_or_cleaned(row, now)

    def _drive(self, uuid: str) -> None:
        """Not one too many: the index shows at the next turn who is left."""
        if uuid in self._driving or len(self._driving) >= DRIVEN_AT_ONCE or self._stopping.is_set():
            return
        task = asyncio.create_task(self._driver.drive(uuid), name=f"drive {uuid}")
        self._driving[uuid] = task
        task.add_done_callback(partial(self._driven, uuid))

    def _driven(self, uuid: str, task: asyncio.Task[bool]) -> None:
        self._driving.pop(uuid, None)
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            log.warning("drive failed", uuid=uuid, exc_info=error)
        elif task.result():
            self._wake.set()

    async def _wind_up(self) -> None:
        """Grace for what is running; then it stops where it is, and every lease is given back."""
        await self._leader.end_sweep()
        left = set(self._driving.values())
        if left:
            _, left = await asyncio.wait(left, timeout=self.context.settings.worker.grace_seconds)
        if left:
            self._driver.stop_staging()
            _, left = await asyncio.wait(left, timeout=self.context.leases.length)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._leader.let_go()
        log.info("worker stopped")
