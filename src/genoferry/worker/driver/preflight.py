"""A look at what was staged, between staging and submission: what can't go well is told of now, not after hours."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import structlog

from genoferry.aws.clients import sync_client
from genoferry.aws.streams import open_object
from genoferry.contracts.events import Warn
from genoferry.contracts.jobfile import StagedInput
from genoferry.errors import CalculationError, CalculationStopped, ServiceError, StagingStopped
from genoferry.handlers.protocol import JobHandler, Opener, Plan, PreflightInput, SupportsPreflight
from genoferry.settings import Settings
from genoferry.worker.driver.leased_row import LeasedRow

log = structlog.get_logger()
AT_ONCE = 2
BEAT = 1.0
"""Seconds between two looks at whether the job, as last seen, is still to be submitted."""

INCOMPLETE = Warn(
    code="preflight-incomplete", message="The pre-flight could not be done; the job runs without. The log has why."
)


class Preflight:
    """Reads the staged inputs from the work bucket as streams, on threads of its own; `close` ends those."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="preflight")

    async def check(
        self, handler: SupportsPreflight, plan: Plan, inputs: Sequence[StagedInput], *, stop: threading.Event
    ) -> tuple[Warn, ...]:
        """What is doubtful. Raises a `CalculationError` for what can't go well, `ServiceError`s for passing trouble."""
        call = partial(self.look, handler, plan, inputs, stop=stop)
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    def look(
        self, handler: SupportsPreflight, plan: Plan, inputs: Sequence[StagedInput], *, stop: threading.Event
    ) -> tuple[Warn, ...]:
        """The same, blocking. What keeps us from looking must not keep a good job from running."""
        try:
            return tuple(handler.preflight(PreflightInput(plan.params, self._openers(inputs), self._settings, stop)))
        except CalculationError:
            raise
        except ServiceError as error:
            if error.retryable:
                raise
            log.warning("pre-flight failed", code=error.code, cause=str(error))
        except Exception:
            log.exception("pre-flight failed")
        return (INCOMPLETE,)

    def _openers(self, inputs: Sequence[StagedInput]) -> dict[str, dict[str, Opener]]:
        client = sync_client("s3")
        files: dict[str, dict[str, Opener]] = {}
        for item in inputs:
            opener = partial(open_object, client, self._settings.work_bucket, item.key)
            files.setdefault(item.role, {})[item.name] = opener
        return files

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


async def look(held: LeasedRow, handler: JobHandler, plan: Plan, inputs: Sequence[StagedInput]) -> tuple[Warn, ...]:
    """What is doubtful of this job; nothing where it isn't looked at. Raises as `Preflight.check`, and
    `StagingStopped` where the worker is to stop, or the job isn't to be submitted any more."""
    context, row = held.context, held.row
    if context.preflight is None or row.attempt != row.staged_in or not isinstance(handler, SupportsPreflight):
        return ()
    stop = held.stop
    checking = asyncio.create_task(context.preflight.check(handler, plan, inputs, stop=stop))
    try:
        while not (await asyncio.wait([checking], timeout=BEAT))[0]:
            if held.lost or held.row.state != "SUBMITTING":
                stop.set()
        return await checking
    except CalculationStopped as error:
        raise StagingStopped from error
    finally:
        stop.set()
