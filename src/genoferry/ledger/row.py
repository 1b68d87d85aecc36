"""What is known of one job: the ledger's row (design, section 4). Times are Unix milliseconds."""

from __future__ import annotations

from typing import Any, Literal

from genoferry.contracts.base import SCHEMA_VERSION, Contract, Versioned
from genoferry.contracts.events import ErrorInfo, Event, Summary, Warn
from genoferry.contracts.results import ResultPointer
from genoferry.errors import RowTooLarge

State = Literal[
    "REQUESTED", "STAGING", "SUBMITTING", "SUBMITTED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"
]
TERMINAL: frozenset[State] = frozenset({"SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"})
MAX_ROW_BYTES = 64 * 1024
MAX_ATTEMPTS = 16
KEPT_ATTACHED = 16
RECENT_EVENTS = 32
KEEP_MILLIS = 15 * 24 * 3600 * 1000
"""A row outlives its end by 15 days, past the queue's retention of 14."""


class FileState(Contract):
    """One input, by its index in the plan: `etag` when it is staged, `upload_id` only while in flight."""

    etag: str | None = None
    upload_id: str | None = None
    source_etag: str | None = None


class Intent(Contract):
    """What was going to be submitted, written before it was: cancel, clean-up and attach work from it."""

    attempt: int
    runner: str
    name: str
    nonce: str
    ref: str | None = None
    warnings: tuple[Warn, ...] = ()
    """Of the pre-flight, until they are told with `Created`."""


class WorkspaceOwed(Contract):
    """The workspace of the attempts that read what `staged_in` staged, at a runner."""

    staged_in: int
    runner: str


class CleanUp(Contract):
    """An attempt that is owed its clean-up, and how much of it may go."""

    attempt: int
    intent: Intent | None = None
    inputs: bool = False
    results: bool = False
    workspace: WorkspaceOwed | None = None

    @property
    def runners(self) -> frozenset[str]:
        """The runners that may have something of it; none: any worker can do it."""
        return frozenset(part.runner for part in (self.intent, self.workspace) if part is not None)


class ProgressMark(Contract):
    phase: str
    done: int
    total: int
    unit: str
    at: int


class Row(Versioned):
    """One job. Every write is conditioned on `version`, raises it, and recomputes what is owed and when."""

    kind: Literal["job"] = "job"
    uuid: str
    version: int = 0
    experiment_id: str
    name: str
    run_name: str
    deployment: str
    fingerprint: str
    request_key: str
    message_ids: tuple[str, ...]
    """Of the messages that made an attempt, so that a redelivered one acts once."""
    attached: tuple[str, ...] = ()
    """Of the last messages that attached, likewise."""
    socket_id: str | None = None
    traceparent: str | None = None
    timeout_at: int | None = None

    state: State = "REQUESTED"
    attempt: int = 1
    lost_attempts: int = 0
    created_at: int
    updated_at: int
    submitted_at: int | None = None
    waits_from: int | None = None
    """From when on it counts that the job doesn't run: after its submission, where the backend has held it back."""
    running_at: int | None = None
    ended_at: int | None = None

    staged_in: int = 1
    """The attempt whose prefix holds the inputs: a lost attempt's successor reads them where they are."""
    files: tuple[FileState, ...] = ()
    intent: Intent | None = None
    runner: str | None = None

    sequence: int = 0
    outbox: tuple[Event, ...] = ()
    recent: tuple[Event, ...] = ()
    progress: ProgressMark | None = None
    error: ErrorInfo | None = None
    log_tail: tuple[str, ...] = ()
    """Of the process that failed last, in a lost attempt too: for who looks at the ledger, and in no event."""
    results: tuple[ResultPointer, ...] = ()
    verified: Literal["digest", "size", "none"] | None = None
    summary: Summary | None = None

    lease_token: str | None = None
    lease_until: int | None = None
    look_at: int | None = None
    retry_at: int = 0
    publish_at: int = 0
    clean_at: int = 0
    failures: int = 0
    clean_up: tuple[CleanUp, ...] = ()

    @property
    def terminal(self) -> bool:
        return self.state in TERMINAL


class CancelMark(Versioned):
    """A cancellation that came before its request: it stands under the row's own key for 15 days."""

    kind: Literal["cancel"] = "cancel"
    uuid: str
    version: int = 0
    experiment_id: str
    created_at: int


class Lease(Versioned):
    """A lease that is not a row's: one per runner. The token changes with each renewal."""

    kind: Literal["lease"] = "lease"
    name: str
    version: int = 0
    token: str | None = None
    until: int = 0
    holder: str = ""


class OwedRow(Contract):
    """What the index of owed work shows of a row, without reading it."""

    uuid: str
    version: int
    due_at: int
    state: State
    attempt: int
    runner: str | None = None
    ref: str | None = None
    experiment_id: str
    lease_token: str | None = None
    lease_until: int | None = None
    owes: dict[str, int]
    """What is owed and when (`ledger.due.owes`)."""

    def due(self, now: int, *kinds: str) -> bool:
        """Whether one of these kinds of work is owed by now."""
        return any(self.owes.get(kind, now + 1) <= now for kind in kinds)


def encoded(document: Row | CancelMark | Lease) -> str:
    """The document as a ledger keeps it. Raises `RowTooLarge` past 64 KiB."""
    text = document.model_dump_json(exclude_none=True)
    if len(text.encode()) > MAX_ROW_BYTES:
        raise RowTooLarge
    return text


def changed(row: Row, **changes: Any) -> Row:
    """A copy with these fields changed, of this version: an older worker may not know what is in it now."""
    return row.model_copy(update={"schema_version": SCHEMA_VERSION} | changes)
