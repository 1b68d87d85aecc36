"""What a look at the compute comes to: running, finished by its exit report, lost, or without one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import structlog
from pydantic import ValidationError

from genoferry import faults
from genoferry.compute.protocol import Cause, Observation
from genoferry.contracts.base import check_version
from genoferry.contracts.events import ErrorInfo
from genoferry.contracts.keys import exit_key
from genoferry.contracts.reports import ExitReport, bounded
from genoferry.contracts.results import ResultPointer
from genoferry.errors import (
    CalculationError,
    ComputeError,
    GenoferryError,
    JobLost,
    JobOutOfDisk,
    JobOutOfMemory,
    JobUnpullable,
    JobUnschedulable,
    NoExitReport,
    RowTooLarge,
    RunDeadline,
)
from genoferry.handlers.protocol import JobHandler, Summarizes
from genoferry.handlers.registry import find
from genoferry.ledger.row import MAX_ATTEMPTS, Row
from genoferry.ledger.states import fail, looked, lose, running, succeed
from genoferry.ledger.update import Transition, update
from genoferry.worker.context import WorkerContext

log = structlog.get_logger()


async def settle(context: WorkerContext, row: Row, seen: Observation) -> Row:
    """Bring the row to what was seen of its attempt. The exit report is read before any end is declared."""
    attempt = seen.handle.attempt
    if seen.suspended and row.state == "RUNNING":
        words = "The cluster has taken its place away while it ran."
        seen = replace(seen, phase="failed", cause="lost", reason=words)  # its pod is gone, and a second may not run
    if seen.phase == "pending":
        return row
    hinted = row.look_at is not None
    report = await read_report(context, row) if hinted or seen.phase != "running" else None
    if seen.phase == "running" and report is None:
        return await _write(
            context, row, lambda there: running(looked(there, row.look_at), context.now(), attempt=attempt)
        )
    ended = await _settle_end(context, row, seen, report)
    _log_end(ended, seen, report)
    return ended


def _log_end(row: Row, seen: Observation, report: ExitReport | None) -> None:
    """By what it came to: a backend may call `failed` what has an exit report that says otherwise."""
    log.info(
        "attempt ended",
        uuid=row.uuid,
        attempt=seen.handle.attempt,
        outcome=row.state.lower() if row.attempt == seen.handle.attempt else "lost",
        code=row.error.code if row.error else None,
        exit_code=report.exit_code if report else None,
        backend_phase=seen.phase,
        backend_exit_code=seen.exit_code,
        reason=seen.reason,
    )


async def _settle_end(context: WorkerContext, row: Row, seen: Observation, report: ExitReport | None) -> Row:
    """Write down the end of an attempt; a handler whose own code fails makes it a failure."""
    attempt = seen.handle.attempt
    faults.point("finish")
    try:
        return await _write(context, row, lambda there: _end(context, there, seen, report))
    except RowTooLarge as error:
        failure: GenoferryError = error
    except GenoferryError:
        raise  # passing, or this worker's own trouble: another look may go better
    except Exception:
        log.exception("unexpected", uuid=row.uuid, attempt=attempt)  # the handler's own code: it won't go better
        failure = GenoferryError()
    return await _write(context, row, lambda there: fail(there, context.now(), ErrorInfo.of(failure), attempt=attempt))


async def _write(context: WorkerContext, row: Row, transition: Transition) -> Row:
    return await update(context.ledger, row.uuid, transition, known=row)


async def read_report(context: WorkerContext, row: Row) -> ExitReport | None:
    """The exit report of the row's present attempt, if it is there and valid. Raises `NewerSchema`."""
    text = await context.work.get(exit_key(row.uuid, row.attempt))
    if text is None or row.intent is None:
        return None
    check_version(text)
    try:
        report = ExitReport.model_validate_json(text)
    except ValidationError:
        log.warning("exit report is not valid", uuid=row.uuid, attempt=row.attempt)
        return None
    ours = (report.uuid, report.attempt, report.nonce) == (row.uuid, row.attempt, row.intent.nonce)
    return report if ours else None


def _end(context: WorkerContext, row: Row, seen: Observation, report: ExitReport | None) -> Row:
    attempt = seen.handle.attempt
    if row.terminal or row.attempt != attempt:
        return row
    if report is not None and report.attempt == attempt:
        return _by_report(context, row, seen, report)
    if seen.phase == "succeeded":
        return fail(row, context.now(), ErrorInfo.of(NoExitReport()), attempt=attempt)
    cause = seen.cause or "lost"
    kind, advice = CAUSES.get(cause), context.runner.advice(cause)
    if kind is None:
        return _lost(context, row, ErrorInfo.of(told(JobLost, seen.reason, advice)), seen, None)
    return _fail(context, row, ErrorInfo.of(told(kind, seen.reason, advice)), seen, None)


CAUSES: Mapping[Cause, type[ComputeError]] = {
    "out-of-memory": JobOutOfMemory,
    "out-of-disk": JobOutOfDisk,
    "run-deadline": RunDeadline,
    "unschedulable": JobUnschedulable,
    "unpullable": JobUnpullable,
}
"""What another attempt would fail of too; every other end without a report is a loss."""


CAUSE_OF: Mapping[str, Cause] = {kind.code: cause for cause, kind in CAUSES.items()}


def told(kind: type[ComputeError], reason: str | None, advice: str | None = None) -> ComputeError:
    """With the backend's own words, and what to set there."""
    parts = [str(kind()), advice, f"({reason})" if reason else None]
    return kind(" ".join(part for part in parts if part))


def _advised(context: WorkerContext, error: ErrorInfo) -> ErrorInfo:
    """A job knows no runner's settings: the runner adds what to set."""
    cause = CAUSE_OF.get(error.code)
    advice = context.runner.advice(cause) if cause else None
    if advice is None:
        return error
    words = GenoferryError(f"{error.user_message} {advice}").user_message
    return error.model_copy(update={"user_message": words})


def _by_report(context: WorkerContext, row: Row, seen: Observation, report: ExitReport) -> Row:
    now = context.now()
    row = running(row, now, attempt=report.attempt)
    if report.exit_code == 0:
        handler = find(context.handlers, row.name)
        assert handler.kind == "job"  # noqa: S101  # only such messages get a row
        return succeed(
            row,
            now,
            attempt=report.attempt,
            results=_pointers(handler, report),
            verified=report.verified,
            summary=handler.summary(report) if isinstance(handler, Summarizes) else None,
        )
    error = _advised(context, report.error or ErrorInfo.of(CalculationError()))
    if error.retryable:
        return _lost(context, row, error, seen, report)
    return _fail(context, row, error, seen, report)


def _pointers(handler: JobHandler, report: ExitReport) -> tuple[ResultPointer, ...]:
    return tuple(
        ResultPointer(key=o.key, content_type=o.content_type, size=o.size, may_inline=handler.may_inline)
        for o in handler.results(report)
    )


def _fail(context: WorkerContext, row: Row, error: ErrorInfo, seen: Observation, report: ExitReport | None) -> Row:
    """With the process to blame and its last lines, where the job's report has them; else what the backend saw it
    print."""
    now, attempt = context.now(), seen.handle.attempt
    if report is None:
        return fail(row, now, error, attempt=attempt, log_tail=bounded(seen.log_tail))
    name, code, tail = report.trace_name, report.trace_exit, report.log_tail
    return fail(row, now, error, attempt=attempt, trace_name=name, trace_exit=code, log_tail=tail)


def _lost(context: WorkerContext, row: Row, error: ErrorInfo, seen: Observation, report: ExitReport | None) -> Row:
    """The next attempt, by policy; the last one's loss is the job's failure."""
    most = context.settings.worker.max_lost_attempts
    if row.lost_attempts + 1 >= most or row.attempt >= MAX_ATTEMPTS:
        return _fail(context, row, error, seen, report)
    delay, tail = context.backoff_millis(row.lost_attempts), report.log_tail if report else bounded(seen.log_tail)
    return lose(row, context.now(), attempt=seen.handle.attempt, delay=delay, log_tail=tail)
