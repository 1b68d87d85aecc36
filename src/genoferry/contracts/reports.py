"""What the job says: its exit report (the truth, in the work bucket) and its report (a hint, on the report queue)."""

from __future__ import annotations

from typing import Literal

from genoferry.contracts.base import Contract, Versioned
from genoferry.contracts.events import ErrorInfo, ProgressInfo


class ScoreReport(Contract):
    """What became of one score asked for. `reason` says why it failed; the counts are of its scorefile's variants."""

    id: str
    status: Literal["calculated", "failed"]
    reason: str | None = None
    variants_total: int | None = None
    variants_matched: int | None = None
    match_rate: float | None = None


class OutputReport(Contract):
    """A file in the results bucket: `size` in bytes and hex `sha256`."""

    key: str
    content_type: str
    size: int
    sha256: str


class ExitReport(Versioned):
    """Written to `work/<uuid>/<attempt>/exit.json` before the job reports (design, section 6)."""

    uuid: str
    attempt: int
    nonce: str
    exit_code: int
    trace_name: str | None = None
    trace_exit: int | None = None
    error: ErrorInfo | None = None
    scores: tuple[ScoreReport, ...] = ()
    outputs: tuple[OutputReport, ...] = ()
    verified: Literal["digest", "size", "none"] = "none"
    samples: int | None = None


class Report(Versioned):
    """A hint on the report queue: it changes no state by itself, and makes a worker look."""

    uuid: str
    attempt: int
    nonce: str
    progress: ProgressInfo | None = None
    final: bool = False
