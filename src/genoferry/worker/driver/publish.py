"""Publishing what a row's outbox holds, then marking it as published (design, section 4, step 6)."""

from __future__ import annotations

import base64

import structlog

from genoferry import faults, metrics
from genoferry.contracts.events import Event
from genoferry.contracts.results import ResultItem, ResultPointer
from genoferry.errors import ServiceError
from genoferry.ledger.row import Row
from genoferry.ledger.states import back_off_publishing, published
from genoferry.publisher import MAX_PUBLISH_BYTES, attributes, encoded_size, event_message, result_message
from genoferry.worker.context import WorkerContext
from genoferry.worker.driver.leased_row import LeasedRow

log = structlog.get_logger()


async def flush(held: LeasedRow) -> None:
    """Publish in order of sequence; what the topic doesn't take now is owed again later."""
    context, row = held.context, held.row
    done: set[str] = set()
    failed: ServiceError | None = None
    for event in row.outbox:
        try:
            await _publish(context, row, event)
        except ServiceError as error:
            failed = error
            break
        done.add(event.event_id)
        faults.point("publish")
    if done:
        await held.update(lambda there: published(there, frozenset(done)))
        faults.point("mark")
    if failed:
        log.warning("publishing failed", uuid=row.uuid, code=failed.code, cause=str(failed))
        await held.update(lambda there: back_off_publishing(there, context.now(), context.backoff_millis(5)))


async def _publish(context: WorkerContext, row: Row, event: Event) -> None:
    known = attributes(
        event.event, row.uuid, name=row.name, experiment_id=row.experiment_id, traceparent=row.traceparent
    )
    if event.event == "Result":
        message = result_message(event, await route(context, row, event, known))
    else:
        message = event_message(event)
    await context.publisher.publish(message, known)
    metrics.count("events", event=event.event)
    log.info("published", uuid=row.uuid, published=event.event, sequence=event.sequence)


async def route(context: WorkerContext, row: Row, event: Event, known: dict[str, str]) -> tuple[ResultItem, ...]:
    """Inline what may go inline while the whole encoded message fits; the rest by its S3 path."""
    items = [_by_path(context, pointer) for pointer in row.results]
    for index, pointer in enumerate(row.results):
        inline = await _inline(context, pointer) if pointer.may_inline else None
        if inline is None:
            continue
        tried = (*items[:index], inline, *items[index + 1 :])
        if encoded_size(result_message(event, tried), known) <= MAX_PUBLISH_BYTES:
            items = list(tried)
    return tuple(items)


def _by_path(context: WorkerContext, pointer: ResultPointer) -> ResultItem:
    path = f"s3://{context.results.bucket}/{pointer.key}"
    return ResultItem(content_type=pointer.content_type, content_encoding="identity", type="s3-path", body=path)


async def _inline(context: WorkerContext, pointer: ResultPointer) -> ResultItem | None:
    if pointer.size > MAX_PUBLISH_BYTES:
        return None
    body = await context.results.get(pointer.key)
    if body is None:
        return None
    encoded = base64.b64encode(body).decode()
    return ResultItem(content_type=pointer.content_type, content_encoding="base64", type="inline", body=encoded)
