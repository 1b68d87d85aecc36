"""A local job's environment and credentials: as little as it needs, and nothing of the worker's own.

The credentials stand in the job's folder, readable by its owner. Against the embedded AWS they are a static identity.
Elsewhere they are a role's session, narrowed by a policy to this job's objects and the report queue (design, section
6); the worker renews them while the job runs, and the job's SDK reads them again before they expire, since it gets
them by `credential_process`.
"""

from __future__ import annotations

import json
import os
import shlex
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genoferry.aws.clients import REGION_NAMES, region, sync_client
from genoferry.aws.errors import mapped
from genoferry.errors import ServiceError, SubmitFailed, SubmitUnavailable
from genoferry.settings import NextflowSettings, Settings

PASSED_ON = (
    "PATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REGION",
    "AWS_DEFAULT_REGION", "AWS_CA_BUNDLE", "PYTHONPATH", "JAVA_HOME", "JAVA_CMD", "KUBECONFIG", "DOCKER_HOST",
    "XDG_RUNTIME_DIR", "GENOFERRY_HANDLER_MODULES", "GENOFERRY_SCORE_MIRROR", "GENOFERRY_ENGINE", "GENOFERRY_LOG_LEVEL",
)  # fmt: skip
PASSED_ON_PREFIXES = ("GENOFERRY_NEXTFLOW_", "NXF_", "SINGULARITY_", "APPTAINER_")
"""Variables of the worker that a job gets too. None holds a secret."""

SESSION_SECONDS = 3600
"""The most that a role gives a session which was itself begun with a role's credentials (AWS STS, role chaining)."""

Session = Callable[[str, dict[str, Any]], Mapping[str, Any]]
"""From a session name and a policy to the `Credentials` of AssumeRole's answer. Raises `ServiceError`s."""


@dataclass(frozen=True)
class JobCredentials:
    """Makes a job's environment, and keeps its session alive."""

    settings: Settings
    session: Session
    time: Callable[[], float] = time.time

    def environment(self, uuid: str, attempt: int, folder: Path) -> Mapping[str, str]:
        """The job's whole environment, its credentials written into `folder`. Raises `SubmitFailed`."""
        own = {n: value for n, value in os.environ.items() if n in PASSED_ON or n.startswith(PASSED_ON_PREFIXES)}
        # a job has another HOME, and Nextflow is in this one
        own.setdefault("NXF_HOME", str(Path.home() / ".nextflow"))
        if named := region(os.environ):
            own |= dict.fromkeys(REGION_NAMES, named)  # a handler's tools may read either
        return own | self._credentials(uuid, attempt, folder) | {
            "HOME": str(folder),
            "TMPDIR": str(folder / "scratch"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "GENOFERRY_SCRATCH": str(folder / "scratch"),
            "GENOFERRY_LOG_FORMAT": "json",
        }  # fmt: skip

    def renew(self, uuid: str, attempt: int, folder: Path) -> None:
        """Called while the job runs: a new session when half of the old one is over. Raises `SubmitFailed`."""
        with suppress(FileNotFoundError):  # a static identity needs no renewal
            age = self.time() - (folder / "session.json").stat().st_mtime
            if age > SESSION_SECONDS / 2:
                self._write_session(uuid, attempt, folder)

    def _credentials(self, uuid: str, attempt: int, folder: Path) -> dict[str, str]:
        compute = self.settings.compute
        if compute.job_aws_access_key_id and compute.job_aws_secret_access_key:
            secret = compute.job_aws_secret_access_key.get_secret_value()
            keys = {"aws_access_key_id": compute.job_aws_access_key_id, "aws_secret_access_key": secret}
            write_private(folder / "credentials", _ini(keys))
            return {"AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials")}
        self._write_session(uuid, attempt, folder)
        process = f"cat {shlex.quote(str(folder / 'session.json'))}"
        write_private(folder / "config", _ini({"credential_process": process}))
        return {"AWS_CONFIG_FILE": str(folder / "config")}

    def _write_session(self, uuid: str, attempt: int, folder: Path) -> None:
        if self.settings.compute.job_role_arn is None:
            raise SubmitFailed(
                "Local jobs have no credentials: set GENOFERRY_JOB_ROLE_ARN, or GENOFERRY_JOB_AWS_ACCESS_KEY_ID and"
                " GENOFERRY_JOB_AWS_SECRET_ACCESS_KEY."
            )
        try:
            found = self.session(f"{uuid}-{attempt}", session_policy(self.settings, uuid, attempt))
        except ServiceError as error:
            kind = SubmitUnavailable if error.retryable else SubmitFailed
            raise kind(f"The job's role could not be assumed: {error}") from error
        names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
        document = {"Version": 1, "Expiration": str(found["Expiration"])} | {name: found[name] for name in names}
        write_private(folder / "session.json", json.dumps(document))


def assumed_role(role_arn: str | None) -> Session:
    """Sessions of that role, from STS."""

    def session(name: str, policy: dict[str, Any]) -> Mapping[str, Any]:
        with mapped():
            answer = sync_client("sts").assume_role(
                RoleArn=role_arn, RoleSessionName=name, Policy=json.dumps(policy), DurationSeconds=SESSION_SECONDS
            )
        credentials: dict[str, Any] = answer["Credentials"]
        return credentials | {"Expiration": credentials["Expiration"].isoformat()}

    return session


def session_policy(settings: Settings, uuid: str, attempt: int) -> dict[str, Any]:
    """What one job may do: read its request's objects, write its attempt's, report."""
    work, results = (f"arn:aws:s3:::{b}/{uuid}" for b in (settings.work_bucket, settings.results_bucket))
    queue = settings.report_queue.rsplit("/", 1)[-1]
    shared = _workspace_statements(settings, uuid) if settings.nextflow.bucket_workspaces else []
    shared += _pipeline_statements(settings.nextflow.pipeline)
    shared += _batch_statements(settings.nextflow)
    return {
        "Version": "2012-10-17",
        "Statement": [
            *shared,
            {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [f"{work}/*"]},
            {
                "Effect": "Allow",
                "Action": ["s3:PutObject", "s3:AbortMultipartUpload"],
                "Resource": [f"{work}/{attempt}/*", f"{results}/{attempt}/*"],
            },
            {"Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": [f"arn:aws:sqs:*:*:{queue}"]},
            {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": ["*"]},
        ],
    }


def _workspace_statements(settings: Settings, uuid: str) -> list[dict[str, Any]]:
    """Nextflow's work dir and cache in the work bucket, which all attempts share."""
    bucket = f"arn:aws:s3:::{settings.work_bucket}"
    prefix = f"{uuid}/*/workspace/*"
    actions = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    return [
        {"Effect": "Allow", "Action": actions, "Resource": [f"{bucket}/{prefix}"]},
        {
            "Effect": "Allow",
            "Action": ["s3:ListBucket"],
            "Resource": [bucket],
            "Condition": {"StringLike": {"s3:prefix": [prefix]}},
        },
    ]


def _pipeline_statements(pipeline: str) -> list[dict[str, Any]]:
    """A pipeline that is kept in a bucket."""
    if not pipeline.startswith("s3://"):
        return []
    bucket, _, prefix = pipeline.removeprefix("s3://").rstrip("/").partition("/")
    below = {"StringLike": {"s3:prefix": [f"{prefix}/*"]}}
    return [
        {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [f"arn:aws:s3:::{bucket}/{prefix}/*"]},
        {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": [f"arn:aws:s3:::{bucket}"], "Condition": below},
    ]


BATCH_ACTIONS = (
    "batch:SubmitJob", "batch:DescribeJobs", "batch:ListJobs", "batch:CancelJob", "batch:TerminateJob",
    "batch:TagResource", "batch:DescribeJobQueues", "batch:DescribeJobDefinitions", "batch:RegisterJobDefinition",
    "batch:DescribeComputeEnvironments", "ecs:DescribeTasks", "ecs:DescribeContainerInstances",
    "ec2:DescribeInstances", "ec2:DescribeInstanceTypes", "logs:GetLogEvents",
)  # fmt: skip
"""What Nextflow's executor does (its documentation, "AWS Cloud: AWS Batch")."""


def _batch_statements(site: NextflowSettings) -> list[dict[str, Any]]:
    if site.executor != "awsbatch":
        return []
    found: list[dict[str, Any]] = [{"Effect": "Allow", "Action": list(BATCH_ACTIONS), "Resource": ["*"]}]
    if site.job_role:
        found.append({"Effect": "Allow", "Action": ["iam:PassRole"], "Resource": [site.job_role]})
    return found


def _ini(values: Mapping[str, str]) -> str:
    return "\n".join(["[default]", *(f"{name} = {value}" for name, value in values.items()), ""])


def write_private(path: Path, text: str) -> None:
    """Readable by its owner alone from the first byte on, and there whole or not at all."""
    scratch = path.with_name(f"{path.name}.new")
    scratch.unlink(missing_ok=True)
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    scratch.replace(path)
