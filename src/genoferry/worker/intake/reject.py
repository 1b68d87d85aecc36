"""Bad messages: told of, copied to the dead-letter queue with their cause, and deleted (design, section 5)."""

from __future__ import annotations

import json

import structlog

from genoferry import __version__, metrics
from genoferry.contracts.envelope import parse_request, read_uuid
from genoferry.contracts.events import ErrorInfo, Event, utc_time
from genoferry.contracts.keys import rejected_key
from genoferry.contracts.trace import valid_traceparent
from genoferry.errors import BadMessage, GenoferryError, LedgerError, NewerSchema, TooManyReceives
from genoferry.handlers.registry import Handlers
from genoferry.publisher import attributes, event_message
from genoferry.queue.protocol import Message
from genoferry.worker.context import WorkerContext

log = structlog.get_logger()
MAX_DEAD_LETTER_BYTES = 240 * 1024
"""The body that still fits under SQS's 256 KiB beside the cause."""


def verdict(context: WorkerContext, message: Message, error: Exception) -> GenoferryError | None:
    """The error to reject this message with, or None while it is worth trying again."""
    if isinstance(error, NewerSchema):
        return None  # a newer worker knows what to do with it
    if isinstance(error, BadMessage | LedgerError) and not error.retryable:
        return error
    known = error if isinstance(error, GenoferryError) else GenoferryError()
    passing = known.retryable
    limits = context.settings.queue
    most = limits.max_receives_at_all if passing else limits.max_receives
    if message.receive_count < most:
        return None
    return TooManyReceives() if passing else known


async def reject(context: WorkerContext, message: Message, error: GenoferryError) -> None:
    """Tell the backend, keep a copy with the cause, delete. Safe to repeat: the event's id is the message's."""
    uuid = read_uuid(message.body)
    await _tell(context, message, uuid, error)
    cause = {
        "code": error.code,
        "cause": error.user_message,
        "time": utc_time(context.now()),
        "workerVersion": __version__,
        "originalMessageId": message.id,
    }
    await context.queue.dead_letter(message, await _body(context, message), cause)
    await context.queue.delete(message)
    log.warning("rejected", uuid=uuid, message_id=message.id, code=error.code, cause=error.user_message)


async def _tell(context: WorkerContext, message: Message, uuid: str | None, error: GenoferryError) -> None:
    """Publish `Rejected`; without a uuid where none can be read, since its sender waits for an answer all the same."""
    event = Event(
        uuid=uuid,
        event_id=message.id,
        utc_time=utc_time(context.now()),
        event="Rejected",
        error=ErrorInfo.of(error),
    )
    socket_id, fields = _known(context.handlers, message)
    event = event.model_copy(update={"socket_id": socket_id})
    await context.publisher.publish(event_message(event), attributes("Rejected", uuid, **fields))
    metrics.count("events", event="Rejected")


def _known(handlers: Handlers, message: Message) -> tuple[str | None, dict[str, str | None]]:
    """The socketId, and the event's attributes, where the envelope itself is good; a name only if a handler has it,
    since what a sender writes need not be fit for an attribute."""
    trace = valid_traceparent(message.attributes.get("traceparent"))
    try:
        request = parse_request(message.body, group_id=message.group_id)
    except BadMessage:
        return None, {"name": None, "experiment_id": None, "traceparent": trace}
    name = request.body.get("name")
    return request.socket_id, {
        "name": name if isinstance(name, str) and name in handlers else None,
        "experiment_id": request.experiment_id,
        "traceparent": request.traceparent or trace,
    }


async def _body(context: WorkerContext, message: Message) -> str:
    """The body as it came, or where it is kept when it doesn't fit."""
    encoded = message.body.encode(errors="surrogatepass")
    if len(encoded) <= MAX_DEAD_LETTER_BYTES:
        return message.body
    key = rejected_key(message.id)
    await context.work.put(key, encoded)
    return json.dumps({"body": f"s3://{context.work.bucket}/{key}"})
