"""Reports from jobs: hints that change no state, carry progress, and make someone look (design, section 6)."""

from __future__ import annotations

import structlog
from pydantic import ValidationError

from genoferry.contracts.base import check_version
from genoferry.contracts.reports import Report
from genoferry.errors import NewerSchema, NoSuchJob
from genoferry.ledger.row import Row
from genoferry.ledger.states import hinted, progressed
from genoferry.ledger.update import update
from genoferry.queue.protocol import Message
from genoferry.worker.context import WorkerContext

log = structlog.get_logger()


async def take_hint(context: WorkerContext, message: Message) -> None:
    """Note a report on its row and delete it. One that isn't its attempt's is dropped. Raises `ServiceError`s."""
    try:
        check_version(message.body)
        await _note(context, Report.model_validate_json(message.body))
    except NewerSchema:
        return  # it comes back, to a newer worker
    except ValidationError:
        log.warning("report is not valid", message_id=message.id)
    except NoSuchJob:
        log.warning("report of an unknown job", message_id=message.id)
    await context.reports.delete(message)


async def _note(context: WorkerContext, report: Report) -> None:
    every = int(context.settings.worker.progress_seconds * 1000)

    def transition(row: Row) -> Row:
        if row.intent is None or (row.attempt, row.intent.nonce) != (report.attempt, report.nonce):
            return row
        now = context.now()
        if report.progress is not None and row.state == "RUNNING":
            row = progressed(row, now, report.progress, attempt=report.attempt, every=every)
        looking = report.final or row.state != "RUNNING"
        return hinted(row, now, attempt=report.attempt) if looking else row

    await update(context.ledger, report.uuid, transition)
