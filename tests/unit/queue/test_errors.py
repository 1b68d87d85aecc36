"""Vendor errors to ours: by code, by status, and never with a parameter in them."""

from __future__ import annotations

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)

from genoferry.aws.errors import CODES, mapped
from genoferry.errors import AccessDenied, ReceiptRetired, ServiceError, ServiceUnavailable

CANARY = "CANARYd34db33f"


def client_error(code: str, status: int = 400, message: str = CANARY) -> ClientError:
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "PutItem")  # type: ignore[arg-type]


def ours(error: Exception) -> ServiceError:
    with pytest.raises(ServiceError) as caught, mapped():
        raise error
    return caught.value


@pytest.mark.parametrize(("code", "kind"), CODES.items())
def test_known_codes(code, kind):
    error = ours(client_error(code))
    assert type(error) is kind
    assert CANARY not in error.user_message


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_any_5xx_is_passing(status):
    error = ours(client_error("Whatever", status))
    assert type(error) is ServiceUnavailable
    assert error.retryable


def test_an_unknown_4xx_is_not():
    error = ours(client_error("ValidationException"))
    assert type(error) is ServiceError
    assert not error.retryable


def test_an_expired_receipt_of_a_fifo_queue():
    text = "Value x for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."
    assert type(ours(client_error("InvalidParameterValue", message=text))) is ReceiptRetired


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url=f"http://{CANARY}"),
        ConnectTimeoutError(endpoint_url=f"http://{CANARY}"),
        ReadTimeoutError(endpoint_url=f"http://{CANARY}"),
    ],
)
def test_silence_is_passing(error):
    found = ours(error)
    assert type(found) is ServiceUnavailable
    assert CANARY not in str(found)


def test_no_credentials():
    assert type(ours(NoCredentialsError())) is AccessDenied


def test_a_call_that_could_not_be_made():
    error = ours(ParamValidationError(report=CANARY))
    assert not error.retryable
    assert CANARY not in str(error)


def test_errors_of_others_pass_through():
    with pytest.raises(ZeroDivisionError), mapped():
        raise ZeroDivisionError
