"""Vendor errors to ours: botocore's stop here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
)
from tenacity import retry_if_exception_type, stop_after_attempt, wait_random_exponential

from genoferry.errors import (
    AccessDenied,
    NoSuchUpload,
    NotFound,
    PreconditionFailed,
    ReceiptRetired,
    ServiceError,
    ServiceUnavailable,
)

CODES: dict[str, type[ServiceError]] = {
    "AccessDenied": AccessDenied,
    "AccessDeniedException": AccessDenied,
    "AuthorizationError": AccessDenied,
    "InvalidAccessKeyId": AccessDenied,
    "InvalidClientTokenId": AccessDenied,
    "SignatureDoesNotMatch": AccessDenied,
    "UnrecognizedClientException": AccessDenied,
    "403": AccessDenied,
    "NoSuchBucket": NotFound,
    "NoSuchKey": NotFound,
    "NotFound": NotFound,
    "QueueDoesNotExist": NotFound,
    "AWS.SimpleQueueService.NonExistentQueue": NotFound,
    "ResourceNotFoundException": NotFound,
    "404": NotFound,
    "NoSuchUpload": NoSuchUpload,
    "MessageNotInflight": ReceiptRetired,
    "ReceiptHandleIsInvalid": ReceiptRetired,
    "ConditionalCheckFailedException": PreconditionFailed,
    "PreconditionFailed": PreconditionFailed,
    "412": PreconditionFailed,
    "ConditionalRequestConflict": ServiceUnavailable,
    "ExpiredToken": ServiceUnavailable,  # the credentials are renewed, by the SDK or by the worker
    "ExpiredTokenException": ServiceUnavailable,
    "OperationAborted": ServiceUnavailable,
    "RequestTimeout": ServiceUnavailable,
    "RequestTimeoutException": ServiceUnavailable,
    "SlowDown": ServiceUnavailable,
    "Throttling": ServiceUnavailable,
    "ThrottlingException": ServiceUnavailable,
    "ThrottledException": ServiceUnavailable,
    "ProvisionedThroughputExceededException": ServiceUnavailable,
    "RequestLimitExceeded": ServiceUnavailable,
    "TooManyRequestsException": ServiceUnavailable,
    "KMSThrottlingException": ServiceUnavailable,
}
"""By error code, as the services' API references name them; a 5xx is `ServiceUnavailable` whatever its code."""


AGAIN: dict[str, Any] = {
    "retry": retry_if_exception_type(ServiceUnavailable),
    "wait": wait_random_exponential(multiplier=0.05, max=1.0),
    "stop": stop_after_attempt(5),
    "reraise": True,
}
"""How a conditional put is tried again that S3 answered with 409: botocore's own retries leave those alone."""


def translate(error: Exception) -> ServiceError:
    """The error of ours for botocore's. The message names service call and code, never a parameter."""
    if isinstance(error, ClientError):
        return _from_client_error(error)
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return AccessDenied("No AWS credentials were found. Set them, or run `genoferry local env` and export those.")
    if isinstance(error, HTTPClientError | ConnectionError):
        return ServiceUnavailable(f"An AWS endpoint does not answer ({type(error).__name__}). It is tried again.")
    return ServiceError(f"An AWS call could not be made ({type(error).__name__}).")


def _from_client_error(error: ClientError) -> ServiceError:
    code = error.response.get("Error", {}).get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if "receipt handle has expired" in error.response.get("Error", {}).get("Message", ""):
        code = "ReceiptHandleIsInvalid"  # of a FIFO queue, where it is called InvalidParameterValue
    kind = CODES.get(code) or (ServiceUnavailable if status >= 500 else ServiceError)
    return kind(f"{error.operation_name} was answered {code or status}. {kind.__doc__ or ''}".strip())


@contextmanager
def mapped() -> Iterator[None]:
    """Raise botocore's errors as ours."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise translate(error) from error
