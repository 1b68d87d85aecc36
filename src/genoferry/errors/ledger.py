"""The ledger."""

from __future__ import annotations

from genoferry.errors.base import GenoferryError


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


class EventsWaiting(LedgerError):
    """The topic has not taken this job's earlier events yet. The request is tried again."""

    code = "events-waiting"
    retryable = True


class TooManyAttempts(LedgerError):
    """The job has used its 16 attempts. Send the request under a new uuid."""

    code = "too-many-attempts"
