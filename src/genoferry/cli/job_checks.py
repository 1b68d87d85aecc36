"""What `genoferry doctor` looks at of a job's own credentials: those that a runner would hand over, tried."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from genoferry.aws.clients import sync_client
from genoferry.aws.errors import mapped
from genoferry.cli.finding import Finding, said
from genoferry.contracts.keys import job_key
from genoferry.errors import AccessDenied, ServiceError, ServiceUnavailable

if TYPE_CHECKING:
    from genoferry.aws.clients import Clients
    from genoferry.settings import Settings

WHAT = "job credentials"
NOBODY = "00000000-0000-0000-0000-000000000000"
"""The uuid of a request that nobody sends."""
ROLE, KEY_ID, SECRET = (
    "GENOFERRY_JOB_ROLE_ARN",
    "GENOFERRY_JOB_AWS_ACCESS_KEY_ID",
    "GENOFERRY_JOB_AWS_SECRET_ACCESS_KEY",
)
SET_SOME = f"Set {ROLE} to the job role of infra/template.yaml; for the embedded AWS export `genoferry local env`."
LET_ASSUME = "Allow the worker's role sts:AssumeRole on it, and trust that role there, as infra/template.yaml does."
OTHER_KEYS = f"Set {KEY_ID} and {SECRET} to keys that this endpoint knows, or {ROLE} to a role there."
UNKNOWN_KEYS = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidClientTokenId")
"""S3's and STS's codes for keys that they don't know (their API references). Other refusals are of rights: a job has
none to see that an object is absent."""


async def job_credentials(known: Settings, clients: Clients) -> Finding:
    """As the runner hands them over: a static identity goes before a role."""
    compute = known.compute
    if compute.runner == "kubernetes" and known.kubernetes.credentials == "service-account":
        return Finding("ok", WHAT, "those of the pods' service account, which only a pod can try")
    key_id, secret = compute.job_aws_access_key_id, compute.job_aws_secret_access_key
    if key_id and secret:
        keys = {"aws_access_key_id": key_id, "aws_secret_access_key": secret.get_secret_value()}
        return await asyncio.to_thread(_tried, known, KEY_ID, keys)
    if key_id or secret:
        alone, absent = (KEY_ID, SECRET) if key_id else (SECRET, KEY_ID)
        return Finding("fail", WHAT, f"{alone} is set without {absent}, so it is not used", f"Set both, or {ROLE}.")
    if compute.job_role_arn:
        found = await asyncio.to_thread(_assumed, known, compute.job_role_arn)
        if found.status == "fail" and not await _are_a_workers(known, clients):
            return Finding("ok", WHAT, f"a session of {ROLE}, which only a worker's credentials can try")
        return found
    return Finding("fail", WHAT, f"neither {ROLE} nor {KEY_ID} is set, so no job can start", SET_SOME)


async def _are_a_workers(known: Settings, clients: Clients) -> bool:
    """Whether the credentials at hand may look for owed work, which infra/template.yaml lets workers alone do."""
    from genoferry.ledger.dynamodb import DynamoLedger
    from genoferry.worker.build import deadlines

    try:
        await DynamoLedger(clients.dynamodb, known.table, deadlines(known)).anything_owed()
    except AccessDenied:
        return False
    except ServiceError:
        return True  # of the table another check tells
    return True


def _assumed(known: Settings, role_arn: str) -> Finding:
    """The narrowed session of a job that nobody sends."""
    from genoferry.compute.credentials import assumed_role, session_policy

    try:
        found = assumed_role(role_arn)("genoferry-doctor", session_policy(known, NOBODY, 1))
    except ServiceUnavailable:
        raise
    except ServiceError as error:
        return Finding("fail", WHAT, f"{role_arn} can't be assumed: {said(error)}", LET_ASSUME)
    names = {
        "aws_access_key_id": "AccessKeyId",
        "aws_secret_access_key": "SecretAccessKey",
        "aws_session_token": "SessionToken",
    }
    return _tried(known, ROLE, {name: str(found[key]) for name, key in names.items()})


def _tried(known: Settings, variable: str, keys: Mapping[str, str]) -> Finding:
    """Whose they are, and whether S3 takes them."""
    try:
        with mapped():
            arn = sync_client("sts", **keys).get_caller_identity()["Arn"]
        _read_nothing(known, keys)
    except ServiceUnavailable:
        raise
    except ServiceError as error:
        return Finding("fail", WHAT, f"{variable}: {said(error)}", OTHER_KEYS)
    emulated = os.environ.get("AWS_ENDPOINT_URL") is not None  # its STS knows any key
    return Finding("ok", WHAT, f"{variable}: S3 accepts its keys{'' if emulated else f', they are those of {arn}'}")


def _read_nothing(known: Settings, keys: Mapping[str, str]) -> None:
    """Ask for an object that isn't there. Raises `ServiceError` where S3 doesn't know the keys."""
    try:
        with mapped():
            sync_client("s3", **keys).get_object(Bucket=known.work_bucket, Key=job_key(NOBODY, 1))
    except ServiceUnavailable:
        raise
    except ServiceError as error:
        if any(code in str(error) for code in UNKNOWN_KEYS):
            raise
