"""The template's buckets, made by S3's own API where S3 is another endpoint than CloudFormation's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

Rule = Mapping[str, Any]


def make(s3: Any, name: str, properties: Mapping[str, Any], region: str) -> tuple[str, ...]:
    """Make the bucket if it isn't there, and set what the template says of it.

    Returns the settings that this S3 server doesn't know. Raises botocore's `ClientError`.
    """
    _create(s3, name, region)
    settings = {
        "encryption": lambda: s3.put_bucket_encryption(
            Bucket=name, ServerSideEncryptionConfiguration=encryption(properties)
        ),
        "lifecycle": lambda: s3.put_bucket_lifecycle_configuration(
            Bucket=name, LifecycleConfiguration=lifecycle(properties)
        ),
        "public access block": lambda: s3.put_public_access_block(
            Bucket=name, PublicAccessBlockConfiguration=properties["PublicAccessBlockConfiguration"]
        ),
        "ownership controls": lambda: s3.put_bucket_ownership_controls(
            Bucket=name, OwnershipControls=properties["OwnershipControls"]
        ),
    }
    return tuple(setting for setting, put in settings.items() if not _known(put))


def lifecycle(properties: Mapping[str, Any]) -> dict[str, Any]:
    """CloudFormation's lifecycle in the words of PutBucketLifecycleConfiguration."""
    return {"Rules": [_rule(rule) for rule in properties["LifecycleConfiguration"]["Rules"]]}


def encryption(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Encryption by default, under the server's own key: the template's key lives in the other endpoint's KMS."""
    rules = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    return {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}} for _ in rules]}


def _rule(rule: Rule) -> dict[str, Any]:
    words: dict[str, Any] = {"ID": rule["Id"], "Status": rule["Status"], "Filter": {"Prefix": rule["Prefix"]}}
    if "ExpirationInDays" in rule:
        words["Expiration"] = {"Days": rule["ExpirationInDays"]}
    if "AbortIncompleteMultipartUpload" in rule:
        words["AbortIncompleteMultipartUpload"] = rule["AbortIncompleteMultipartUpload"]
    return words


def _create(s3: Any, name: str, region: str) -> None:
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        s3.create_bucket(Bucket=name, **where)
    except ClientError as error:
        if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
            raise


def _known(put: Any) -> bool:
    try:
        put()
    except ClientError as error:
        if error.response["Error"]["Code"] == "NotImplemented":
            return False
        raise
    return True
