"""Lists and events out of bytes that come in any pieces."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genoferry.compute.kubernetes.json_stream import items, lines

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
OBJECTS = st.lists(st.dictionaries(TEXT, TEXT | st.integers() | st.lists(TEXT), max_size=3), max_size=5)
META = {"resourceVersion": "7", "continue": '"items":'}


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(edges)]


@given(OBJECTS, st.lists(st.integers(0, 10**6), max_size=12), st.booleans(), st.booleans())
def test_a_list_comes_out_as_it_went_in(
    objects: list[object], cuts: list[int], ascii_only: bool, compact: bool
) -> None:
    body = {"kind": "PodList", "apiVersion": "v1", "metadata": META, "items": objects}
    spacing = (",", ":") if compact else None
    data = json.dumps(body, ensure_ascii=ascii_only, separators=spacing).encode() + b"\n"
    assert list(items(pieces(data, cuts))) == [*objects, META]


def test_an_empty_list_may_be_null() -> None:
    assert list(items([b'{"metadata":{"resourceVersion":"7"},"items":null}'])) == [{"resourceVersion": "7"}]


@given(st.integers(1, 60))
def test_a_list_that_is_cut_short_is_an_error(end: int) -> None:
    data = b'{"metadata":{"resourceVersion":"7"},"items":[{"a":1},{"b":2}]}'[:-1]
    with pytest.raises(ValueError):  # noqa: PT011  # of JSON, whichever
        list(items([data[:end]]))


@given(OBJECTS, st.lists(st.integers(0, 10**6), max_size=12))
def test_events_come_line_by_line(objects: list[object], cuts: list[int]) -> None:
    data = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in objects).encode()
    whole = list(lines(pieces(data + b'\n{"cut', cuts)))
    assert [json.loads(line) for line in whole] == objects
