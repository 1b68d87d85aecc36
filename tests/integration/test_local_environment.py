"""`genoferry local` against its real servers."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
from awscrt.checksums import crc64nvme
from botocore.config import Config
from botocore.exceptions import ClientError

from genoferry.errors import LocalError, LocalNotUp
from genoferry.local import record
from genoferry.local.environment import Environment, down, env, status, up
from genoferry.local.ports import Ports
from genoferry.local.processes import Process, alive, end

MIB = 1024**2


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    state = tmp_path_factory.mktemp("local")
    yield up(state)
    down(state)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Environment]:
    """One that the test may break."""
    yield up(tmp_path / "state")
    down(tmp_path / "state")


@pytest.fixture
def clients(running: Environment) -> Iterator[Any]:
    made = []

    def client(service: str, identity: str = "AWS") -> Any:
        values = running.variables
        made.append(
            boto3.client(
                service,
                endpoint_url=values["AWS_ENDPOINT_URL_S3" if service == "s3" else "AWS_ENDPOINT_URL"],
                aws_access_key_id=values[f"{identity}_ACCESS_KEY_ID"],
                aws_secret_access_key=values[f"{identity}_SECRET_ACCESS_KEY"],
                region_name=values["AWS_REGION"],
                config=Config(retries={"total_max_attempts": 1}),
            )
        )
        return made[-1]

    yield client
    for used in made:
        used.close()


def pids(state: Path) -> dict[str, int]:
    return {server.name: server.pid for server in status(state).servers if server.pid}


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    found: str = error.value.response["Error"]["Code"]
    return found


def test_up_again_changes_nothing(running: Environment) -> None:
    before = pids(running.state)
    assert up(running.state) == running
    assert pids(running.state) == before
    assert len(before) == 2


def test_two_ups_at_once_start_one(tmp_path: Path) -> None:
    try:
        with ThreadPoolExecutor(2) as pool:
            first, second = pool.map(up, [tmp_path, tmp_path])
        assert first == second
        assert len(pids(tmp_path)) == 2
    finally:
        down(tmp_path)


def test_only_loopback_listens_and_only_on_the_ports_chosen(running: Environment) -> None:
    found = record.load(running.state)
    assert found is not None
    listening = [
        connection.laddr
        for pid in pids(running.state).values()
        for connection in psutil.Process(pid).net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert {address.ip for address in listening} == {"127.0.0.1"}
    assert {address.port for address in listening} == set(found.ports.dump().values())


def test_nobody_else_can_read_the_state(running: Environment) -> None:
    secrets = [running.state / record.FILE, running.state / "seaweedfs" / "identities.json"]
    assert {path.stat().st_mode & 0o777 for path in secrets} == {0o600}
    assert running.variables["AWS_SECRET_ACCESS_KEY"] not in repr(running) + repr(record.load(running.state))


def test_env_is_what_up_returned(running: Environment) -> None:
    assert env(running.state) == running.variables


@pytest.mark.parametrize("name", ["ministack", "seaweedfs"])
def test_what_was_killed_is_started_again(own: Environment, name: str) -> None:
    before = pids(own.state)
    os.kill(before[name], signal.SIGKILL)
    psutil.wait_procs([psutil.Process(before[name])] if psutil.pid_exists(before[name]) else [], timeout=10)
    assert not status(own.state).up
    with pytest.raises(LocalNotUp):
        env(own.state)
    assert up(own.state) == own
    after = pids(own.state)
    assert {server for server in before if before[server] != after[server]} == {name}
    assert status(own.state).up


def test_down_ends_all_and_keeps_the_data(own: Environment) -> None:
    keys = {
        "aws_access_key_id": own.variables["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": own.variables["AWS_SECRET_ACCESS_KEY"],
        "region_name": "us-east-1",
    }
    s3 = boto3.client("s3", endpoint_url=own.s3_endpoint, **keys)
    sqs = boto3.client("sqs", endpoint_url=own.endpoint, **keys)
    bucket = own.variables["GENOFERRY_WORK_BUCKET"]
    s3.put_object(Bucket=bucket, Key="kept", Body=b"kept")
    sqs.send_message(QueueUrl=own.variables["GENOFERRY_REPORT_QUEUE"], MessageBody="kept")
    before = pids(own.state)
    sockets = set(Path("/tmp").glob("seaweedfs-*-grpc-*.sock"))
    down(own.state)
    down(own.state)
    assert not any(psutil.pid_exists(pid) for pid in before.values())
    found = record.load(own.state)
    assert found is not None
    assert not [path for path in sockets if path.exists() and str(found.ports.s3_grpc) in path.name]
    assert up(own.state) == own
    assert s3.get_object(Bucket=bucket, Key="kept")["Body"].read() == b"kept"
    (message,) = sqs.receive_message(QueueUrl=own.variables["GENOFERRY_REPORT_QUEUE"])["Messages"]
    assert message["Body"] == "kept"
    s3.close()
    sqs.close()


def test_a_stranger_with_a_recorded_pid_is_left_alone() -> None:
    me = psutil.Process()
    stranger = Process(me.pid, me.create_time() - 3600)
    assert not alive(stranger)
    end({stranger: 0.1})
    assert alive(Process(me.pid, me.create_time()))


def test_a_chosen_port_that_is_taken_is_an_error(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        with pytest.raises(LocalError, match="Another program listens on port"):
            up(tmp_path, ports=Ports.free(aws=holder.getsockname()[1]))
    assert pids(tmp_path) == {}


def test_nothing_to_show_before_up(tmp_path: Path) -> None:
    assert status(tmp_path).servers == ()
    with pytest.raises(LocalNotUp):
        env(tmp_path)
    down(tmp_path)


def test_a_message_in_and_out(clients: Any, running: Environment) -> None:
    sqs, queue = clients("sqs"), running.variables["WORK_QUEUE"]
    body = str(uuid.uuid4())
    sqs.send_message(QueueUrl=queue, MessageBody=body, MessageGroupId="g")
    (message,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    assert message["Body"] == body
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert attributes["MessageRetentionPeriod"] == str(14 * 86400)
    assert json.loads(attributes["RedrivePolicy"])["maxReceiveCount"] == 20


def test_a_subscriber_with_raw_delivery_and_a_filter_gets_what_it_asked_for(clients: Any, running: Environment) -> None:
    sqs, sns, topic = clients("sqs"), clients("sns"), running.variables["GENOFERRY_TOPIC_ARN"]
    queue = sqs.create_queue(QueueName=f"subscriber-{uuid.uuid4()}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    wanted = {"RawMessageDelivery": "true", "FilterPolicy": json.dumps({"experimentId": ["mine"]})}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=wanted)
    for experiment in ("other", "mine"):
        attributes = {"experimentId": {"DataType": "String", "StringValue": experiment}}
        sns.publish(TopicArn=topic, Message=json.dumps({"for": experiment}), MessageAttributes=attributes)
    received = sqs.receive_message(
        QueueUrl=queue, WaitTimeSeconds=5, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    )["Messages"]
    assert [json.loads(message["Body"]) for message in received] == [{"for": "mine"}]
    assert received[0]["MessageAttributes"]["experimentId"]["StringValue"] == "mine"


def test_the_table_is_the_templates(clients: Any, running: Environment) -> None:
    dynamodb, table = clients("dynamodb"), running.variables["GENOFERRY_TABLE"]
    ttl = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}
    dynamodb.put_item(TableName=table, Item={"uuid": {"S": "owed"}, "shard": {"N": "3"}, "due_at": {"N": "7"}})
    dynamodb.put_item(TableName=table, Item={"uuid": {"S": "settled"}})
    found = dynamodb.query(
        TableName=table,
        IndexName="owed",
        KeyConditionExpression="#shard = :s AND due_at <= :d",
        ExpressionAttributeNames={"#shard": "shard"},
        ExpressionAttributeValues={":s": {"N": "3"}, ":d": {"N": "7"}},
    )["Items"]
    assert [item["uuid"]["S"] for item in found] == ["owed"]
    assert dynamodb.scan(TableName=table, IndexName="owed")["Count"] == 1


def test_the_buckets_are_the_templates(clients: Any, running: Environment) -> None:
    s3 = clients("s3")
    for variable, days in (("GENOFERRY_WORK_BUCKET", 14), ("GENOFERRY_RESULTS_BUCKET", 7)):
        bucket = running.variables[variable]
        rules = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
        assert [r["Expiration"]["Days"] for r in rules if "Expiration" in r] == [days]
        aborts = [r["AbortIncompleteMultipartUpload"] for r in rules if "AbortIncompleteMultipartUpload" in r]
        assert aborts == [{"DaysAfterInitiation": 7}]
        assert s3.put_object(Bucket=bucket, Key="sealed", Body=b"x")["ServerSideEncryption"] == "AES256"
        s3.delete_object(Bucket=bucket, Key="sealed")


def checksum(data: bytes, previous: int = 0) -> str:
    return base64.b64encode(crc64nvme(data, previous).to_bytes(8, "big")).decode()


def upload(s3: Any, bucket: str, key: str, parts: list[bytes], whole: str, **complete: Any) -> None:
    created = s3.create_multipart_upload(
        Bucket=bucket, Key=key, ChecksumAlgorithm="CRC64NVME", ChecksumType="FULL_OBJECT"
    )
    target = {"Bucket": bucket, "Key": key, "UploadId": created["UploadId"]}
    done = [
        {
            "PartNumber": number,
            "ETag": s3.upload_part(**target, PartNumber=number, Body=part, ChecksumCRC64NVME=checksum(part))["ETag"],
            "ChecksumCRC64NVME": checksum(part),
        }
        for number, part in enumerate(parts, 1)
    ]
    s3.complete_multipart_upload(
        **target, MultipartUpload={"Parts": done}, ChecksumCRC64NVME=whole, ChecksumType="FULL_OBJECT", **complete
    )


def test_s3_checks_checksums_and_conditions(clients: Any, running: Environment) -> None:
    s3, bucket = clients("s3"), running.variables["GENOFERRY_WORK_BUCKET"]
    parts = [os.urandom(5 * MIB), os.urandom(5 * MIB), b"end"]
    whole = checksum(b"".join(parts))
    upload(s3, bucket, "whole", parts, whole, IfNoneMatch="*")
    head = s3.head_object(Bucket=bucket, Key="whole", ChecksumMode="ENABLED")
    assert (head["ChecksumCRC64NVME"], head["ChecksumType"]) == (whole, "FULL_OBJECT")
    with pytest.raises(ClientError) as again:
        upload(s3, bucket, "whole", parts, whole, IfNoneMatch="*")
    with pytest.raises(ClientError) as wrong:
        upload(s3, bucket, "wrong", parts, checksum(b"another"))
    assert (code(again), code(wrong)) == ("PreconditionFailed", "BadDigest")
    ranged = s3.get_object(Bucket=bucket, Key="whole", Range=f"bytes={5 * MIB - 2}-{5 * MIB + 1}", IfMatch=head["ETag"])
    assert ranged["Body"].read() == parts[0][-2:] + parts[1][:2]
    with pytest.raises(ClientError) as changed:
        s3.get_object(Bucket=bucket, Key="whole", Range="bytes=0-1", IfMatch='"another"')
    assert code(changed) == "PreconditionFailed"


def test_the_jobs_identity_has_the_jobs_rights(clients: Any, running: Environment) -> None:
    s3, job = clients("s3"), clients("s3", "GENOFERRY_JOB_AWS")
    work, results = running.variables["GENOFERRY_WORK_BUCKET"], running.variables["GENOFERRY_RESULTS_BUCKET"]
    s3.create_bucket(Bucket="private")
    s3.put_object(Bucket="private", Key="a", Body=b"private")
    job.put_object(Bucket=results, Key="a/1/scores", Body=b"1", IfNoneMatch="*")
    job.put_object(Bucket=work, Key="a/1/started", Body=b"1", IfNoneMatch="*")
    assert job.get_object(Bucket=work, Key="a/1/started")["Body"].read() == b"1"
    refused = {
        "another bucket": lambda: job.get_object(Bucket="private", Key="a"),
        "read results": lambda: job.get_object(Bucket=results, Key="a/1/scores"),
        "make buckets": lambda: job.create_bucket(Bucket="of-the-job"),
    }
    for call in refused.values():
        with pytest.raises(ClientError) as denied:
            call()
        assert code(denied) == "AccessDenied"
