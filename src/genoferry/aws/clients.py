"""AWS clients: bounded time-outs, botocore's standard retries, endpoints and credentials from the environment."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genoferry.errors import ServiceError, SettingsError

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb.client import DynamoDBClient
    from types_aiobotocore_s3.client import S3Client
    from types_aiobotocore_sns.client import SNSClient
    from types_aiobotocore_sqs.client import SQSClient

LONG_POLL_SECONDS = 20
REGION_NAMES = ("AWS_REGION", "AWS_DEFAULT_REGION")
"""The first is every AWS SDK's name and goes first (AWS SDKs and Tools Reference Guide, "AWS Region"); boto3 and
aws-cli 1 read the second alone."""


def region(environment: Mapping[str, str]) -> str | None:
    """Return the region that the variables name; None leaves it to the SDK, which reads the profile."""
    return next((value for name in REGION_NAMES if (value := environment.get(name))), None)


def options(service: str) -> dict[str, Any]:
    """Arguments for a botocore `Config`. Path-style where an endpoint is set: emulators have no wildcard DNS."""
    custom = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    return {
        "connect_timeout": 5,
        "read_timeout": LONG_POLL_SECONDS + 10 if service == "sqs" else 60,
        "retries": {"mode": "standard", "max_attempts": 4},
        "max_pool_connections": 50,
        **({"s3": _s3_options(custom=bool(custom))} if service == "s3" else {}),
    }


def _s3_options(*, custom: bool) -> dict[str, Any]:
    """Bodies carry a CRC64NVME; signing them too would read every part once more."""
    return {"payload_signing_enabled": False} | ({"addressing_style": "path"} if custom else {})


@dataclass(frozen=True)
class Clients:
    """The worker's clients, open as long as their stack."""

    sqs: SQSClient
    sns: SNSClient
    dynamodb: DynamoDBClient
    s3: S3Client


async def open_clients(stack: AsyncExitStack) -> Clients:
    """Open the clients on a stack that closes them."""
    from aioboto3 import Session
    from aiobotocore.config import AioConfig

    with made():
        session = Session(region_name=region(os.environ))

    async def client(name: Any) -> Any:
        with made():
            return await stack.enter_async_context(session.client(name, config=AioConfig(**options(name))))

    return Clients(
        sqs=await client("sqs"), sns=await client("sns"), dynamodb=await client("dynamodb"), s3=await client("s3")
    )


def sync_client(service: str, **credentials: str) -> Any:
    """A boto3 client, for the data plane and the job, which live on threads."""
    import boto3
    from botocore.config import Config

    given = {"region_name": region(os.environ)} | credentials
    with made():
        client = boto3.client(service, config=Config(**options(service)), **given)  # type: ignore[call-overload]
    client.meta.events.register_last("before-call.s3", _expect_nothing_of_nothing)
    return client


def _expect_nothing_of_nothing(params: dict[str, Any], **_: Any) -> None:
    """Send an empty body without `Expect: 100-continue`, which botocore adds to every file-like one.

    No server answers it where no body follows. botocore keeps the answer's status line for the connection's next
    request, and reads that one's answer until its time-out, a minute (botocore, `awsrequest.py`, `response_class`; it
    has this as BOTO_EXPERIMENTAL__NO_EMPTY_CONTINUE in `handlers.py`).
    """
    from botocore.utils import determine_content_length

    if "Expect" in params["headers"] and determine_content_length(params["body"]) == 0:
        del params["headers"]["Expect"]


def client_of(environment: Mapping[str, str], service: str) -> Any:
    """A boto3 client of whoever the `AWS_…` variables of an environment say, whatever this process's own is."""
    regional = {"region_name": name} if (name := region(environment)) else {}
    return sync_client(
        service,
        endpoint_url=environment["AWS_ENDPOINT_URL_S3" if service == "s3" else "AWS_ENDPOINT_URL"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        **regional,
    )


@contextmanager
def made() -> Iterator[None]:
    """What keeps a client from being made, as an error of ours. Raises `SettingsError`, `ServiceError`s."""
    from botocore.exceptions import NoRegionError, ProfileNotFound

    from genoferry.aws.errors import mapped

    try:
        with mapped():
            yield
    except ServiceError as error:
        if isinstance(error.__cause__, NoRegionError):
            raise SettingsError(
                "No AWS region is set. Set AWS_REGION, or export what `genoferry local env` prints."
            ) from error
        if isinstance(error.__cause__, ProfileNotFound):
            raise SettingsError("AWS_PROFILE names a profile that isn't in AWS's configuration files.") from error
        raise
    except ValueError as error:
        raise SettingsError(
            "AWS_ENDPOINT_URL or AWS_ENDPOINT_URL_S3 is no URL. Give one such as http://127.0.0.1:4566."
        ) from error
