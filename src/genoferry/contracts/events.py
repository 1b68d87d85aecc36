"""Events: what the backend is told, through SNS (design, section 3)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID, uuid5

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator

from genoferry.contracts.base import CamelContract, Contract
from genoferry.errors import MAX_USER_MESSAGE, GenoferryError

EventName = Literal[
    "Requested", "Created", "Deployed", "Progress", "Succeeded", "Failed", "Cancelled", "Expired", "Rejected", "Result"
]
MAX_EVENT_BYTES = 4096
"""An event in a row's outbox (design, section 4)."""


MAX_TRACE_NAME = 256


def _check_bytes(message: str) -> str:
    if len(message.encode()) > MAX_USER_MESSAGE:
        raise ValueError("must be at most 1 KiB of UTF-8")
    return message


UserMessage = Annotated[str, StringConstraints(max_length=MAX_USER_MESSAGE), AfterValidator(_check_bytes)]
Code = Annotated[str, StringConstraints(max_length=64)]
TraceName = Annotated[str, StringConstraints(max_length=MAX_TRACE_NAME)]
"""Of the process that failed: a job's word, which goes into rows and events."""


class ErrorInfo(CamelContract):
    """Why: a stable code, a message for a person (at most 1 KiB, never echoes input), and whether to try again."""

    code: Code
    user_message: UserMessage
    retryable: bool

    @classmethod
    def of(cls, error: GenoferryError) -> ErrorInfo:
        return cls(code=error.code, user_message=error.user_message, retryable=error.retryable)


Count = Annotated[int, Field(ge=0)]
Word = Annotated[str, StringConstraints(max_length=64)]


class StepInfo(Contract):
    """A step of a pipeline: how many of its processes are done, running and still to come, and the most memory that
    one of them has had resident so far, in bytes (None where none is done)."""

    name: Word
    done: Count
    running: Count
    pending: Count
    peak_memory: Count | None = None


class ProgressInfo(Contract):
    """How far a phase is. A pipeline tells of its `steps` too, and of the `cpu_hours` that it has cost so far."""

    phase: Word
    done: Count
    total: Count
    unit: Word
    steps: Annotated[tuple[StepInfo, ...], Field(max_length=24)] | None = None
    cpu_hours: Annotated[float, Field(ge=0)] | None = None


class Summary(Contract):
    """How much of what was asked for a job that succeeded came to: `done` of `total`, counted in `unit`."""

    done: Count
    total: Count
    unit: Word

    @property
    def partial(self) -> bool:
        """Return whether it came to less than what was asked for."""
        return self.done < self.total


class Warn(Contract):
    code: str
    message: str


UUID_UNLESS_REJECTED: dict[str, Any] = {
    "if": {"properties": {"event": {"const": "Rejected"}}},
    "else": {"properties": {"uuid": {"type": "string"}}, "required": ["uuid"]},
}
"""The rule of `Event.uuid` in JSON Schema (Draft 2020-12, Core, section 10.2.2)."""


class Event(CamelContract):
    """One thing that happened to a request. `sequence` orders a request's events; `event_id` tells copies apart.

    `uuid` is the request's; a `Rejected` has none where the message had none that could be read.
    """

    model_config = ConfigDict(json_schema_extra=UUID_UNLESS_REJECTED)

    uuid: str | None = None
    event_id: str = Field(alias="event_id")
    sequence: int | None = None
    attempt: int | None = None
    run_name: str | None = Field(default=None, alias="run_name")
    utc_time: str = Field(alias="utc_time")
    event: EventName
    trace_name: str | None = Field(default=None, alias="trace_name")
    trace_exit: int | None = Field(default=None, alias="trace_exit")
    error: ErrorInfo | None = None
    progress: ProgressInfo | None = None
    verified: Literal["digest", "size", "none"] | None = None
    summary: Summary | None = None
    warnings: tuple[Warn, ...] | None = None
    socket_id: str | None = None

    @model_validator(mode="after")
    def _names_its_request(self) -> Self:
        if self.uuid is None and self.event != "Rejected":
            raise ValueError("uuid: only a Rejected may be without one")
        return self

    def wire(self) -> dict[str, Any]:
        """The JSON object as published: fields that don't belong to this event are left out; a failure's are kept."""
        kept = {"trace_name", "trace_exit"} if self.event == "Failed" else set()
        document = self.model_dump(mode="json", exclude_none=True)
        return dict.fromkeys(kept) | document


def event_id(uuid: str, sequence: int) -> str:
    """uuid5 of the request's uuid and the decimal sequence: a subscriber drops an `event_id` that it has seen."""
    return str(uuid5(UUID(uuid), str(sequence)))


def utc_time(millis: int) -> str:
    """ISO 8601 with milliseconds and `Z`, of a Unix time in milliseconds."""
    return datetime.fromtimestamp(millis / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
