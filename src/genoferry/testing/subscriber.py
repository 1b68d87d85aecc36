"""A subscriber's HTTP endpoint: confirms its SNS subscription itself and keeps what it is told.

A double of a backend, for tests and demos. It doesn't check the signatures of what it gets, which a real
subscriber must (https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html).
"""

from __future__ import annotations

import json
import threading
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from genoferry.testing.http_double import Handler, HttpDouble, Request

CONFIRM_SECONDS = 10


@dataclass(frozen=True)
class Notification:
    """One delivery: the event or result, and the message attributes (none with raw delivery, as SNS has it)."""

    message: dict[str, Any]
    attributes: dict[str, str]


class HttpSubscriber(HttpDouble):
    """Subscribe `url` to a topic; it answers the confirmation of that topic, and of no other where one is given.

    `received`: every delivery in order of arrival, copies included. `confirmed` is set once SNS took the answer.
    """

    def __init__(self, topic_arn: str | None = None, port: int = 0) -> None:
        super().__init__(port)
        self.received: list[Notification] = []
        self.confirmed = threading.Event()
        self._topic = topic_arn

    def messages(self, uuid: str | None) -> list[dict[str, Any]]:
        """What was told of one request, by sequence, each `event_id` once; None: of messages without one."""
        told = {n.message["event_id"]: n.message for n in list(self.received) if n.message.get("uuid") == uuid}
        return sorted(told.values(), key=lambda message: message.get("sequence", 0))

    def answer(self, request: Request, handler: Handler) -> None:
        if request.method != "POST":
            handler.reply(405)
            return
        handler.reply(self._take(request))
        if request.headers.get("x-amz-sns-message-type") == "SubscriptionConfirmation":
            self._confirm(json.loads(request.body))

    def _take(self, request: Request) -> int:
        """The status to answer with: 200 for what is understood."""
        kind = request.headers.get("x-amz-sns-message-type")
        try:
            document = json.loads(request.body)
            if kind == "Notification":
                raw = request.headers.get("x-amz-sns-rawdelivery") == "true"
                self.received.append(_notification(document, raw=raw))
        except (ValueError, KeyError):
            return 400
        return 200

    def _confirm(self, document: dict[str, Any]) -> None:
        """After the answer, as SNS allows, so that neither side waits for the other."""
        if self._topic not in (None, document["TopicArn"]) or urlsplit(document["SubscribeURL"]).scheme not in SCHEMES:
            return
        with urllib.request.urlopen(document["SubscribeURL"], timeout=CONFIRM_SECONDS) as answer:  # noqa: S310
            answer.read()
        self.confirmed.set()


SCHEMES = ("http", "https")


def _notification(document: dict[str, Any], *, raw: bool) -> Notification:
    if raw:
        return Notification(document, {})
    attributes = {name: str(value["Value"]) for name, value in document.get("MessageAttributes", {}).items()}
    return Notification(json.loads(document["Message"]), attributes)
