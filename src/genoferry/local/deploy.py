"""The template into an endpoint: CloudFormation for all of it, S3's own API for buckets that live elsewhere.

Works the same against the embedded AWS, LocalStack (one endpoint for all) and AWS (no endpoint).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from genoferry.aws.clients import region, sync_client
from genoferry.aws.errors import translate
from genoferry.errors import DeployFailed
from genoferry.local import buckets, template

POLL_SECONDS = 0.05
DEADLINE_SECONDS = 900.0
DONE = ("CREATE_COMPLETE", "UPDATE_COMPLETE")
UNCHANGED = "No updates are to be performed"


@dataclass(frozen=True)
class Target:
    """Where to deploy. Without endpoints and keys: AWS, with what the environment has."""

    deployment: str = "development"
    region: str | None = None
    endpoint: str | None = None
    s3_endpoint: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = field(default=None, repr=False)

    @property
    def split(self) -> bool:
        """Whether S3 is served by another endpoint, so that CloudFormation can't make the buckets."""
        return self.s3_endpoint is not None and self.s3_endpoint != self.endpoint

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Target:
        """The target that an environment's `AWS_…` variables name."""
        return cls(
            deployment=environ.get("GENOFERRY_DEPLOYMENT") or environ.get("CLUSTER_ENV") or "development",
            region=region(environ),
            endpoint=environ.get("AWS_ENDPOINT_URL"),
            s3_endpoint=environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL"),
            access_key_id=environ.get("AWS_ACCESS_KEY_ID"),
            secret_access_key=environ.get("AWS_SECRET_ACCESS_KEY"),
        )

    def client(self, service: str) -> Any:
        endpoint = self.s3_endpoint if service == "s3" else self.endpoint
        given = {
            "region_name": self.region,
            "endpoint_url": endpoint,
            "aws_access_key_id": self.access_key_id,
            "aws_secret_access_key": self.secret_access_key,
        }
        return sync_client(service, **{name: value for name, value in given.items() if value})


@dataclass(frozen=True)
class Deployment:
    """The stack's outputs by name, and what a bucket's S3 server didn't know of the template."""

    outputs: Mapping[str, str]
    unknown_to_s3: tuple[str, ...] = ()


def deploy(target: Target) -> Deployment:
    """Create or update everything; idempotent. Raises `DeployFailed` and the errors of `genoferry.aws`."""
    source = template.text()
    try:
        return _deploy(target, source)
    except (ClientError, BotoCoreError) as error:
        raise translate(error) from error


def variables(target: Target, outputs: Mapping[str, str]) -> dict[str, str]:
    """The settings that name this deployment's resources, for a worker's environment."""
    return {
        "CLUSTER_ENV": target.deployment,
        "GENOFERRY_DEPLOYMENT": target.deployment,
        "WORK_QUEUE": outputs["WorkQueueFifoUrl"],
        "GENOFERRY_REPORT_QUEUE": outputs["ReportQueueUrl"],
        "GENOFERRY_TOPIC_ARN": outputs["TopicArn"],
        "GENOFERRY_TABLE": outputs["TableName"],
        "GENOFERRY_WORK_BUCKET": outputs["WorkBucketName"],
        "GENOFERRY_RESULTS_BUCKET": outputs["ResultsBucketName"],
    }


def _deploy(target: Target, source: str) -> Deployment:
    cloudformation = target.client("cloudformation")
    _put_stack(cloudformation, target, source)
    outputs = _await_stack(cloudformation, target.deployment)
    document = template.parse(source)
    _enable_time_to_live(target.client("dynamodb"), outputs["TableName"], template.time_to_live(document))
    return Deployment(outputs, _make_buckets(target, document, outputs) if target.split else ())


def _put_stack(cloudformation: Any, target: Target, source: str) -> None:
    values = {
        "DeploymentId": target.deployment,
        "GlobalBucketNames": str(target.endpoint is None).lower(),
        "CreateBuckets": str(not target.split).lower(),
    }
    stack = {
        "StackName": target.deployment,
        "TemplateBody": source,
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()],
        "Capabilities": ["CAPABILITY_IAM"],
    }
    try:
        cloudformation.create_stack(**stack)
    except cloudformation.exceptions.AlreadyExistsException:
        _update_stack(cloudformation, stack)


def _update_stack(cloudformation: Any, stack: Mapping[str, Any]) -> None:
    try:
        cloudformation.update_stack(**stack)
    except ClientError as error:
        if UNCHANGED not in str(error):
            raise


def _await_stack(cloudformation: Any, name: str) -> dict[str, str]:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        if not stack["StackStatus"].endswith("IN_PROGRESS"):
            return _outputs(cloudformation, stack)
        time.sleep(POLL_SECONDS)
    raise DeployFailed(f"The stack {name} is still in progress after {DEADLINE_SECONDS:.0f} s.")


def _outputs(cloudformation: Any, stack: Mapping[str, Any]) -> dict[str, str]:
    if stack["StackStatus"] in DONE:
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    events = cloudformation.describe_stack_events(StackName=stack["StackName"])["StackEvents"]
    causes = [
        f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}"
        for event in events
        if event["ResourceStatus"].endswith("FAILED")
    ]
    raise DeployFailed(f"The stack {stack['StackName']} ended in {stack['StackStatus']}. {'; '.join(causes[:5])}")


def _enable_time_to_live(dynamodb: Any, table: str, attribute: str) -> None:
    """The emulator's CloudFormation ignores it; where it is on already, nothing is done."""
    found = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]["TimeToLiveStatus"]
    if found not in ("ENABLED", "ENABLING"):
        wanted = {"Enabled": True, "AttributeName": attribute}
        dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=wanted)


def _make_buckets(target: Target, document: Mapping[str, Any], outputs: Mapping[str, str]) -> tuple[str, ...]:
    s3, region = target.client("s3"), target.region or "us-east-1"
    unknown = [
        setting
        for bucket in template.BUCKETS
        for setting in buckets.make(s3, outputs[f"{bucket}Name"], template.properties(document, bucket), region)
    ]
    return tuple(dict.fromkeys(unknown))
