"""The roles of infra/template.yaml do what they are for, and no more, on an AWS that enforces IAM.

ministack does so with `AUTH=true`: its own tables say which action each call needs, so a command that makes a new call
fails here until its role allows that.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from typer.main import get_command

from genoferry.cli.app import app
from genoferry.cli.status import NOT_READ
from genoferry.local import emulator, template
from genoferry.local.deploy import Target, deploy, variables
from genoferry.local.ports import Ports
from genoferry.local.processes import end
from genoferry.local.server import await_ready, start
from genoferry.local.tools import ensure_tools
from genoferry.testing.crypt4gh_writer import encrypt, new_key
from genoferry.testing.harness import Harness
from genoferry.testing.waiting import wait_until

ROOT = Path(__file__).parents[2]
HANDLERS, PAYLOADS = ROOT / "tests" / "acceptance" / "handlers", ROOT / "payloads"
CHANGE = "sqs:ChangeMessageVisibility"
"""Is also a batch's action on AWS (Service Authorization Reference, Amazon SQS); ministack has another for that."""
ACCOUNT = {"AWS": "arn:aws:iam::000000000000:root"}


def over_http(source: str) -> str:
    """The template without what denies plain HTTP, since there is no other on loopback, and with a worker role that
    the account may take."""
    document = template.parse(source)
    resources = {name: allowing(resource) for name, resource in document["Resources"].items()}
    trust = resources["WorkerRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    trust.append({"Effect": "Allow", "Principal": ACCOUNT, "Action": "sts:AssumeRole"})
    text = json.dumps(document | {"Resources": {n: r for n, r in resources.items() if r is not None}})
    return text.replace(f'"{CHANGE}"', f'"{CHANGE}", "{CHANGE}Batch"')


def allowing(resource: dict[str, Any]) -> dict[str, Any] | None:
    """A resource as it is; of a policy what it allows, or None where that is nothing."""
    policy = resource["Properties"].get("PolicyDocument")
    if policy:
        policy["Statement"] = [s for s in policy["Statement"] if s["Effect"] == "Allow"]
    return None if policy and not policy["Statement"] else resource


@dataclass(frozen=True)
class Enforcing:
    """`root`: the variables of the account's owner, settings included."""

    outputs: Mapping[str, str]
    root: Mapping[str, str] = field(repr=False)

    def session(self, role: str) -> dict[str, str]:
        """The variables of who has taken a role of the template."""
        taken = self.client("sts", self.root).assume_role(RoleArn=self.outputs[f"{role}Arn"], RoleSessionName="test")
        names = {"AWS_ACCESS_KEY_ID": "AccessKeyId", "AWS_SECRET_ACCESS_KEY": "SecretAccessKey"}
        names |= {"AWS_SESSION_TOKEN": "SessionToken"}
        return dict(self.root) | {name: taken["Credentials"][key] for name, key in names.items()}

    def client(self, service: str, identity: Mapping[str, str]) -> Any:
        return boto3.client(
            service,
            endpoint_url=identity["AWS_ENDPOINT_URL"],
            region_name=identity["AWS_REGION"],
            aws_access_key_id=identity["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=identity["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=identity.get("AWS_SESSION_TOKEN"),
        )


@pytest.fixture(scope="module")
def enforcing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enforcing]:
    folder, ports = tmp_path_factory.mktemp("enforcing"), Ports.free()
    server = emulator.server(folder, ports, ensure_tools().python)
    more = {"AUTH": "true", "SERVICES": f"{emulator.SERVICES},s3"}
    server = replace(server, environment=dict(server.environment) | more)
    process = start(server)
    try:
        await_ready(server, process)
        url = emulator.url(ports)
        aws = {"AWS_ENDPOINT_URL": url, "AWS_REGION": emulator.REGION}
        aws |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        with pytest.MonkeyPatch.context() as patch:
            source = over_http(template.text())
            patch.setattr(template, "text", lambda: source)
            target = Target.of(aws)
            outputs = deploy(target).outputs
        yield Enforcing(outputs, {**aws, **variables(target, outputs), "GENOFERRY_JOB_ROLE_ARN": outputs["JobRoleArn"]})
    finally:
        end({process: emulator.GRACE_SECONDS})


@dataclass(frozen=True)
class Work:
    """What the roles are tried on: the uuid of a job by how it ended, and a dead letter."""

    jobs: Mapping[str, str]
    letter: str


@pytest.fixture(scope="module")
def work(enforcing: Enforcing, tmp_path_factory: pytest.TempPathFactory) -> Work:
    """Done by a worker and jobs that have nothing but their roles."""
    folder = tmp_path_factory.mktemp("work")
    more = {"PYTHONPATH": str(HANDLERS), "GENOFERRY_HANDLER_MODULES": "touch"}
    more |= {name: str(folder) for name in ("GENOFERRY_ALLOW_FILE_ROOTS", "GENOFERRY_ALLOW_KEY_ROOTS")}
    staged = encrypted(folder)
    with Harness(enforcing.session("WorkerRole") | more, folder) as harness, Harness(enforcing.root, folder) as owner:
        harness.worker()
        letter = owner.send_text("no JSON")
        jobs = {state: owner.send(touch(folder / state, ends) | staged) for state, ends in ENDS.items()}
        for state, uuid in jobs.items():
            assert owner.await_done(uuid).state == state
        wait_until(lambda: owner.messages_left() == 0, what="an empty work queue")
    return Work(jobs, letter)


def encrypted(folder: Path) -> dict[str, Any]:
    """A source of one file that is staged in parts, and its key."""
    secret, public = new_key()
    (folder / "key").write_bytes(secret)
    (folder / "a.txt.c4gh").write_bytes(stored := encrypt(b"not a genome\n" * 1_000_000, [public]))
    files = [{"path": "a.txt.c4gh", "size": len(stored)}]
    source = {"type": "file", "root": str(folder), "files": files}
    return {"source": source, "key": {"type": "file", "path": str(folder / "key")}}


ENDS = {"SUCCEEDED": ["ok"], "FAILED": ["fail"]}


def touch(log: Path, ends: list[str]) -> dict[str, Any]:
    score = {"id": "PGS000001", "status": "calculated"}
    text = json.dumps({"scores": [score]})
    return {"name": "Touch", "log": str(log), "ends": ends, "file": "report.json", "text": text}


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(enforcing: Enforcing, tmp_path: Path) -> Run:
    """`genoferry ARGUMENTS` of who has taken a role."""

    def call(role: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        own = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GENOFERRY_LOCAL_DIR": str(tmp_path / "jobs")}
        environment = own | enforcing.session(role)
        command = [sys.executable, "-m", "genoferry", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)

    return call


OPERATORS = (
    "doctor",
    "jobs --json",
    "status {FAILED} --json",
    "status {SUCCEEDED}",
    "follow {SUCCEEDED} --timeout 60",
    "cancel {SUCCEEDED}",
    "dlq list --json",
    "dlq show {LETTER}",
    f"send {PAYLOADS / 'calculate_scores.json'}",
)
NOT_FOR_OPERATORS = {
    "demo", "worker", "local up", "local down", "local status", "local env", "local seed", "job run", "results",
    "stage", "preflight", "render", "schema",
}  # fmt: skip
"""They read genotypes or scores, are a worker's or a job's, or ask no AWS but an embedded one."""


@pytest.mark.parametrize("line", OPERATORS)
def test_operators_may_call_their_commands(line: str, run: Run, work: Work) -> None:
    done = run("OperatorRole", *line.format(**work.jobs, LETTER=work.letter).split())
    assert done.returncode == 0, done.stdout + done.stderr
    assert "AccessDenied" not in done.stdout + done.stderr
    if line.startswith("status {SUCCEEDED}"):
        assert "State: SUCCEEDED" in done.stdout
        assert NOT_READ in " ".join(done.stderr.split())
        assert "PGS000001" not in done.stdout


def test_each_command_is_for_operators_or_not() -> None:
    """A new one has to be put into one of the tables."""
    tables = {name for name in COMMANDS if any(f"{line} ".startswith(f"{name} ") for line in OPERATORS)}
    assert tables | NOT_FOR_OPERATORS == COMMANDS
    assert not tables & NOT_FOR_OPERATORS


def commands(group: Any, prefix: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}"


COMMANDS = set(commands(get_command(app)))


def test_results_are_not_for_operators(run: Run, work: Work, tmp_path: Path) -> None:
    refused = run("OperatorRole", "results", work.jobs["SUCCEEDED"], "--out", str(tmp_path / "out"))
    assert refused.returncode == 5, refused.stderr
    assert not list(tmp_path.rglob("report.json"))


def test_doctor_has_the_workers_role_too(run: Run) -> None:
    """As `helm test` calls it."""
    done = run("WorkerRole", "doctor")
    assert done.returncode == 0, done.stdout


Call = tuple[str, str, Mapping[str, Any]]
DENIED: Mapping[str, Call] = {
    "read a genotype": ("s3", "get_object", {"Bucket": "development-work", "Key": "uuid/1/inputs/0000"}),
    "read a job file": ("s3", "get_object", {"Bucket": "development-work", "Key": "uuid/1/job.json"}),
    "read a score": ("s3", "get_object", {"Bucket": "development-results", "Key": "uuid/1/report.json"}),
    "write an exit report": ("s3", "put_object", {"Bucket": "development-work", "Key": "uuid/1/exit.json"}),
    "change the ledger": ("dynamodb", "put_item", {"TableName": "development-jobs", "Item": {"uuid": {"S": "u"}}}),
    "publish an event": ("sns", "publish", {"TopicArn": "TopicArn", "Message": "{}"}),
    "take a request": ("sqs", "receive_message", {"QueueUrl": "WorkQueueFifoUrl"}),
    "drop a dead letter": ("sqs", "delete_message", {"QueueUrl": "WorkQueueFifoDlqUrl", "ReceiptHandle": "r"}),
    "report for a job": ("sqs", "send_message", {"QueueUrl": "ReportQueueUrl", "MessageBody": "{}"}),
    "read a key": ("secretsmanager", "get_secret_value", {"SecretId": "genoferry/key"}),
    "take the job's role": ("sts", "assume_role", {"RoleArn": "JobRoleArn", "RoleSessionName": "test"}),
}


@pytest.mark.parametrize("deed", DENIED)
def test_operators_may_not(deed: str, enforcing: Enforcing) -> None:
    service, operation, parameters = DENIED[deed]
    for bucket, key in (("work", "inputs/0000"), ("work", "job.json"), ("results", "report.json")):
        name = f"development-{bucket}"
        enforcing.client("s3", enforcing.root).put_object(Bucket=name, Key=f"uuid/1/{key}", Body=b"canary")
    client = enforcing.client(service, enforcing.session("OperatorRole"))
    with pytest.raises(ClientError) as refused:
        getattr(client, operation)(**{n: enforcing.outputs.get(str(v), v) for n, v in parameters.items()})
    assert refused.value.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException", "AuthorizationError")
