"""The request: what is read off the work queue (design, section 3)."""

from __future__ import annotations

import hashlib
import json
import math
import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, NoReturn
from uuid import UUID, uuid5

from pydantic import BeforeValidator, Field, StringConstraints, ValidationError
from pydantic_core import ErrorDetails

from genoferry.contracts.base import CamelContract
from genoferry.contracts.names import ExperimentId, SafeText
from genoferry.contracts.trace import PATTERN, valid_traceparent
from genoferry.errors import BadMessage, InvalidBody, InvalidEnvelope, MessageTooLarge, NotAnObject, NotJson

MAX_MESSAGE_BYTES = 128 * 1024
BARE_JOB_REQUEST = UUID("6a1f1b0e-5d43-5f0e-9d5c-8f2f3c9f7a11")
"""The uuid5 namespace of a bare JobRequest: its uuid is uuid5(this, pipeline_param.id)."""

OnDuplicate = Literal["attach", "retry-if-failed", "restart"]


def _utc(value: object) -> object:
    """ISO 8601, or `2099-12-31 00:00:00`; a time without a zone is UTC."""
    wrong = ValueError("must be a string such as 2099-12-31T00:00:00Z")
    if not isinstance(value, str):
        raise wrong
    try:
        time = datetime.fromisoformat(value)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):  # their messages hold the value
        raise wrong from None


def parse_uuid(value: object) -> object:
    """A uuid in any of its spellings, parsed and lower-cased."""
    if not isinstance(value, str):
        raise ValueError("must be a string")
    return str(UUID(value))


class Request(CamelContract):
    """One message of the work queue. `body` is still raw: its handler's model checks it."""

    uuid: Annotated[str, BeforeValidator(parse_uuid)]
    experiment_id: ExperimentId
    timeout: Annotated[datetime, BeforeValidator(_utc)] | None = None
    socket_id: SafeText | None = None
    on_duplicate: OnDuplicate = "attach"
    traceparent: Annotated[
        Annotated[str, StringConstraints(pattern=PATTERN)] | None, BeforeValidator(valid_traceparent)
    ] = None
    body: dict[str, Any] = Field(json_schema_extra={"required": ["name"]})

    @property
    def name(self) -> str:
        """The message name that picks the handler. Raises `InvalidBody` where there is none."""
        name = self.body.get("name")
        if not isinstance(name, str):
            raise InvalidBody("body.name is missing or not a string: it picks the handler, e.g. CalculateScores.")
        return name

    @property
    def fingerprint(self) -> str:
        """Equal for the same request: sha256 of experimentId and the canonical JSON of `body`, in hex."""
        canonical = json.dumps([self.experiment_id, self.body], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


def parse_request(text: str, *, group_id: str | None = None) -> Request:
    """The request in an SQS body, a bare JobRequest wrapped.

    Raises `NotJson`, `NotAnObject`, `MessageTooLarge` or `InvalidEnvelope`.
    """
    if len(text.encode(errors="surrogatepass")) > MAX_MESSAGE_BYTES:
        raise MessageTooLarge
    document = _load(text)
    if "pipeline_param" in document and "body" not in document:
        document = _wrap(document, group_id)
    try:
        return Request.model_validate(document)
    except ValidationError as error:
        raise explain(error, InvalidEnvelope) from None


def read_uuid(text: str) -> str | None:
    """The uuid of a message that is otherwise bad, so that its sender can be told; a bare JobRequest's is its own."""
    try:
        document = _load(text)
        if "pipeline_param" in document and "body" not in document:
            document = _wrap(document, None)
    except NotJson:
        found = re.search(r'"uuid"\s*:\s*"([0-9A-Fa-f-]{36})"', text[: 2 * MAX_MESSAGE_BYTES])
        return _uuid_or_none(found[1]) if found else None
    except BadMessage:
        return None
    return _uuid_or_none(document.get("uuid"))


def explain(error: ValidationError, kind: type[BadMessage]) -> BadMessage:
    """The validation error as one of ours: where and why, never what was written, be it the name of a field."""
    places = [_place(found) for found in error.errors(include_input=False)]
    more = f" (and {len(places) - 5} more)" if len(places) > 5 else ""
    return kind("; ".join(places[:5]) + more)


def _place(found: ErrorDetails) -> str:
    loc, message = [str(part) for part in found["loc"]], found["msg"].removeprefix("Value error, ")
    if found["type"] == "extra_forbidden":
        loc, message = [*loc[:-1], "(a field)"], "is not known here"
    if found["type"] == "union_tag_invalid":
        message = f"must be one of {found['ctx']['expected_tags']}"
    return f"{'.'.join(loc) or 'message'}: {message}"


def _load(text: str) -> dict[str, Any]:
    try:
        text.encode()
        document = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_unique)
        json.dumps(document, ensure_ascii=False).encode()  # an escaped lone surrogate is no text
    except (ValueError, RecursionError):
        raise NotJson from None
    if not isinstance(document, dict):
        raise NotAnObject
    return document


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return document


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


def _finite(text: str) -> float:
    if math.isinf(number := float(text)):
        raise ValueError("a number is too large")
    return number


def _wrap(job_request: dict[str, Any], group_id: str | None) -> dict[str, Any]:
    pipeline = job_request["pipeline_param"]
    run_id = pipeline.get("id") if isinstance(pipeline, dict) else None
    if not isinstance(run_id, str):
        raise InvalidEnvelope("pipeline_param.id: a bare JobRequest needs it as a string")
    return {
        "uuid": str(uuid5(BARE_JOB_REQUEST, run_id)),
        "experimentId": group_id or run_id,
        "body": {"name": "CalculateScores", **job_request},
    }


def _uuid_or_none(text: object) -> str | None:
    try:
        return str(UUID(text)) if isinstance(text, str) else None
    except ValueError:
        return None
