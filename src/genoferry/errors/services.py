"""The services that genoferry stands on."""

from __future__ import annotations

from genoferry.errors.base import GenoferryError


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


class ReceiptRetired(ServiceError):
    """A queue's message was received again since, so that this receipt of it counts no more."""

    code = "receipt-retired"


class NoSuchUpload(ServiceError):
    """The multipart upload is not known any more: it was completed, aborted or expired."""

    code = "no-such-upload"
