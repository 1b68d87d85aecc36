"""The worked example of docs/howto/add-a-handler.md, run as it stands: one new file, one real worker, one result."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import uuid
from pathlib import Path

import boto3

from genoferry.testing.crypt4gh_writer import encrypt, new_key

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "add-a-handler.md"
PLAIN = b"not a genome\n" * 10_000


def test_the_worked_example_runs(local_aws: dict[str, str], tmp_path: Path) -> None:
    code = re.search(r"```python\n(# checksum_files\.py\n.*?)```", PAGE.read_text(), re.S)
    assert code is not None
    (tmp_path / "checksum_files.py").write_text(code[1])
    secret, public = new_key()
    stored = encrypt(PLAIN, [public])
    (tmp_path / "a.txt.c4gh").write_bytes(stored)
    (tmp_path / "key").write_bytes(secret)
    environment = (
        os.environ
        | local_aws
        | {
            "PYTHONPATH": str(tmp_path),
            "GENOFERRY_HANDLER_MODULES": "checksum_files",
            "GENOFERRY_ALLOW_FILE_ROOTS": str(tmp_path),
            "GENOFERRY_ALLOW_KEY_ROOTS": str(tmp_path),
            "GENOFERRY_LOCAL_DIR": str(tmp_path / "jobs"),
            "GENOFERRY_WORKER_TICK_SECONDS": "0.1",
            "GENOFERRY_WORKER_WATCH_SECONDS": "0.3",
            "GENOFERRY_QUEUE_WAIT_SECONDS": "1",
        }
    )
    events = _subscribed_queue(environment)
    request = {
        "uuid": str(uuid.uuid4()),
        "experimentId": "docs",
        "body": {
            "name": "ChecksumFiles",
            "run_id": "example",
            "source": {
                "type": "file",
                "root": str(tmp_path),
                "files": [{"path": "a.txt.c4gh", "size": len(stored)}],
            },
            "key": {"type": "file", "path": str(tmp_path / "key")},
        },
    }
    _client("sqs", environment).send_message(
        QueueUrl=environment["WORK_QUEUE"],
        MessageBody=json.dumps(request),
        MessageGroupId="docs",
        MessageDeduplicationId=request["uuid"],
    )
    subprocess.run([sys.executable, "-m", "genoferry", "worker", "--drain"], env=environment, check=True, timeout=60)
    result = _receive(environment, events, request["uuid"])
    body = base64.b64decode(result["results"][0]["body"]).decode()
    assert result["results"][0]["type"] == "inline"
    assert body == f"{hashlib.sha256(PLAIN).hexdigest()}  a.txt\n"


def _client(service: str, environment: dict[str, str]):  # type: ignore[no-untyped-def]
    return boto3.client(
        service,
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_REGION"],
    )


def _subscribed_queue(environment: dict[str, str]) -> str:
    sqs, sns = _client("sqs", environment), _client("sns", environment)
    url: str = sqs.create_queue(QueueName=f"docs-{uuid.uuid4()}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(
        TopicArn=environment["GENOFERRY_TOPIC_ARN"],
        Protocol="sqs",
        Endpoint=arn,
        Attributes={"RawMessageDelivery": "true", "FilterPolicy": json.dumps({"event": ["Result"]})},
    )
    return url


def _receive(environment: dict[str, str], url: str, job: str) -> dict:  # type: ignore[type-arg]
    sqs = _client("sqs", environment)
    for _ in range(10):
        for message in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=2).get("Messages", ()):
            found = json.loads(message["Body"])
            if found["uuid"] == job:
                return found
    raise AssertionError("no Result came")
