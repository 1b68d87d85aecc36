"""What a backend sees: by SQS with raw delivery and a filter policy, and by HTTP, each of the events and the result."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from genoferry.contracts.events import event_id
from genoferry.testing.harness import Harness
from genoferry.testing.inbox import Inbox
from genoferry.testing.subscriber import HttpSubscriber
from genoferry.testing.waiting import wait_until

WHOLE_LIFE = ["Requested", "Created", "Deployed", "Succeeded", "Result"]


def inbox(harness: Harness, **only: list[str]) -> Inbox:
    topic = harness.environment["GENOFERRY_TOPIC_ARN"]
    return Inbox.subscribed(harness.client("sqs"), harness.client("sns"), topic, only=only)


def subscribe_http(harness: Harness, subscriber: HttpSubscriber) -> None:
    topic = harness.environment["GENOFERRY_TOPIC_ARN"]
    harness.client("sns").subscribe(TopicArn=topic, Protocol="http", Endpoint=f"{subscriber.url}/events")
    assert subscriber.confirmed.wait(30)


def test_each_subscriber_gets_every_event_and_the_result(harness: Harness, touch: Any) -> None:
    with HttpSubscriber(harness.environment["GENOFERRY_TOPIC_ARN"]) as subscriber:
        subscribe_http(harness, subscriber)
        mine = inbox(harness, experimentId=["mine"])
        ends = inbox(harness, event=["Succeeded", "Failed", "Cancelled", "Expired", "Rejected", "Result"])
        harness.worker()
        job = touch(envelope={"experimentId": "mine", "socketId": "socket-7", "onDuplicate": "attach"})
        others = touch(envelope={"experimentId": "theirs"})
        bad = harness.send({"name": "Unknown"}, experimentId="mine")
        for done in (job, others):
            harness.await_done(done.uuid)
        harness.inbox.await_event(bad, "Rejected")
        wait_until(lambda: len(subscriber.messages(job.uuid)) >= 5 and subscriber.messages(bad), what="HTTP deliveries")
        by_http = [m for m in subscriber.messages(job.uuid) if m["event"] != "Progress"]
        assert by_http == [m for m in harness.inbox.messages(job.uuid) if m["event"] != "Progress"]
        assert [m["event"] for m in by_http] == WHOLE_LIFE
        assert mine.names(job.uuid) == WHOLE_LIFE
        assert mine.names(others.uuid) == []
        assert mine.names(bad) == ["Rejected"]
        assert ends.names(job.uuid) == ends.names(others.uuid) == ["Succeeded", "Result"]


def test_events_are_as_the_design_has_them(harness: Harness, touch: Any) -> None:
    traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    harness.worker()
    job = touch(run_id="INTP7", envelope={"socketId": "socket-7", "traceparent": traceparent})
    harness.await_done(job.uuid)
    told = {r.message["event"]: r for r in harness.inbox.drain() if r.message["event"] != "Progress"}
    assert sorted(told) == sorted(WHOLE_LIFE)
    for name, received in told.items():
        message = received.message
        assert received.attributes == {
            "event": name,
            "name": "Touch",
            "experimentId": "experiment",
            "uuid": job.uuid,
            "traceparent": traceparent,
        }
        assert message["event_id"] == event_id(job.uuid, message["sequence"])
        assert message["attempt"] == 1
        assert message["socketId"] == "socket-7"
    for name in WHOLE_LIFE[:-1]:
        assert told[name].message["run_name"] == "INTP7"
        assert told[name].message["utc_time"].endswith("Z")
        assert not {"error", "trace_name", "trace_exit"} & set(told[name].message)
    assert told["Succeeded"].message["verified"] == "none"
    result = told["Result"].message
    assert result["response"] == {"cacheable": False, "error": False}
    assert [(r["type"], r["content-type"], r["content-encoding"]) for r in result["results"]] == [
        ("inline", "text/plain", "base64")
    ]
    assert base64.b64decode(result["results"][0]["body"]) == b"touched"


@pytest.mark.parametrize(("size", "kind"), [(190_000, "inline"), (200_000, "s3-path"), (1_000_000, "s3-path")])
def test_a_result_goes_inline_while_the_encoded_message_fits(
    harness: Harness, touch: Any, size: int, kind: str
) -> None:
    """256 KiB of base64 and attributes are 196,608 bytes of result, less the rest of the message."""
    harness.worker()
    text = "x" * 1000
    body = {"text": text, "times": size // 1000}
    job = touch(**body)
    result = harness.inbox.await_event(job.uuid, "Result")
    assert result["results"][0]["type"] == kind
    if kind == "s3-path":
        bucket, _, key = result["results"][0]["body"].removeprefix("s3://").partition("/")
        assert bucket == harness.bucket("results")
        content = harness.content("results", key).decode()
    else:
        content = base64.b64decode(result["results"][0]["body"]).decode()
    assert content == text * (size // 1000)
    assert len(json.dumps(result)) < 262_144
