"""The life of a job as pure transitions: a row in, the next row out, its events appended in the same step.

A transition that doesn't apply returns the row unchanged (`is` the same object), so that the first terminal write
wins and its losers write and publish nothing.
"""

from __future__ import annotations

from typing import Any, Literal

from genoferry.contracts.events import ErrorInfo, Event, EventName, ProgressInfo, Summary, Warn, event_id, utc_time
from genoferry.contracts.results import ResultPointer
from genoferry.errors import EventsWaiting, TooManyAttempts
from genoferry.ledger.row import (
    KEPT_ATTACHED,
    MAX_ATTEMPTS,
    RECENT_EVENTS,
    CleanUp,
    FileState,
    Intent,
    ProgressMark,
    Row,
    WorkspaceOwed,
    changed,
)

END_EVENT: dict[str, EventName] = {
    "SUCCEEDED": "Succeeded",
    "FAILED": "Failed",
    "CANCELLED": "Cancelled",
    "EXPIRED": "Expired",
}


MAX_UNTOLD = 12
"""Events in the outbox past which no new attempt is made: at 4 KiB each they would leave no room for its files."""


def tell(row: Row, now: int, event: EventName, **fields: Any) -> Row:
    """The row with one more event in its outbox, under the next sequence. A pending `Progress` is replaced."""
    sequence = row.sequence + 1
    told = Event(
        uuid=row.uuid,
        event_id=event_id(row.uuid, sequence),
        sequence=sequence,
        attempt=row.attempt,
        run_name=row.run_name,
        utc_time=utc_time(now),
        event=event,
        socket_id=row.socket_id,
        **fields,
    )
    outbox = [e for e in row.outbox if event != "Progress" or e.event != "Progress"]
    recent = [e for e in row.recent if event != "Progress" or e.event != "Progress"]
    return changed(
        row,
        sequence=sequence,
        outbox=(*outbox, told),
        recent=(*recent, _short(told))[-RECENT_EVENTS:],
        updated_at=now,
    )


RECENT_WARNINGS = 4


def requested(row: Row, now: int) -> Row:
    """A fresh row, told of."""
    return tell(row, now, "Requested")


def admit(row: Row, now: int, *, runner: str) -> Row:
    if row.state != "REQUESTED":
        return row
    return changed(row, state="STAGING", runner=runner, retry_at=now, failures=0, updated_at=now)


def file_state(row: Row, index: int, state: FileState, *, attempt: int) -> Row:
    """What is known of one input. Only the attempt that stages may say so."""
    if row.state != "STAGING" or row.attempt != attempt:
        return row
    files = list(row.files) + [FileState()] * (index + 1 - len(row.files))
    files[index] = state
    return changed(row, files=tuple(files), failures=0 if state.etag else row.failures)


def staged(row: Row, now: int, *, attempt: int) -> Row:
    if row.state != "STAGING" or row.attempt != attempt:
        return row
    return changed(row, state="SUBMITTING", failures=0, retry_at=now, progress=None, updated_at=now)


def intend(row: Row, now: int, intent: Intent) -> Row:
    """Write down what is going to be submitted, unless this attempt has its intent already."""
    if row.state != "SUBMITTING" or (row.intent and row.intent.attempt == row.attempt):
        return row
    return changed(row, intent=intent, runner=intent.runner, updated_at=now)


def submitted(row: Row, now: int, *, attempt: int, ref: str) -> Row:
    if row.state != "SUBMITTING" or row.attempt != attempt or row.intent is None:
        return row
    warnings = row.intent.warnings
    intent = row.intent.model_copy(update={"ref": ref, "warnings": ()})
    row = changed(row, state="SUBMITTED", intent=intent, submitted_at=now, failures=0)
    return tell(row, now, "Created", warnings=warnings or None)


def running(row: Row, now: int, *, attempt: int) -> Row:
    if row.state != "SUBMITTED" or row.attempt != attempt:
        return row
    return tell(changed(row, state="RUNNING", running_at=now, look_at=None), now, "Deployed")


def progressed(row: Row, now: int, info: ProgressInfo, *, attempt: int, every: int) -> Row:
    """A `Progress` event, on change only and at most once in `every` milliseconds."""
    last = row.progress
    if row.terminal or row.attempt != attempt:
        return row
    if last and (now - last.at < every or (last.phase, last.done) == (info.phase, info.done)):
        return row
    mark = ProgressMark(phase=info.phase, done=info.done, total=info.total, unit=info.unit, at=now)
    row = changed(row, progress=mark)
    return tell(row, now, "Progress", progress=info)


def hinted(row: Row, now: int, *, attempt: int) -> Row:
    """Someone says that there is something to see: the runner's lease holder is owed a look, which begins after now."""
    if row.terminal or row.attempt != attempt or row.look_at == now:
        return row
    return changed(row, look_at=now, updated_at=now)


def looked(row: Row, asked: int | None) -> Row:
    """The look that was owed then has been. What came while it was under way is owed still."""
    return row if row.look_at is None or row.look_at != asked else changed(row, look_at=None)


def succeed(
    row: Row,
    now: int,
    *,
    attempt: int,
    results: tuple[ResultPointer, ...],
    verified: Literal["digest", "size", "none"],
    summary: Summary | None = None,
) -> Row:
    if row.terminal or row.attempt != attempt:
        return row
    row = changed(row, results=results, verified=verified, summary=summary, error=None)
    ended = _end(row, now, "SUCCEEDED", keep_results=True)
    row = tell(ended, now, "Succeeded", verified=verified, summary=summary)
    return tell(row, now, "Result")


def fail(
    row: Row,
    now: int,
    error: ErrorInfo,
    *,
    attempt: int,
    trace_name: str | None = None,
    trace_exit: int | None = None,
    log_tail: tuple[str, ...] = (),
) -> Row:
    if row.terminal or row.attempt != attempt:
        return row
    row = _end(changed(row, error=error, log_tail=log_tail), now, "FAILED")
    return tell(row, now, "Failed", error=error, trace_name=trace_name, trace_exit=trace_exit)


def cancel(row: Row, now: int) -> Row:
    """End it as cancelled; a job that has ended is told of again."""
    if row.terminal:
        return republish(row, now)
    return tell(_end(row, now, "CANCELLED"), now, "Cancelled")


def expire(row: Row, now: int) -> Row:
    if row.terminal or row.state == "RUNNING":
        return row
    return tell(_end(row, now, "EXPIRED"), now, "Expired")


def held_back(row: Row, now: int, *, attempt: int) -> Row:
    """The backend holds the job back (a queue's quota): what it has waited so far counts no more."""
    if row.state != "SUBMITTED" or row.attempt != attempt:
        return row
    return changed(row, waits_from=now)


def lose(row: Row, now: int, *, attempt: int, delay: int, log_tail: tuple[str, ...] = ()) -> Row:
    """The compute lost this attempt: the next one reads the inputs where they were staged."""
    if row.terminal or row.attempt != attempt:
        return row
    lost = CleanUp(attempt=attempt, intent=row.intent, results=True)
    row = changed(row, state="SUBMITTING", lost_attempts=row.lost_attempts + 1, clean_up=(*row.clean_up, lost))
    row = changed(row, log_tail=log_tail or row.log_tail)
    return changed(_next_attempt(row), retry_at=now + delay, clean_at=now, updated_at=now)


def adopt(row: Row, *, now: int, dead: str, runner: str) -> Row:
    """Another runner takes what a dead one can't do any more: a job that hasn't started, and clean-ups.

    An attempt that may have been submitted there is lost; one that was is left to its deadline, since the dead
    runner's host may come back and find it running.
    """
    clean_up = tuple(_adopted(up, dead, runner) for up in row.clean_up)
    row = row if clean_up == row.clean_up else changed(row, clean_up=clean_up, clean_at=now)
    if row.runner != dead or row.state not in ("STAGING", "SUBMITTING"):
        return row
    if row.intent is not None and row.attempt < MAX_ATTEMPTS:
        row = adopt(lose(row, now, attempt=row.attempt, delay=0), now=now, dead=dead, runner=runner)
    intent = row.intent and row.intent.model_copy(update={"runner": runner})
    return changed(row, runner=runner, intent=intent, updated_at=now)


def _adopted(owed: CleanUp, dead: str, runner: str) -> CleanUp:
    moved = {
        name: part.model_copy(update={"runner": runner})
        for name, part in (("intent", owed.intent), ("workspace", owed.workspace))
        if part is not None and part.runner == dead
    }
    return owed.model_copy(update=moved)


def again(row: Row, now: int, message_id: str, request_key: str) -> Row:
    """A new attempt from the start, asked for by a message (`retry-if-failed`, `restart`).

    Raises `TooManyAttempts`, and `EventsWaiting` while so much is untold that the row could outgrow its limit.
    """
    if not row.terminal:
        return row
    if len(row.outbox) > MAX_UNTOLD or any(event.event == "Result" for event in row.outbox):
        raise EventsWaiting  # a Result not yet published needs its attempt's pointers
    row = _next_attempt(changed(row, message_ids=(*row.message_ids, message_id), request_key=request_key))
    row = changed(
        row,
        state="REQUESTED",
        staged_in=row.attempt,
        files=(),
        lost_attempts=0,
        runner=None,
        ended_at=None,
        retry_at=now,
        error=None,
        log_tail=(),
        results=(),
        verified=None,
        summary=None,
    )
    return tell(row, now, "Requested")


def republish(row: Row, now: int) -> Row:
    """The present state once more, under a new sequence (and the Result, where there is one); one pending at most."""
    last = END_EVENT.get(row.state) or PRESENT[row.state]
    if any(event.event == last for event in row.outbox):
        return row
    if not row.terminal:
        return tell(row, now, last)
    fields: dict[str, Any] = {}
    if last == "Succeeded":
        fields = {"verified": row.verified, "summary": row.summary}
    if last == "Failed":
        told = next((e for e in reversed(row.recent) if e.event == "Failed"), None)
        fields = {"error": row.error, "trace_name": told and told.trace_name, "trace_exit": told and told.trace_exit}
    row = tell(row, now, last, **fields)
    return tell(row, now, "Result") if last == "Succeeded" else row


PRESENT: dict[str, EventName] = {
    "REQUESTED": "Requested",
    "STAGING": "Requested",
    "SUBMITTING": "Requested",
    "SUBMITTED": "Created",
    "RUNNING": "Deployed",
}


def published(row: Row, event_ids: frozenset[str]) -> Row:
    """Take what was published out of the outbox."""
    left = tuple(event for event in row.outbox if event.event_id not in event_ids)
    return row if len(left) == len(row.outbox) else changed(row, outbox=left, publish_at=0)


def cleaned(row: Row, done: CleanUp) -> Row:
    left = tuple(owed for owed in row.clean_up if owed != done)
    return row if len(left) == len(row.clean_up) else changed(row, clean_up=left)


def back_off(row: Row, now: int, delay: int) -> Row:
    """This row's work failed for a passing reason: not before `delay` milliseconds from now."""
    return changed(row, retry_at=now + delay, failures=row.failures + 1)


def back_off_cleaning(row: Row, now: int, delay: int) -> Row:
    """A clean-up that fails is owed again, and holds up nothing else."""
    return changed(row, clean_at=now + delay)


def back_off_publishing(row: Row, now: int, delay: int) -> Row:
    return changed(row, publish_at=now + delay)


def attach(row: Row, message_id: str) -> Row:
    """Remember a message that attached, so that its redelivery does nothing."""
    return changed(row, attached=(*row.attached, message_id)[-KEPT_ATTACHED:])


def newest(row: Row, *, timeout_at: int | None, socket_id: str | None, traceparent: str | None) -> Row:
    """Of two equal requests the newest's timeout, socketId and traceparent count."""
    return changed(row, timeout_at=timeout_at, socket_id=socket_id, traceparent=traceparent)


def _short(event: Event) -> Event:
    """As `recent` keeps it: the error's message cut, and the first warnings, since the row must stay small."""
    if event.warnings is not None:
        kept = tuple(Warn(code=w.code, message=w.message[:100]) for w in event.warnings[:RECENT_WARNINGS])
        event = event.model_copy(update={"warnings": kept})
    if event.error is None:
        return event
    error = event.error.model_copy(update={"user_message": event.error.user_message[:160]})
    return event.model_copy(update={"error": error})


def _next_attempt(row: Row) -> Row:
    if row.attempt >= MAX_ATTEMPTS:
        raise TooManyAttempts
    return changed(
        row, attempt=row.attempt + 1, intent=None, submitted_at=None, running_at=None, look_at=None, progress=None,
        failures=0,
    )  # fmt: skip


def _end(row: Row, now: int, state: str, *, keep_results: bool = False) -> Row:
    """Terminal: what is owed from here on is publication and clean-up, of this attempt and of where it was staged."""
    own = row.staged_in == row.attempt
    made = row.runner is not None and (row.intent is not None or not own)  # some attempt may have made a workspace
    shared = WorkspaceOwed(staged_in=row.staged_in, runner=row.runner or "") if made else None
    owed = [CleanUp(attempt=row.attempt, intent=row.intent, results=not keep_results, inputs=own)]
    if not own:
        owed.append(CleanUp(attempt=row.staged_in, inputs=True))
    owed[-1] = owed[-1].model_copy(update={"workspace": shared})  # after the compute of every attempt was ended
    return changed(
        row,
        state=state,
        ended_at=now,
        clean_up=(*row.clean_up, *owed),
        clean_at=now,
        failures=0,
        look_at=None,
        files=(),
    )
