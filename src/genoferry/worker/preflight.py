"""A look at what was staged, between staging and submission: what can't go well is told of now, not after hours."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from functools import partial

import structlog

from genoferry.aws.clients import sync_client
from genoferry.aws.streams import open_object
from genoferry.contracts.events import Warn
from genoferry.contracts.jobfile import StagedInput
from genoferry.errors import CalculationError, ServiceError
from genoferry.handlers.protocol import JobHandler, Look, Looks, Opener, Plan
from genoferry.settings import Settings
from genoferry.worker.held import Held

log = structlog.get_logger()
BEAT = 1.0
"""Seconds between two looks at whether the job is still to be submitted."""

INCOMPLETE = Warn(
    code="preflight-incomplete", message="The pre-flight could not be done; the job runs without. The log has why."
)


class Preflight:
    """Reads the staged inputs from the work bucket as streams. Blocking: it is called on a thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def check(
        self, handler: Looks, plan: Plan, inputs: Sequence[StagedInput], *, stop: threading.Event
    ) -> tuple[Warn, ...]:
        """What is doubtful. Raises a `CalculationError` for what can't go well, `ServiceError`s for the bucket's."""
        client = sync_client("s3")
        files: dict[str, dict[str, Opener]] = {}
        for item in inputs:
            opener = partial(open_object, client, self._settings.work_bucket, item.key)
            files.setdefault(item.role, {})[item.name] = opener
        try:
            return tuple(handler.look(Look(plan.params, files, self._settings, stop)))
        except (CalculationError, ServiceError):
            raise
        except Exception:
            log.exception("pre-flight failed")  # a fault of ours must not keep a good job from running
            return (INCOMPLETE,)


async def look(held: Held, handler: JobHandler, plan: Plan, inputs: Sequence[StagedInput]) -> tuple[Warn, ...]:
    """What is doubtful of this job; nothing where it isn't looked at. Raises as `Preflight.check`."""
    rooms, row = held.rooms, held.row
    if rooms.preflight is None or row.attempt != row.staged_in or not isinstance(handler, Looks):
        return ()
    stop = threading.Event()
    checking = asyncio.create_task(asyncio.to_thread(rooms.preflight.check, handler, plan, inputs, stop=stop))
    try:
        while not (await asyncio.wait([checking], timeout=BEAT))[0]:
            if held.lost or held.row.state != "SUBMITTING":
                stop.set()
        return await checking
    finally:
        stop.set()
