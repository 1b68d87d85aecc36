"""The checks of `genoferry doctor` that ask a service. They raise `ServiceError`s, which are findings too."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from genoferry.aws.errors import mapped
from genoferry.cli.finding import Finding
from genoferry.errors import NotFound, ServiceError
from genoferry.ledger.dynamodb import INDEX
from genoferry.queue.sqs import queue_url

if TYPE_CHECKING:
    from genoferry.aws.clients import Clients
    from genoferry.settings import Settings

FORTNIGHT_SECONDS = 14 * 24 * 3600
SKEW_SECONDS = 300
"""What AWS's signatures tolerate is 15 minutes; at 5 it is time to look."""
TEMPLATE = "Deploy infra/template.yaml again; `genoferry local up` does so for the embedded AWS."


async def clock(_: Settings, clients: Clients) -> Finding:
    """That the credentials are taken, and that this clock is right."""
    with mapped():
        answer = await clients.sqs.list_queues(MaxResults=1)
    stated = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    if stated is None:
        return Finding("ok", "credentials and clock", "credentials taken; the service tells no time")
    skew = (datetime.now(UTC) - parsedate_to_datetime(stated)).total_seconds()
    if abs(skew) > SKEW_SECONDS:
        late = "ahead" if skew > 0 else "behind"
        detail = f"this clock is {abs(skew):.0f} s {late}; signatures are refused from 900 s on"
        return Finding("fail", "credentials and clock", detail, "Set this machine's clock by NTP.")
    return Finding("ok", "credentials and clock", f"credentials taken, clock within {max(1, abs(skew)):.0f} s")


async def work_queue(known: Settings, clients: Clients) -> Finding:
    url, attributes = await _queue(clients, known.work_queue)
    name = url.rsplit("/", 1)[1]
    if "RedrivePolicy" not in attributes:
        detail = f"{name} has no redrive policy, so bad messages have nowhere to go"
        return Finding("fail", "work queue", detail, TEMPLATE)
    waiting, hidden = (attributes[f"ApproximateNumberOfMessages{kind}"] for kind in ("", "NotVisible"))
    return _kept("work queue", f"{name}, {waiting} waiting, {hidden} in flight", attributes)


async def dead_letters(known: Settings, clients: Clients) -> Finding:
    from genoferry.cli.dead_letters import dead_letter_url

    url = await dead_letter_url(clients.sqs, known.work_queue, known.genoferry_dead_letter_queue)
    _, attributes = await _queue(clients, url)
    count, name = int(attributes["ApproximateNumberOfMessages"]), url.rsplit("/", 1)[1]
    if count:
        return Finding("warn", "dead letters", f"{name} holds {count}", "See why: genoferry dlq list")
    return _kept("dead letters", f"{name}, empty", attributes)


async def report_queue(known: Settings, clients: Clients) -> Finding:
    url, attributes = await _queue(clients, known.report_queue)
    return _kept("report queue", url.rsplit("/", 1)[1], attributes)


async def topic(known: Settings, clients: Clients) -> Finding:
    with mapped():
        answer = await clients.sns.get_topic_attributes(TopicArn=known.topic_arn)
    count = int(answer["Attributes"].get("SubscriptionsConfirmed", 0))
    name = known.topic_arn.rsplit(":", 1)[1]
    return Finding("ok", "topic", f"{name}, {count} subscription{'' if count == 1 else 's'}")


async def table(known: Settings, clients: Clients) -> Finding:
    with mapped():
        described: Any = (await clients.dynamodb.describe_table(TableName=known.table))["Table"]
        living = await clients.dynamodb.describe_time_to_live(TableName=known.table)
    index = next((i for i in described.get("GlobalSecondaryIndexes", ()) if i["IndexName"] == INDEX), None)
    if index is None:
        return Finding("fail", "table", f"{known.table} has no index named {INDEX}", TEMPLATE)
    if living["TimeToLiveDescription"].get("TimeToLiveStatus") not in ("ENABLED", "ENABLING"):
        return Finding("warn", "table", f"{known.table} keeps its rows for ever: TTL is off", TEMPLATE)
    return Finding("ok", "table", f"{known.table}, index and TTL in place")


async def work_bucket(known: Settings, clients: Clients) -> Finding:
    return await _bucket("work bucket", known.work_bucket, clients)


async def results_bucket(known: Settings, clients: Clients) -> Finding:
    return await _bucket("results bucket", known.results_bucket, clients)


async def _queue(clients: Clients, name: str) -> tuple[str, dict[str, str]]:
    url = await queue_url(clients.sqs, name)
    with mapped():
        answer = await clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    attributes: dict[str, str] = dict(answer["Attributes"].items())
    return url, attributes


def _kept(what: str, detail: str, attributes: dict[str, str]) -> Finding:
    days = int(attributes["MessageRetentionPeriod"]) // 86400
    if int(attributes["MessageRetentionPeriod"]) < FORTNIGHT_SECONDS:
        return Finding("warn", what, f"{detail}; messages are kept for {days} days only, not 14", TEMPLATE)
    return Finding("ok", what, f"{detail}, kept for {days} days{_redrive(attributes)}")


def _redrive(attributes: dict[str, str]) -> str:
    policy = json.loads(attributes.get("RedrivePolicy", "{}"))
    return f", redrive after {policy['maxReceiveCount']} receives" if policy else ""


async def _bucket(what: str, name: str, clients: Clients) -> Finding:
    try:
        with mapped():
            await clients.s3.head_bucket(Bucket=name)
    except NotFound:
        raise NotFound(f"There is no bucket named {name}.") from None
    try:
        with mapped():
            await clients.s3.get_bucket_lifecycle_configuration(Bucket=name)
    except ServiceError as error:
        if "NoSuchLifecycleConfiguration" not in str(error):
            raise
        return Finding("warn", what, f"{name} keeps its objects for ever: it has no lifecycle", TEMPLATE)
    return Finding("ok", what, f"{name}, lifecycle in place")
