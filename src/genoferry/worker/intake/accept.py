"""Accepting: from a message to a row, in milliseconds; then the message is deleted (design, section 4, step 1)."""

from __future__ import annotations

import structlog

from genoferry import faults
from genoferry.contracts.envelope import Request, parse_request
from genoferry.contracts.keys import request_key
from genoferry.contracts.trace import valid_traceparent
from genoferry.errors import Conflict, NotOffered
from genoferry.handlers.protocol import Command, Plan
from genoferry.handlers.registry import find, parse_body
from genoferry.ledger.row import CancelMark, Row, changed
from genoferry.ledger.states import again, attach, cancel, expire, newest, republish, requested
from genoferry.ledger.update import counted, update
from genoferry.queue.protocol import Message
from genoferry.worker.context import WorkerContext

log = structlog.get_logger()


async def accept(context: WorkerContext, message: Message) -> None:
    """Act on one message and delete it.

    Raises what kept it from being acted on: `BadMessage`s and other lasting errors, or passing ones.
    """
    request = parse_request(message.body, group_id=message.group_id)
    handler = find(context.handlers, request.name)
    body = parse_body(handler, request)
    if isinstance(handler, Command):
        await handler.apply(body, request, context.ledger, context.now())
    else:
        plan = handler.plan(body)
        check_offered(plan.needs, context.settings.offers)
        for item in plan.inputs:
            context.stager.check(item)
        await _record(context, message, request, plan)
    faults.point("accept")
    await context.queue.delete(message)
    log.info("accepted", uuid=request.uuid, name=request.name, message_id=message.id)


NOT_OFFERED = {
    "catalogue": "pgp_id, trait_efo and efo_id need the PGS Catalog's own search, which this deployment doesn't ask:"
    " name the scores in pgs_id, or send scorefiles.",
    "liftover": "This deployment has no chain files to lift scorefiles over with: use harmonised ones.",
    "ancestry": "This deployment has no reference panel to compare ancestry with: leave out run_ancestry.",
}


def check_offered(needs: frozenset[str], offers: frozenset[str]) -> None:
    """Raises `NotOffered` for the first need that isn't met."""
    for need in sorted(needs - offers):
        raise NotOffered(NOT_OFFERED.get(need))


async def _record(context: WorkerContext, message: Message, request: Request, plan: Plan) -> None:
    key = request_key(request.uuid, message.id)
    await context.work.put(key, request.model_dump_json(exclude_none=True).encode())
    row = new_row(context, message, request, plan, key)
    known = await context.ledger.get(request.uuid)
    if isinstance(known, Row):
        await update(context.ledger, row.uuid, lambda there: merge(there, row, request, context.now()))
    else:
        await _create(context, row, known)


async def _create(context: WorkerContext, row: Row, known: CancelMark | None) -> None:
    """Put the row if there is none; a cancellation that came first is honoured, or replaced if it isn't ours.

    Raises `VersionConflict` where another wrote at the same moment: the message is then tried again.
    """
    now = context.now()
    row = requested(row, now)
    if row.timeout_at is not None and row.timeout_at <= now:
        row = expire(row, now)
    if known is None:
        await context.ledger.put(row, expected=None)
    else:
        if known.experiment_id == row.experiment_id:
            row = cancel(row, now)
        await context.ledger.put(changed(row, version=known.version + 1), expected=known.version)
    counted(None, row)


def new_row(context: WorkerContext, message: Message, request: Request, plan: Plan, key: str) -> Row:
    now = context.now()
    return Row(
        uuid=request.uuid,
        experiment_id=request.experiment_id,
        name=request.name,
        run_name=plan.run_name,
        deployment=context.settings.deployment,
        fingerprint=request.fingerprint,
        request_key=key,
        message_ids=(message.id,),
        socket_id=request.socket_id,
        traceparent=request.traceparent or valid_traceparent(message.attributes.get("traceparent")),
        timeout_at=int(request.timeout.timestamp() * 1000) if request.timeout else None,
        created_at=now,
        updated_at=now,
        retry_at=now,
    )


def merge(there: Row, new: Row, request: Request, now: int) -> Row:
    """The same uuid again: attach, or a new attempt where that is asked for and the job has ended.

    Raises `Conflict` for another request under the same uuid, `TooManyAttempts` after sixteen.
    """
    if there.fingerprint != new.fingerprint:
        raise Conflict
    message_id = new.message_ids[0]
    if message_id in (*there.message_ids, *there.attached):
        return there
    row = newest(there, timeout_at=new.timeout_at, socket_id=new.socket_id, traceparent=new.traceparent)
    wanted = {"restart": True, "retry-if-failed": there.state != "SUCCEEDED", "attach": False}
    if not (there.terminal and wanted[request.on_duplicate]):
        return republish(attach(row, message_id), now)
    row = again(row, now, message_id, new.request_key)
    return expire(row, now) if row.timeout_at is not None and row.timeout_at <= now else row
