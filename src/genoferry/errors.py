"""The one tree of errors.

Every error that leaves a room is a `GenoferryError`: a stable `code` for programs, a message for a person that
says what to do and never echoes what a sender wrote, and whether trying again can help. An error class's
docstring is its default message, so the reference page of error codes is generated from this file.
"""

from __future__ import annotations

import inspect
from typing import ClassVar

MAX_USER_MESSAGE = 1024
"""Bytes of `userMessage` in an event (design, section 3)."""


class GenoferryError(Exception):
    """Something went wrong inside genoferry. The worker's log has the details."""

    code: ClassVar[str] = "internal-error"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or inspect.cleandoc(type(self).__doc__ or "").replace("\n", " "))

    @property
    def user_message(self) -> str:
        """The message, cut to `MAX_USER_MESSAGE` bytes of UTF-8."""
        return str(self).encode()[:MAX_USER_MESSAGE].decode(errors="ignore")


# --- settings -------------------------------------------------------------------------------------------------


class SettingsError(GenoferryError):
    """A setting is missing or wrong. Run `genoferry doctor` to see which."""

    code = "bad-settings"


# --- messages that never become a job (design, section 5) ----------------------------------------------------


class BadMessage(GenoferryError):
    """The message can't be acted on."""

    code = "bad-message"


class NotJson(BadMessage):
    """The message body is not JSON in UTF-8. Send one JSON object."""

    code = "not-json"


class NotAnObject(BadMessage):
    """The message body is JSON but not an object. Send one JSON object."""

    code = "not-an-object"


class MessageTooLarge(BadMessage):
    """The message is over 128 KiB or names more than 500 files. Split the request."""

    code = "message-too-large"


class InvalidEnvelope(BadMessage):
    """The envelope is not valid. It takes uuid, experimentId, timeout and body; see the schema of `request`."""

    code = "invalid-envelope"


class UnknownName(BadMessage):
    """`body.name` names no handler of this worker. See `genoferry schema --list` for the names it knows."""

    code = "unknown-name"


class InvalidBody(BadMessage):
    """The body does not fit its schema. See `genoferry schema NAME`."""

    code = "invalid-body"


class SourceNotAllowed(BadMessage):
    """The request names a source, key or scorefile that this deployment's allow-lists don't hold.
    Ask the operator to allow it, or use one that is allowed."""

    code = "source-not-allowed"


class Conflict(BadMessage):
    """A request with this uuid and another content exists already. Send the new request under a new uuid."""

    code = "conflict"


class UnknownTarget(BadMessage):
    """The request to cancel names a job of another experiment."""

    code = "unknown-target"


class TooManyReceives(BadMessage):
    """The message was received many times and could not be accepted. Look at the dead-letter queue for its cause,
    mend that and send it again."""

    code = "too-many-receives"


class NewerSchema(GenoferryError):
    """This was written by a newer genoferry. Upgrade this worker; it leaves the job alone."""

    code = "newer-schema"


# --- the services that genoferry stands on -------------------------------------------------------------------


class ServiceError(GenoferryError):
    """A service that genoferry stands on answered with an error."""

    code = "service-error"


class ServiceUnavailable(ServiceError):
    """A service that genoferry stands on does not answer or asks to slow down. It is tried again."""

    code = "service-unavailable"
    retryable = True


class AccessDenied(ServiceError):
    """A service refused genoferry's credentials. Check the role of worker or job."""

    code = "access-denied"


class NotFound(ServiceError):
    """A queue, topic, table, bucket or object that genoferry needs does not exist. Run `genoferry doctor`."""

    code = "not-found"


class PreconditionFailed(ServiceError):
    """A conditional write found another state than it was conditioned on."""

    code = "precondition-failed"


class NoSuchUpload(ServiceError):
    """The multipart upload is not known any more: it was completed, aborted or expired."""

    code = "no-such-upload"


# --- ledger ---------------------------------------------------------------------------------------------------


class LedgerError(GenoferryError):
    """The ledger can't do what was asked of it."""

    code = "ledger-error"


class VersionConflict(LedgerError):
    """The row was changed by another writer. It is read again."""

    code = "version-conflict"
    retryable = True


class LeaseLost(LedgerError):
    """The lease on this row was taken over by another worker."""

    code = "lease-lost"
    retryable = True


class NoSuchJob(LedgerError):
    """No job with this uuid is known here. Rows are kept for 15 days after a job's end."""

    code = "no-such-job"


class RowTooLarge(LedgerError):
    """The job's record would be over 64 KiB. Send fewer files in one request."""

    code = "row-too-large"


class TooManyAttempts(LedgerError):
    """The job has used its 16 attempts. Send the request under a new uuid."""

    code = "too-many-attempts"


# --- staging (design, section 7) ------------------------------------------------------------------------------


class StagingError(GenoferryError):
    """An input could not be staged."""

    code = "staging-failed"


class SourceMissing(StagingError):
    """A file of the request does not exist at its source. Check its path and name."""

    code = "source-missing"


class SourceDenied(StagingError):
    """The source refused access to a file. Check its permissions and the worker's credentials for it."""

    code = "source-denied"


class SourceUnavailable(StagingError):
    """The source does not answer, or answered with a server error. It is tried again."""

    code = "source-unavailable"
    retryable = True


class SourceChanged(StagingError):
    """A file changed at its source while it was read. It is staged anew."""

    code = "source-changed"
    retryable = True


class SourceShort(StagingError):
    """The source sent fewer bytes than it promised for a file. It is tried again."""

    code = "source-short"
    retryable = True


class RangeNotSatisfiable(StagingError):
    """The source can't serve the byte ranges of a file: the file is shorter than stated, or ranges are off."""

    code = "source-range"


class SizeMismatch(StagingError):
    """A file's size at the source is not the size stated in the request: it was cut, or another file is there."""

    code = "size-mismatch"


class DigestMismatch(StagingError):
    """A file's decrypted content does not have the sha256 stated in the request."""

    code = "digest-mismatch"


class Crypt4GHError(StagingError):
    """A file is not a valid Crypt4GH file."""

    code = "crypt4gh-invalid"


class WrongKey(Crypt4GHError):
    """No header packet of a file opens with the key of this request. Encrypt the file for this key's public half."""

    code = "wrong-key"


class SegmentCorrupt(Crypt4GHError):
    """A segment of a file fails its authentication tag: the file was damaged or altered."""

    code = "segment-corrupt"


class KeyUnavailable(StagingError):
    """The key service does not answer. It is tried again."""

    code = "key-unavailable"
    retryable = True


class KeyMissing(StagingError):
    """The private key of this request does not exist in that version."""

    code = "key-missing"


class KeyDenied(StagingError):
    """The key service refused the worker's credentials."""

    code = "key-denied"


class KeyMalformed(StagingError):
    """The private key can't be unwrapped: wrong password, or not a Crypt4GH private key."""

    code = "key-malformed"


# --- compute (design, section 6) ------------------------------------------------------------------------------


class ComputeError(GenoferryError):
    """The compute backend could not do what was asked of it."""

    code = "compute-failed"


class SubmitFailed(ComputeError):
    """The job could not be submitted to its compute backend."""

    code = "submit-failed"


class AlreadySubmitted(ComputeError):
    """Another worker submitted this attempt."""

    code = "already-submitted"


class JobLost(ComputeError):
    """The job ended without its exit report: it was killed, or its machine went away."""

    code = "job-lost"
    retryable = True


class NoExitReport(ComputeError):
    """The job says it succeeded but wrote no exit report, so nothing is known of its scores."""

    code = "no-exit-report"


class StartDeadline(ComputeError):
    """The job did not start running within its deadline."""

    code = "start-deadline"
    retryable = True


class RunDeadline(ComputeError):
    """The job ran past its deadline and was ended."""

    code = "run-deadline"


class Superseded(ComputeError):
    """This attempt was given up or is another process's: it stops before it does anything."""

    code = "superseded"


class CalculationError(GenoferryError):
    """The scores could not be calculated."""

    code = "calculation-failed"
