"""What goes to the topic: attributes, sizes, and what goes inline."""

from __future__ import annotations

import base64
import json
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genoferry.aws.objects import MemoryObjects
from genoferry.contracts.events import ErrorInfo, Event, event_id, utc_time
from genoferry.contracts.results import ResultPointer
from genoferry.publisher import (
    MAX_PUBLISH_BYTES,
    MemoryPublisher,
    attributes,
    encoded_size,
    event_message,
    result_message,
)
from genoferry.worker.driver.publish import route

UUID = "0d5c1a52-5a3c-4b1e-9a0e-2a5f0c7b8d11"
KNOWN = {"event": "Result", "uuid": UUID, "name": "N"}


def event(name="Result", **fields):
    known = {"uuid": UUID, "event_id": event_id(UUID, 3), "sequence": 3, "attempt": 1, "utc_time": utc_time(0)}
    return Event(event=name, **(known | fields))


async def routed(*bodies, may_inline=True):
    results = MemoryObjects("results")
    pointers = []
    for number, body in enumerate(bodies):
        results.content[str(number)] = body
        pointers.append(
            ResultPointer(key=str(number), content_type="text/plain", size=len(body), may_inline=may_inline)
        )
    items = await route(SimpleNamespace(results=results), SimpleNamespace(results=tuple(pointers)), event(), KNOWN)
    message = result_message(event(), items)
    assert encoded_size(message, KNOWN) <= MAX_PUBLISH_BYTES
    return items, message


def room(count=1):
    """Bytes of one body that just fit inline, in base64 (a multiple of 3)."""
    return _bisect(count)


def _bisect(count):
    from genoferry.contracts.results import ResultItem

    low, high = 0, MAX_PUBLISH_BYTES
    while low < high:
        middle = (low + high + 1) // 2
        body = base64.b64encode(b"x" * middle).decode()
        items = (ResultItem(content_type="text/plain", content_encoding="base64", type="inline", body=body),) * count
        fits = encoded_size(result_message(event(), items), KNOWN) <= MAX_PUBLISH_BYTES
        low, high = (middle, high) if fits else (low, middle - 1)
    return low


async def test_inline_up_to_the_last_byte_and_by_path_from_the_next():
    fits = _bisect(1)
    (item,), message = await routed(b"x" * fits)
    assert item.type == "inline"
    assert base64.b64decode(item.body) == b"x" * fits
    assert encoded_size(message, KNOWN) > MAX_PUBLISH_BYTES - 8
    (item,), _ = await routed(b"x" * (fits + 1))
    assert (item.type, item.body) == ("s3-path", "s3://results/0")


async def test_what_may_not_go_inline_never_does():
    (item,), _ = await routed(b"tiny", may_inline=False)
    assert item.type == "s3-path"


async def test_of_several_those_go_inline_that_fit_together():
    items, _ = await routed(b"x" * 150_000, b"y" * 100_000, b"z" * 10_000)
    assert [item.type for item in items] == ["inline", "s3-path", "inline"]


async def test_a_result_that_is_gone_goes_by_its_path():
    results = MemoryObjects("results")
    row = SimpleNamespace(results=(ResultPointer(key="k", content_type="t/p", size=1, may_inline=True),))
    (item,) = await route(SimpleNamespace(results=results), row, event(), KNOWN)
    assert item.type == "s3-path"


def test_a_result_message_has_the_wire_form():
    document = json.loads(result_message(event(socket_id="s"), ()))
    assert document == {
        "uuid": UUID,
        "event_id": event_id(UUID, 3),
        "sequence": 3,
        "attempt": 1,
        "event": "Result",
        "results": [],
        "response": {"cacheable": False, "error": False},
        "socketId": "s",
    }


def test_a_failed_event_keeps_its_nulls_and_others_have_none():
    error = ErrorInfo(code="c", user_message="m", retryable=True)
    failed = json.loads(event_message(event("Failed", error=error)))
    assert (failed["trace_name"], failed["trace_exit"]) == (None, None)
    assert failed["error"] == {"code": "c", "userMessage": "m", "retryable": True}
    created = json.loads(event_message(event("Created")))
    assert set(created) == {"uuid", "event_id", "sequence", "attempt", "utc_time", "event"}


@given(
    st.dictionaries(
        st.sampled_from(["uuid", "name", "experiment_id", "traceparent"]), st.none() | st.just("") | st.text(min_size=1)
    )
)
def test_attributes_are_never_empty(fields):
    known = {"uuid": None, "name": None, "experiment_id": None, "traceparent": None} | fields
    uuid = known.pop("uuid")
    found = attributes("Failed", uuid, **known)
    assert found["event"] == "Failed"
    assert all(found.values())


@given(st.text(max_size=50), st.dictionaries(st.text(min_size=1, max_size=5), st.text(max_size=20), max_size=4))
def test_the_size_is_in_bytes_and_counts_attributes(message, known):
    size = encoded_size(message, known)
    assert size == len(message.encode()) + sum(len(n.encode()) + 6 + len(v.encode()) for n, v in known.items())


@pytest.mark.parametrize(
    ("millis", "text"), [(0, "1970-01-01T00:00:00.000Z"), (1_790_000_000_123, "2026-09-21T14:13:20.123Z")]
)
def test_times_are_utc_with_milliseconds(millis, text):
    assert utc_time(millis) == text


async def test_the_memory_publisher_keeps_order_and_filters():
    publisher = MemoryPublisher()
    await publisher.publish('{"event": "A", "uuid": "1"}', {"event": "A"})
    await publisher.publish('{"event": "B", "uuid": "2"}', {"event": "B"})
    assert publisher.events() == ["A", "B"]
    assert publisher.events("2") == ["B"]
