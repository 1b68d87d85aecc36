"""Clean-up of what an attempt leaves: tombstone first, then the compute's object, then its objects in the buckets."""

from __future__ import annotations

import structlog

from genoferry import faults
from genoferry.aws.objects import delete_below
from genoferry.compute.protocol import Handle, workspace_name
from genoferry.contracts.jobfile import Tombstone
from genoferry.contracts.keys import attempt_prefix, inputs_prefix, job_key, results_prefix, workspace_prefix
from genoferry.ledger.row import CleanUp, Row
from genoferry.ledger.states import cleaned
from genoferry.worker.context import WorkerContext
from genoferry.worker.driver.leased_row import LeasedRow

log = structlog.get_logger()


def cleanable(row: Row, runner: str) -> CleanUp | None:
    """The first clean-up owed that a worker of this runner can do: one that a compute may have something of is for
    workers of its own runner, and must not hold up what comes after."""
    return next((owed for owed in row.clean_up if owed.runners <= {runner}), None)


async def clean(held: LeasedRow) -> None:
    """Do one clean-up owed. Idempotent: every step finds its work done, or does it."""
    context, row = held.context, held.row
    owed = cleanable(row, context.runner.key)
    if owed is None:
        return
    await _end_compute(context, row, owed)
    if owed.workspace is not None:
        await context.runner.discard(workspace_name(row.deployment, row.uuid, owed.workspace.staged_in))
    faults.point("clean")
    await _delete_objects(context, row, owed)
    await held.update(lambda there: cleaned(there, owed))
    log.info("cleaned", uuid=row.uuid, attempt=owed.attempt)


async def _end_compute(context: WorkerContext, row: Row, owed: CleanUp) -> None:
    if owed.intent is None:
        return
    tombstone = Tombstone(uuid=row.uuid, attempt=owed.attempt, reason=row.state)
    await context.work.put(job_key(row.uuid, owed.attempt), tombstone.model_dump_json().encode())
    await context.runner.clean(Handle(row.uuid, owed.attempt, owed.intent.name, owed.intent.ref))


async def _delete_objects(context: WorkerContext, row: Row, owed: CleanUp) -> None:
    prefix = attempt_prefix(row.uuid, owed.attempt)
    if owed.inputs:
        await context.work.abort_uploads(prefix)
    if owed.results:
        await context.results.abort_uploads(results_prefix(row.uuid, owed.attempt))
    shared = () if owed.inputs else (inputs_prefix(row.uuid, owed.attempt), workspace_prefix(row.uuid, owed.attempt))
    await delete_below(context.work, prefix, keep=(job_key(row.uuid, owed.attempt), *shared))
    if owed.results:
        await delete_below(context.results, results_prefix(row.uuid, owed.attempt))
