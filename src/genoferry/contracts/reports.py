"""What the job says: its exit report (the truth, in the work bucket) and its report (a hint, on the report queue)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from genoferry.contracts.base import Contract, Versioned
from genoferry.contracts.envelope import parse_uuid
from genoferry.contracts.events import ErrorInfo, ProgressInfo, TraceName
from genoferry.contracts.keys import results_prefix

MAX_SCORES = 10_000
"""Twice the scores of the PGS Catalog."""
MAX_OUTPUTS = 1000


LOG_LINES, LOG_LINE, LOG_BYTES = 20, 400, 4096
LogTail = Annotated[tuple[Annotated[str, StringConstraints(max_length=LOG_LINE)], ...], Field(max_length=LOG_LINES)]
"""The last lines that the failed process printed. They may quote data: they go into the ledger, into no event."""


def bounded(lines: Sequence[str]) -> tuple[str, ...]:
    """The last of the lines that fit into a row, each cut to `LOG_LINE`: `LOG_LINES` and `LOG_BYTES` at most."""
    kept: list[str] = []
    left = LOG_BYTES
    for line in reversed([line[:LOG_LINE] for line in lines[-LOG_LINES:]]):
        left -= len(line.encode())
        if left < 0:
            break
        kept.insert(0, line)
    return tuple(kept)


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

    key: Annotated[str, StringConstraints(min_length=1, max_length=1024)]
    content_type: Annotated[str, StringConstraints(max_length=256)]
    size: int
    sha256: str


class ExitReport(Versioned):
    """Written to `work/<uuid>/<attempt>/exit.json` before the job reports (design, section 6).

    Its outputs are its own attempt's: the worker publishes pointers to them, with its own rights.
    """

    uuid: str
    attempt: int
    nonce: str
    exit_code: int
    trace_name: TraceName | None = None
    trace_exit: int | None = None
    error: ErrorInfo | None = None
    scores: Annotated[tuple[ScoreReport, ...], Field(max_length=MAX_SCORES)] = ()
    outputs: Annotated[tuple[OutputReport, ...], Field(max_length=MAX_OUTPUTS)] = ()
    verified: Literal["digest", "size", "none"] = "none"
    samples: int | None = None
    log_tail: LogTail = ()

    @model_validator(mode="after")
    def _outputs_are_its_own(self) -> Self:
        if not all(output.key.startswith(results_prefix(self.uuid, self.attempt)) for output in self.outputs):
            raise ValueError("outputs: a key is not of this attempt")
        return self


class Report(Versioned):
    """A hint on the report queue: it changes no state by itself, and makes a worker look."""

    uuid: Annotated[str, BeforeValidator(parse_uuid)]
    attempt: int
    nonce: str
    progress: ProgressInfo | None = None
    final: bool = False
