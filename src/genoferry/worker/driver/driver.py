"""Doing what is owed to one row, under its lease: publish, clean up, stage, submit (design, section 4)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Literal

import structlog

from genoferry.contracts.events import ErrorInfo
from genoferry.errors import AlreadySubmitted, GenoferryError, LeaseLost, NoSuchJob, StagingStopped, TooManyAttempts
from genoferry.ledger.row import MAX_ATTEMPTS, Row
from genoferry.ledger.states import back_off, back_off_cleaning, back_off_publishing, fail, lose
from genoferry.worker.context import WorkerContext
from genoferry.worker.driver.cleanup import clean, cleanable
from genoferry.worker.driver.leased_row import LeasedRow
from genoferry.worker.driver.publish import flush
from genoferry.worker.driver.stage import Staging
from genoferry.worker.driver.submit import submit

log = structlog.get_logger()
Duty = Literal["publish", "clean", "stage", "submit"]


def duty(row: Row, now: int, *, runner: str, can_stage: bool = True) -> Duty | None:
    """What any worker may now do for this row. Submission and a compute's clean-up are for workers of its runner."""
    if row.outbox and row.publish_at <= now:
        return "publish"
    if row.clean_at <= now and cleanable(row, runner) is not None:
        return "clean"
    if row.retry_at > now:
        return None
    if row.state == "STAGING":
        return "stage" if can_stage else None
    return "submit" if row.state == "SUBMITTING" and row.runner == runner else None


class Driver:
    """Drives one row until nothing is owed to it that this worker may do now."""

    def __init__(self, context: WorkerContext, *, slots: asyncio.Semaphore) -> None:
        self._context = context
        self._slots = slots
        self._stagings: dict[str, Staging] = {}
        self._helds: dict[str, LeasedRow] = {}

    def slots_left(self) -> int:
        """How many other jobs could be staged now."""
        return self._context.settings.staging.jobs_at_once - len(self._stagings)

    def stop_staging(self) -> None:
        """What is being staged stops after its present parts and stays resumable; what is looked at stops too."""
        for uuid, held in self._helds.items():
            held.stop.set()
            self._stop_staging(uuid)

    def _stop_staging(self, uuid: str) -> None:
        staging = self._stagings.get(uuid)
        if staging is not None:
            staging.stop.set()

    async def drive(self, uuid: str) -> bool:
        """Take the row's lease, or leave it to who holds it; do what is owed; give the lease back.

        Whether anything was done: then more may be owed at once.
        """
        with suppress(NoSuchJob):
            row = await self._context.leases.take(uuid)
            if row is not None:
                return await self._held(LeasedRow(self._context, row))
        return False

    async def _held(self, held: LeasedRow) -> bool:
        did = False
        self._helds[held.row.uuid] = held
        beat = asyncio.create_task(held.beat(lambda: self._at_beat(held)))
        beat.add_done_callback(lambda _: self._stop_staging(held.row.uuid))
        try:
            while (owed := self._duty(held.row)) is not None:
                did = await self._do(owed, held)
                if not did:
                    break
        except LeaseLost:
            log.warning("lease lost", uuid=held.row.uuid)
        finally:
            del self._helds[held.row.uuid]
            held.end_beat()
            await asyncio.wait([beat])  # whatever it ended with, the lease is given back
            await held.give_back()
        return did

    def _duty(self, row: Row) -> Duty | None:
        return duty(row, self._context.now(), runner=self._context.runner.key, can_stage=not self._slots.locked())

    async def _do(self, owed: Duty, held: LeasedRow) -> bool:
        """Whether to go on with this row."""
        work: dict[Duty, Callable[[LeasedRow], Awaitable[None]]] = {
            "publish": flush,
            "clean": clean,
            "stage": self._stage,
            "submit": submit,
        }
        attempt = held.row.attempt
        try:
            await work[owed](held)
        except (LeaseLost, asyncio.CancelledError):
            raise
        except StagingStopped:
            log.info("staging stopped", uuid=held.row.uuid)
            await held.renew()
            return held.row.terminal
        except AlreadySubmitted:
            await held.update(self._give_attempt_up)
        except GenoferryError as error:
            await self._failed(owed, held, error, attempt)
        except Exception:
            log.exception("unexpected", uuid=held.row.uuid, duty=owed)
            await self._failed(owed, held, GenoferryError(), attempt)
        return True

    def _give_attempt_up(self, row: Row) -> Row:
        """job.json is another's: this attempt can't be submitted under its intent, the next one can."""
        now = self._context.now()
        if row.attempt >= MAX_ATTEMPTS:
            return fail(row, now, ErrorInfo.of(TooManyAttempts()), attempt=row.attempt)
        return lose(row, now, attempt=row.attempt, delay=self._context.backoff_millis(row.failures))

    async def _failed(self, owed: Duty, held: LeasedRow, error: GenoferryError, attempt: int) -> None:
        """A passing failure backs off; a lasting one, or one too many, fails the job. Publication and clean-up are only
        owed again."""
        row, context = held.row, self._context
        log.warning("failed", uuid=row.uuid, duty=owed, code=error.code, cause=str(error), failures=row.failures)
        if owed == "publish":
            delay = context.backoff_millis(5)
            await held.update(lambda there: back_off_publishing(there, context.now(), delay))
            return
        if owed == "clean":
            delay = context.backoff_millis(5)
            await held.update(lambda there: back_off_cleaning(there, context.now(), delay))
            return
        passing = error.retryable or type(error) is GenoferryError
        if passing and row.failures + 1 < context.settings.worker.max_failures:
            delay = context.backoff_millis(row.failures)
            await held.update(lambda there: back_off(there, context.now(), delay))
            return
        await held.update(lambda there: fail(there, context.now(), ErrorInfo.of(error), attempt=attempt))

    async def _stage(self, held: LeasedRow) -> None:
        async with self._slots:
            staging = self._stagings[held.row.uuid] = Staging(held)
            try:
                await staging.run()
            finally:
                staging.stop.set()
                del self._stagings[held.row.uuid]

    async def _at_beat(self, held: LeasedRow) -> None:
        staging = self._stagings.get(held.row.uuid)
        if staging is not None:
            await staging.report()
            if held.row.outbox and held.row.publish_at <= self._context.now():
                await flush(held)
