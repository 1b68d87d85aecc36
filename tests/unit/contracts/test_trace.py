"""The traceparent that is passed on: W3C Trace Context's rules, and whatever breaks them dropped."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genoferry.contracts.envelope import parse_request
from genoferry.contracts.trace import PATTERN, valid_traceparent

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{PARENT}-01"


@pytest.mark.parametrize("good", [GOOD, f"00-{TRACE}-{PARENT}-00", f"00-{TRACE}-{PARENT}-ff"])
def test_what_is_valid_is_passed_on_as_it_is(good):
    assert valid_traceparent(good) == good


@pytest.mark.parametrize(
    ("sent", "passed_on"),
    [
        (f"01-{TRACE}-{PARENT}-01", GOOD),
        (f"cc-{TRACE}-{PARENT}-01-what-the-future-will-be-like", GOOD),
        (f"cc-{TRACE}-{PARENT}-fe", f"00-{TRACE}-{PARENT}-00"),
    ],
)
def test_of_a_later_version_only_what_00_knows(sent, passed_on):
    assert valid_traceparent(sent) == passed_on


@pytest.mark.parametrize(
    "bad",
    [
        None,
        7,
        b"x",
        "",
        GOOD.upper(),
        f" {GOOD}",
        f"{GOOD}\n",
        f"{GOOD}-01",
        GOOD[:-1],
        GOOD.replace("-", "_"),
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"01-{TRACE}-{PARENT}-01.x",
        f"00-{TRACE[:-1]}g-{PARENT}-01",
        GOOD.replace("4", "٤"),
    ],
)
def test_what_is_not_valid_is_dropped(bad):
    assert valid_traceparent(bad) is None


@given(st.text() | st.from_regex(PATTERN) | st.from_regex(r"^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}-.*"))
def test_whatever_comes_is_either_dropped_or_fit_to_pass_on(text):
    found = valid_traceparent(text)
    assert found is None or (len(found) == 55 and found.startswith("00-") and valid_traceparent(found) == found)


@pytest.mark.parametrize(("sent", "kept"), [(GOOD, GOOD), ("CANARY", None), (7, None), ({}, None), (None, None)])
def test_a_bad_one_is_no_reason_to_reject_a_request(sent, kept):
    document = {"uuid": "00000000-0000-4000-8000-000000000000", "experimentId": "E", "body": {}, "traceparent": sent}
    assert parse_request(json.dumps(document)).traceparent == kept
