"""What the API server said no with, and what that means for a person and for the worker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pydantic
import urllib3.exceptions

from genoferry.errors import ComputeError, SubmitFailed, SubmitUnavailable

MOST = 400
"""Characters of the server's own words."""
RBAC_VERBS = {"read": "get"}


class Refused(Exception):
    """`status` is None where no answer came. `reason` and `message` are the server's (meta/v1 Status)."""

    def __init__(self, verb: str, resource: str, status: int | None, reason: str, message: str) -> None:
        super().__init__(f"{verb} {resource}: {status} {reason}")
        self.verb, self.resource, self.status = RBAC_VERBS.get(verb, verb), resource, status
        self.reason, self.message = reason, message[:MOST]

    @classmethod
    def of(cls, verb: str, resource: str, status: int | None, body: str | bytes | None) -> Refused:
        """From an answer. The vendor has no status where TLS failed."""
        told = _status(body)
        kind = Gone if status == 410 else cls
        return kind(verb, resource, status or None, str(told.get("reason")), str(told.get("message") or "no more"))

    @property
    def passing(self) -> bool:
        """Whether it may go better later: no answer, too many requests, a server in trouble, a quota that is used up,
        a token that has just expired, an object that was just changed."""
        if self.status == 403:
            return "exceeded quota" in self.message or "being terminated" in self.message
        return self.status is None or self.status in (401, 408, 409, 429) or self.status >= 500

    @property
    def words(self) -> str:
        """For a person: what to do."""
        told = self.message.rstrip(".")
        if self.status is None:
            return f"The Kubernetes API server can't be reached ({told}). Check its address and the network."
        if self.status == 401:
            return "The Kubernetes API server doesn't take the worker's credentials. Check its service account's token."
        if self.status == 403 and not self.passing:
            return (
                f"The worker may not `{self.verb}` `{self.resource}` in its namespace. Give its service account's Role"
                f" that verb. The API server says: {told}."
            )
        return f"Kubernetes answered {self.status} to `{self.verb}` of `{self.resource}`: {told}."


class Gone(Refused):
    """The server has forgotten the version that a watch would go on from (410): list again."""

    @classmethod
    def of_event(cls, resource: str, told: dict[str, Any]) -> Refused:
        """From an ERROR event, which carries a Status."""
        code, reason, message = told.get("code"), str(told.get("reason")), str(told.get("message"))
        return (Gone if code == 410 else Refused)("watch", resource, code, reason, message)


@contextmanager
def translated(verb: str, resource: str) -> Iterator[None]:
    """The vendor's errors as `Refused`."""
    from kubernetes.client.exceptions import ApiException

    try:
        yield
    except ApiException as error:
        raise Refused.of(verb, resource, error.status, error.body or error.reason) from error
    except pydantic.ValidationError as error:  # newer clients look at what they send
        wrong = "; ".join(".".join(str(part) for part in one["loc"]) for one in error.errors(include_input=False))
        raise Refused(verb, resource, 422, "Invalid", f"not valid: {wrong}") from error
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:  # ValueError: not JSON, or not UTF-8
        raise Refused(verb, resource, None, "Unreachable", type(error).__name__) from error


@contextmanager
def as_submit_error() -> Iterator[None]:
    """A refusal as `SubmitFailed`, or `SubmitUnavailable` where it may pass."""
    try:
        yield
    except Refused as error:
        raise (SubmitUnavailable if error.passing else SubmitFailed)(error.words) from error


@contextmanager
def as_error(kind: type[ComputeError]) -> Iterator[None]:
    """A refusal as that error."""
    try:
        yield
    except Refused as error:
        raise kind(error.words) from error


def _status(body: str | bytes | None) -> dict[str, Any]:
    """The Status of an answer's body; of what isn't one, its beginning as the message."""
    try:
        told = json.loads(body or "{}")
    except ValueError:
        told = None
    if isinstance(told, dict):
        return told
    return {"message": body.decode(errors="replace") if isinstance(body, bytes) else body}
