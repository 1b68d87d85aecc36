"""Submission: intent, job.json, start, record, so that a death at any point starts no second job."""

from __future__ import annotations

import structlog

from genoferry import faults
from genoferry.compute.protocol import Handle, JobSpec, job_name, workspace_name
from genoferry.contracts.base import check_version
from genoferry.contracts.events import Warn
from genoferry.contracts.jobfile import JobDocument, JobFile, Manifest, StagedInput
from genoferry.contracts.keys import job_key, manifest_key
from genoferry.errors import AlreadySubmitted, NotFound
from genoferry.handlers.protocol import Plan
from genoferry.ledger.row import Intent, Row
from genoferry.ledger.states import intend, submitted
from genoferry.worker.context import WorkerContext
from genoferry.worker.driver.leased_row import LeasedRow
from genoferry.worker.driver.preflight import look
from genoferry.worker.driver.stage import read_plan

log = structlog.get_logger()


async def submit(held: LeasedRow) -> None:
    """Bring this attempt to its compute. Raises `AlreadySubmitted`, `ComputeError`s, `ServiceError`s."""
    context = held.context
    handler, plan = await read_plan(context, held.row)
    inputs = await _staged(context, held.row)
    warnings = await look(held, handler, plan, inputs) if held.row.intent is None else ()
    row = await held.update(lambda there: intend(there, context.now(), _intent(context, there, warnings)))
    if row.state != "SUBMITTING" or row.intent is None:
        return
    faults.point("intent")
    await _write_job_file(context, row, row.intent, _job_file(context, row, row.intent, plan, inputs))
    key = job_key(row.uuid, row.attempt)
    shared = workspace_name(row.deployment, row.uuid, row.staged_in)
    spec = JobSpec(row.uuid, row.attempt, row.intent.name, f"s3://{context.work.bucket}/{key}", shared)
    ref = await context.runner.submit(spec)
    faults.point("submit")
    after = await held.update(lambda there: submitted(there, context.now(), attempt=spec.attempt, ref=ref))
    faults.point("record")
    if after.attempt != spec.attempt or after.terminal:
        await context.runner.clean(Handle(spec.uuid, spec.attempt, spec.name, ref))
    log.info("submitted", uuid=row.uuid, attempt=spec.attempt, runner=context.runner.key)


def _intent(context: WorkerContext, row: Row, warnings: tuple[Warn, ...]) -> Intent:
    return Intent(
        attempt=row.attempt,
        runner=context.runner.key,
        name=job_name(row.deployment, row.uuid, row.attempt),
        nonce=context.new_id(),
        warnings=warnings,
    )


async def _write_job_file(context: WorkerContext, row: Row, intent: Intent, job: JobFile) -> None:
    """Create job.json if it is absent; one with another nonce, or a tombstone, stops this submitter."""
    key = job_key(row.uuid, row.attempt)
    if await context.work.put_new(key, job.model_dump_json(exclude_none=True).encode()):
        return
    text = await context.work.get(key) or b"{}"
    check_version(text)
    there = JobDocument.validate_json(text)
    if not isinstance(there, JobFile) or there.nonce != intent.nonce:
        raise AlreadySubmitted


async def _staged(context: WorkerContext, row: Row) -> tuple[StagedInput, ...]:
    text = await context.work.get(manifest_key(row.uuid, row.staged_in))
    if text is None:
        raise NotFound("The job's staged inputs are no longer in the work bucket. Send it again with restart.")
    check_version(text)
    return Manifest.model_validate_json(text).inputs


def _job_file(context: WorkerContext, row: Row, intent: Intent, plan: Plan, inputs: tuple[StagedInput, ...]) -> JobFile:
    return JobFile(
        uuid=row.uuid,
        attempt=row.attempt,
        nonce=intent.nonce,
        name=row.name,
        params=dict(plan.params),
        inputs=inputs,
        work_bucket=context.work.bucket,
        results_bucket=context.results.bucket,
        report_queue=context.report_queue_url,
        staged_in=row.staged_in,
        progress_seconds=context.settings.worker.progress_seconds,
        traceparent=row.traceparent,
    )
