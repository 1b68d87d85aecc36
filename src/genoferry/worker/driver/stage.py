"""Staging a job's inputs, file after file, resumable at every point (design, section 4, step 3)."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field

from genoferry import faults, metrics
from genoferry.contracts.envelope import Request
from genoferry.contracts.events import ProgressInfo
from genoferry.contracts.jobfile import Manifest, StagedInput
from genoferry.contracts.keys import input_key, manifest_key
from genoferry.errors import DestinationConflict, LeaseLost, NotFound, SourceChanged, StagingStopped
from genoferry.handlers.protocol import JobHandler, Plan, PlannedInput
from genoferry.handlers.registry import find, parse_body
from genoferry.ledger.row import FileState, Row
from genoferry.ledger.states import file_state, progressed, staged
from genoferry.ledger.update import read
from genoferry.worker.context import Staged, WorkerContext
from genoferry.worker.driver.leased_row import LeasedRow


async def read_plan(context: WorkerContext, row: Row) -> tuple[JobHandler, Plan]:
    """The plan of the request that the row names. Raises `NotFound` where the bucket has lost it."""
    text = await context.work.get(row.request_key)
    if text is None:
        raise NotFound("The job's request is no longer in the work bucket. Send it again.")
    request = Request.model_validate_json(text)
    handler = find(context.handlers, request.name)
    assert handler.kind == "job"  # noqa: S101  # only such requests get a row
    return handler, handler.plan(parse_body(handler, request))


@dataclass
class Staging:
    """One go at staging a job. `stop` ends the thread that moves bytes; `done` counts plaintext bytes."""

    held: LeasedRow
    stop: threading.Event = field(default_factory=threading.Event)
    done: int = 0
    before: int = 0
    total: int = 0
    attempt: int = 0

    async def run(self) -> None:
        """Stage what isn't yet, write the manifest, and say so. Raises `StagingError`s and `ServiceError`s."""
        row = self.held.row
        self.attempt = row.attempt
        _, plan = await read_plan(self.held.context, row)
        self.total = sum(item.size or 0 for item in plan.inputs)
        inputs = [await self._one(index, item, row) for index, item in enumerate(plan.inputs)]
        manifest = Manifest(inputs=tuple(inputs))
        key = manifest_key(row.uuid, row.attempt)
        await self.held.context.work.put(key, manifest.model_dump_json(exclude_none=True).encode())
        await self.held.update(lambda there: staged(there, self.held.context.now(), attempt=row.attempt))

    async def _one(self, index: int, item: PlannedInput, row: Row) -> StagedInput:
        key = input_key(row.uuid, row.attempt, index)
        known = row.files[index] if index < len(row.files) else FileState()
        size = await self.held.context.work.size(key) if known.etag else None
        if size is None:
            found = await self._move_anew(index, item, key, FileState() if known.etag else known, row.attempt)
            faults.point("stage")
            try:
                await self._record(index, FileState(etag=found.etag), row.attempt)
            except (LeaseLost, StagingStopped):
                await self._take_back(key, row)
                raise
            size = found.size
        self.before += item.size or 0
        self.done = self.before
        return StagedInput(
            role=item.role, name=item.name, key=key, size=size, sha256=item.sha256, size_stated=item.size is not None
        )

    async def _take_back(self, key: str, row: Row) -> None:
        """Plaintext that arrived after its job's clean-up must not stay; where the job goes on, it is another's now."""
        there = await read(self.held.context.ledger, row.uuid)
        if there.terminal or there.staged_in != row.attempt:
            await self.held.context.work.delete([key])

    async def _move_anew(self, index: int, item: PlannedInput, key: str, known: FileState, attempt: int) -> Staged:
        """What was begun of another version of the file is forgotten before the next try."""
        try:
            return await self._move(index, item, key, known, attempt)
        except DestinationConflict as error:
            await self.held.context.work.delete([key])
            raise SourceChanged from error
        except SourceChanged:
            await self._record(index, FileState(), attempt)
            raise

    async def _move(self, index: int, item: PlannedInput, key: str, known: FileState, attempt: int) -> Staged:
        loop = asyncio.get_running_loop()

        def record(state: FileState) -> None:
            asyncio.run_coroutine_threadsafe(self._record(index, state, attempt), loop).result()

        last = None if known.upload_id else 0  # what an earlier go has moved is told of first

        def progress(done: int) -> None:
            nonlocal last
            metrics.count("staged_bytes", max(0, done - last) if last is not None else 0)
            last = done
            self.done = self.before + done

        stager = self.held.context.stager
        moving = asyncio.to_thread(
            stager.stage, item, key, known, on_state=record, on_progress=progress, stop=self.stop
        )
        return await moving

    async def _record(self, index: int, state: FileState, attempt: int) -> None:
        """Raises `StagingStopped` where the job is no longer to be staged, before another byte is sent."""
        row = await self.held.update(lambda there: file_state(there, index, state, attempt=attempt))
        if row.state != "STAGING" or row.attempt != attempt:
            raise StagingStopped

    async def report(self) -> None:
        """At a beat: stop if the job is no longer to be staged, else tell how far it is."""
        context, row = self.held.context, self.held.row
        if row.state != "STAGING" or row.attempt != self.attempt:
            self.stop.set()
            return
        info = ProgressInfo(phase="staging", done=min(self.done, self.total), total=self.total, unit="bytes")
        every = int(context.settings.worker.progress_seconds * 1000)
        await self.held.update(lambda there: progressed(there, context.now(), info, attempt=row.attempt, every=every))
