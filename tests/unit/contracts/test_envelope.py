"""What a good request comes to: its uuid, its time, its fingerprint, a bare JobRequest wrapped."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genoferry.contracts.envelope import BARE_JOB_REQUEST, Request, parse_request, read_uuid
from genoferry.errors import InvalidEnvelope

ID = "0d5c1a52-5a3c-4b1e-9a0e-2a5f0c7b8d11"
BODY = {"name": "N", "a": {"b": [1, None, "é"], "c": {"x": 1, "y": 2}}, "z": True}


def text(**over):
    return json.dumps({"uuid": ID, "experimentId": "E", "body": BODY} | over)


@pytest.mark.parametrize("spelling", [ID, ID.upper(), ID.replace("-", ""), "{" + ID + "}", "urn:uuid:" + ID])
def test_a_uuid_in_any_spelling_is_one_uuid(spelling):
    assert parse_request(text(uuid=spelling)).uuid == ID


@pytest.mark.parametrize(
    "timeout",
    [
        "2099-12-31T00:00:00Z",
        "2099-12-31 00:00:00",
        "2099-12-31T00:00:00+00:00",
        "2099-12-31T02:00:00+02:00",
        "2099-12-31",
    ],
)
def test_a_timeout_in_both_forms_is_one_time(timeout):
    assert parse_request(text(timeout=timeout)).timeout == datetime(2099, 12, 31, tzinfo=UTC)


def test_what_is_stored_is_read_as_it_was():
    request = parse_request(text(timeout="2099-12-31 00:00:00", socketId="s", onDuplicate="restart"))
    again = Request.model_validate_json(request.model_dump_json(exclude_none=True))
    assert again == request
    assert again.body == BODY
    assert again.fingerprint == request.fingerprint


def shuffled(value, seed):
    """The same JSON with every object's keys in another order."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda k: hash((k, seed)))
        return {k: shuffled(value[k], seed) for k in keys}
    return [shuffled(v, seed) for v in value] if isinstance(value, list) else value


bodies = st.dictionaries(
    st.text(max_size=5),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


@given(bodies, st.integers(), st.sampled_from([None, "2099-01-01T00:00:00Z"]), st.sampled_from([None, "socket"]))
def test_order_of_keys_timeout_socket_and_trace_do_not_matter(body, seed, timeout, socket):
    def fingerprint(**fields):
        return Request.model_validate({"uuid": ID, "experimentId": "E"} | fields).fingerprint

    plain = fingerprint(body=body)
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    other = fingerprint(
        body=shuffled(body, seed), timeout=timeout, socketId=socket, traceparent=trace, onDuplicate="restart"
    )
    assert other == plain
    assert fingerprint(body=body, experimentId="F") != plain
    assert fingerprint(body=body | {"another": 1}) != plain


def test_a_bare_job_request_is_wrapped():
    bare = {"pipeline_param": {"id": "INTP1"}, "globus_details": {"x": 1}}
    request = parse_request(json.dumps(bare), group_id="GROUP")
    assert request.uuid == str(uuid5(BARE_JOB_REQUEST, "INTP1")) == read_uuid(json.dumps(bare))
    assert request.experiment_id == "GROUP"
    assert request.timeout is None
    assert request.body == {"name": "CalculateScores"} | bare
    assert parse_request(json.dumps(bare)).experiment_id == "INTP1"


@pytest.mark.parametrize("pipeline", [{}, {"id": 1}, "x", None, []])
def test_a_bare_job_request_needs_an_id(pipeline):
    with pytest.raises(InvalidEnvelope):
        parse_request(json.dumps({"pipeline_param": pipeline}))


def test_the_namespace_of_bare_requests_never_changes():
    assert UUID("6a1f1b0e-5d43-5f0e-9d5c-8f2f3c9f7a11") == BARE_JOB_REQUEST
