"""infra/template.yaml: what no emulator shows is asserted on the document."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from genoferry.local import buckets, template

PATH = Path(__file__).parents[2] / "infra" / "template.yaml"
QUEUES = ("WorkQueueFifo", "WorkQueue", "ReportQueue")
DAY = 86400


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return template.parse(PATH.read_text())


def of_type(document: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {name: r["Properties"] for name, r in document["Resources"].items() if r["Type"] == kind}


def statements(policy: dict[str, Any]) -> list[dict[str, Any]]:
    return policy["PolicyDocument"]["Statement"]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_cfn_lint_finds_nothing() -> None:
    lint = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([lint, PATH], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_it_is_the_one_that_is_deployed() -> None:
    assert template.text() == PATH.read_text()


def test_the_key_lets_sns_and_eventbridge_use_it_for_this_account_only(document: dict[str, Any]) -> None:
    policy = template.properties(document, "Key")["KeyPolicy"]["Statement"]
    services = {s["Principal"]["Service"]: s for s in policy if "Service" in s["Principal"]}
    assert set(services) == {"sns.amazonaws.com", "events.amazonaws.com"}
    for statement in services.values():
        assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
        assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    assert template.properties(document, "Key")["EnableKeyRotation"] is True


def test_every_queue_keeps_14_days_and_is_encrypted_with_the_key(document: dict[str, Any]) -> None:
    queues = of_type(document, "AWS::SQS::Queue")
    assert set(queues) == {name + end for name in QUEUES for end in ("", "Dlq")}
    for properties in queues.values():
        assert properties["MessageRetentionPeriod"] == 14 * DAY
        assert properties["KmsMasterKeyId"] == {"Fn::GetAtt": ["Key", "Arn"]}


@pytest.mark.parametrize("name", QUEUES)
def test_redrive_is_the_backstop(document: dict[str, Any], name: str) -> None:
    queue, dead = (template.properties(document, name + end) for end in ("", "Dlq"))
    assert queue["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": [f"{name}Dlq", "Arn"]},
        "maxReceiveCount": 20,
    }
    assert queue.get("FifoQueue") == dead.get("FifoQueue")
    allowed = dead["RedriveAllowPolicy"]
    assert allowed["redrivePermission"] == "byQueue"
    assert [arn["Fn::Sub"].rpartition(":")[2] for arn in allowed["sourceQueueArns"]] == [queue["QueueName"]["Fn::Sub"]]


def test_the_names_that_the_settings_default_to(document: dict[str, Any]) -> None:
    names = {
        name: template.properties(document, name)[key]["Fn::Sub"].replace("${DeploymentId}", "development")
        for name, key in {
            "WorkQueueFifo": "QueueName",
            "WorkQueue": "QueueName",
            "ReportQueue": "QueueName",
            "Topic": "TopicName",
            "Table": "TableName",
        }.items()
    }
    assert names == {
        "WorkQueueFifo": "development-queue.fifo",
        "WorkQueue": "development-queue",
        "ReportQueue": "development-reports",
        "Topic": "development-events",
        "Table": "development-jobs",
    }


TLS_ONLY = {"Bool": {"aws:SecureTransport": "false"}}


@pytest.mark.parametrize(
    ("kind", "policy_kind", "key", "action"),
    [
        ("AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "Queues", "sqs:*"),
        ("AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "Topics", "sns:Publish"),
        ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "Bucket", "s3:*"),
    ],
)
def test_tls_only(document: dict[str, Any], kind: str, policy_kind: str, key: str, action: str) -> None:
    covered = set()
    for policy in of_type(document, policy_kind).values():
        denied = [s for s in statements(policy) if s["Effect"] == "Deny"]
        assert [(s["Principal"], s["Action"], s["Condition"]) for s in denied] == [("*", action, TLS_ONLY)]
        covered |= {target["Ref"] for target in as_list(policy[key])}
    assert covered == set(of_type(document, kind))


def test_a_service_may_send_only_from_the_rule_that_the_template_makes(document: dict[str, Any]) -> None:
    allowed = {
        name: [s for s in statements(policy) if s["Effect"] == "Allow"]
        for name, policy in of_type(document, "AWS::SQS::QueuePolicy").items()
    }
    assert {name for name, found in allowed.items() if found} == {"ReportQueuePolicy", "ReportQueueDlqPolicy"}
    for statement in (s for found in allowed.values() for s in found):
        assert statement["Principal"] == {"Service": "events.amazonaws.com"}
        assert statement["Action"] == "sqs:SendMessage"
        assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["BatchStateChanges", "Arn"]}}}


@pytest.mark.parametrize(("name", "days"), [("WorkBucket", 14), ("ResultsBucket", 7)])
def test_buckets(document: dict[str, Any], name: str, days: int) -> None:
    properties = template.properties(document, name)
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(properties["PublicAccessBlockConfiguration"]) == 4
    (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": "aws:kms",
        "KMSMasterKeyID": {"Fn::GetAtt": ["Key", "Arn"]},
    }
    rules = properties["LifecycleConfiguration"]["Rules"]
    assert {r["Status"] for r in rules} == {"Enabled"}
    assert [r["ExpirationInDays"] for r in rules if "ExpirationInDays" in r] == [days]
    assert [r["AbortIncompleteMultipartUpload"] for r in rules if "AbortIncompleteMultipartUpload" in r] == [
        {"DaysAfterInitiation": 7}
    ]
    assert "VersioningConfiguration" not in properties


def test_lifecycle_in_the_words_of_the_s3_api(document: dict[str, Any]) -> None:
    assert buckets.lifecycle(template.properties(document, "WorkBucket")) == {
        "Rules": [
            {"ID": "expire", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 14}},
            {
                "ID": "unfinished-uploads",
                "Status": "Enabled",
                "Filter": {"Prefix": ""},
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
            },
        ]
    }


def test_the_table_has_a_ttl_a_sparse_index_and_backups(document: dict[str, Any]) -> None:
    table = template.properties(document, "Table")
    assert table["KeySchema"] == [{"AttributeName": "uuid", "KeyType": "HASH"}]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    assert template.time_to_live(document) == "ttl"
    (index,) = table["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "owed"
    assert [key["AttributeName"] for key in index["KeySchema"]] == ["shard", "due_at"]
    assert index["Projection"]["ProjectionType"] == "INCLUDE"
    assert {"version", "state", "runner", "attempt", "ref", "experiment_id"} < set(
        index["Projection"]["NonKeyAttributes"]
    )
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"]["KMSMasterKeyId"] == {"Fn::GetAtt": ["Key", "Arn"]}


def role_statements(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    inline = [
        (role, statement)
        for role, properties in of_type(document, "AWS::IAM::Role").items()
        for policy in properties["Policies"]
        for statement in statements(policy)
    ]
    beside = [
        (role["Ref"], statement)
        for policy in of_type(document, "AWS::IAM::Policy").values()
        for role in policy["Roles"]
        for statement in statements(policy)
    ]
    return inline + beside


def test_roles_name_each_action_and_resource(document: dict[str, Any]) -> None:
    found = role_statements(document)
    assert {role for role, _ in found} == {"WorkerRole", "JobRole", "OperatorRole"}
    for _, statement in found:
        assert not [action for action in as_list(statement["Action"]) if "*" in action]
        assert "*" not in as_list(statement["Resource"]) or statement["Action"] == "sqs:ListQueues", "it takes no other"


def test_operators_read_no_object_but_exit_reports(document: dict[str, Any]) -> None:
    """What they may call is tried in tests/integration/test_roles.py."""
    own = [s for role, s in role_statements(document) if role == "OperatorRole"]
    (objects,) = [s["Resource"]["Fn::If"][1:] for s in own if "s3:GetObject" in as_list(s["Action"])]
    assert {arn["Fn::Sub"].rpartition("/")[2] for arn in objects} == {"exit.json"}
    assert {"-work-" in arn["Fn::Sub"] or "-work/" in arn["Fn::Sub"] for arn in objects} == {True}
    assert template.properties(document, "OperatorRole")["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {
        "AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
    }
    assert document["Outputs"]["OperatorRoleArn"]["Value"] == {"Fn::GetAtt": ["OperatorRole", "Arn"]}


def test_the_job_can_neither_receive_nor_delete_nor_reach_the_ledger(document: dict[str, Any]) -> None:
    actions = {a for role, s in role_statements(document) if role == "JobRole" for a in as_list(s["Action"])}
    assert actions == {
        "s3:GetObject",
        "s3:PutObject",
        "s3:ListBucket",
        "s3:AbortMultipartUpload",
        "s3:ListMultipartUploadParts",
        "sqs:SendMessage",
        "sqs:GetQueueUrl",
        "kms:Decrypt",
        "kms:GenerateDataKey",
    }
    reads = [s for role, s in role_statements(document) if role == "JobRole" and "s3:GetObject" in as_list(s["Action"])]
    assert "results" not in str(reads)
