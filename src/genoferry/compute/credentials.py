"""A local job's environment and credentials: as little as it needs, and nothing of the worker's own.

The credentials stand in a file of the job's folder (0600). Against the embedded AWS they are a static identity;
elsewhere a role's session, narrowed by a policy to this job's objects and the report queue (design, section 6).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from genoferry.aws.clients import sync_client
from genoferry.aws.errors import mapped
from genoferry.compute.protocol import JobSpec
from genoferry.errors import ServiceError, SubmitFailed
from genoferry.settings import Settings

PASSED_ON = (
    "PATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REGION",
    "AWS_DEFAULT_REGION", "AWS_CA_BUNDLE", "PYTHONPATH", "GENOFERRY_HANDLER_MODULES", "GENOFERRY_SCORE_MIRROR",
)  # fmt: skip
"""Variables of the worker that a job gets too. None holds a secret."""

SESSION_SECONDS = 12 * 3600


def job_environment(settings: Settings) -> Callable[[JobSpec, Path], Mapping[str, str]]:
    """Makes a job's whole environment, its credentials file written into the job's folder."""

    def make(spec: JobSpec, folder: Path) -> Mapping[str, str]:
        credentials = folder / "credentials"
        _write_private(credentials, credentials_file(settings, spec))
        own = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        return own | {
            "HOME": str(folder),
            "TMPDIR": str(folder / "scratch"),
            "AWS_SHARED_CREDENTIALS_FILE": str(credentials),
            "AWS_EC2_METADATA_DISABLED": "true",
            "GENOFERRY_SCRATCH": str(folder / "scratch"),
            "GENOFERRY_LOG_FORMAT": "json",
        }

    return make


def credentials_file(settings: Settings, spec: JobSpec) -> str:
    """The text of the job's AWS credentials file. Raises `SubmitFailed` where none can be had."""
    compute = settings.compute
    if compute.job_aws_access_key_id and compute.job_aws_secret_access_key:
        secret = compute.job_aws_secret_access_key.get_secret_value()
        return _ini({"aws_access_key_id": compute.job_aws_access_key_id, "aws_secret_access_key": secret})
    if compute.job_role_arn is None:
        raise SubmitFailed(
            "Local jobs have no credentials: set GENOFERRY_JOB_ROLE_ARN, or GENOFERRY_JOB_AWS_ACCESS_KEY_ID and"
            " GENOFERRY_JOB_AWS_SECRET_ACCESS_KEY."
        )
    try:
        with mapped():
            session = sync_client("sts").assume_role(
                RoleArn=compute.job_role_arn,
                RoleSessionName=spec.name[:64],
                Policy=json.dumps(session_policy(settings, spec)),
            )["Credentials"]
    except ServiceError as error:
        raise SubmitFailed(f"The job's role could not be assumed: {error}") from error
    return _ini(
        {
            "aws_access_key_id": session["AccessKeyId"],
            "aws_secret_access_key": session["SecretAccessKey"],
            "aws_session_token": session["SessionToken"],
        }
    )


def session_policy(settings: Settings, spec: JobSpec) -> dict[str, Any]:
    """What one job may do: read its request's objects, write its attempt's, report."""
    work, results = (f"arn:aws:s3:::{b}/{spec.uuid}" for b in (settings.work_bucket, settings.results_bucket))
    queue = settings.report_queue.rsplit("/", 1)[-1]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [f"{work}/*"]},
            {
                "Effect": "Allow",
                "Action": ["s3:PutObject", "s3:AbortMultipartUpload"],
                "Resource": [f"{work}/{spec.attempt}/*", f"{results}/{spec.attempt}/*"],
            },
            {"Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": [f"arn:aws:sqs:*:*:{queue}"]},
            {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": ["*"]},
        ],
    }


def _ini(values: Mapping[str, str]) -> str:
    return "\n".join(["[default]", *(f"{name} = {value}" for name, value in values.items()), ""])


def _write_private(path: Path, text: str) -> None:
    """Readable by its owner from the first byte on."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
