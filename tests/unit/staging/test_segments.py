from itertools import chain, pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from genoferry.errors import Crypt4GHError, FileTooLarge
from genoferry.staging.segments import (
    MAX_OBJECT,
    MAX_PARTS,
    MIN_PART,
    OVERHEAD,
    SEALED,
    SEGMENT,
    Extent,
    Layout,
    content,
    part_size,
    parts,
    runs,
    wanted,
)

edit_lists = st.lists(st.integers(0, 300_000) | st.just(0) | st.just(2**64 - 1), max_size=12).map(tuple)


def naive(edits: tuple[int, ...], plain: range) -> list[int]:
    """ApplyEditList as the standard writes it, over the positions of the plaintext."""
    if not edits:
        return list(plain)
    rest, position, output = list(edits), 0, []
    while rest:
        position += rest.pop(0)
        if not rest:
            output += plain[position:]
        else:
            keep = rest.pop(0)
            output += plain[position : position + keep]
            position += keep
    return output


@settings(deadline=None)
@given(edit_lists, st.integers(0, 400_000))
@example((0, 7853, 71721, 307929, 51299, 38), 400_000)
@example((3,), 10)
def test_an_edit_list_keeps_what_the_standard_keeps(edits: tuple[int, ...], plain: int) -> None:
    kept = content(edits, plain)
    assert list(chain.from_iterable(range(e.start, e.stop) for e in kept)) == naive(edits, range(plain))
    assert all(e.size > 0 for e in kept)
    assert all(a.stop < b.start for a, b in pairwise(kept))


def test_no_edit_list_keeps_everything() -> None:
    assert content(None, 5) == (Extent(0, 5),)
    assert content(None, 0) == ()


@settings(deadline=None)
@given(edit_lists, st.integers(0, 400_000), st.integers(1000, 120_000))
def test_parts_in_order_are_the_content(edits: tuple[int, ...], plain: int, size: int) -> None:
    extents = content(edits, plain)
    cut = parts(extents, size)
    positions = list(chain.from_iterable(range(e.start, e.stop) for part in cut for e in part.extents))
    assert positions == naive(edits, range(plain))
    assert [part.number for part in cut] == list(range(1, len(cut) + 1))
    assert all(part.size == size for part in cut[:-1])
    assert [part.offset for part in cut] == [index * size for index in range(len(cut))]


@given(edit_lists, st.integers(0, 2_000_000), st.integers(0, 5))
def test_what_is_wanted_of_segments_is_the_extents(edits: tuple[int, ...], plain: int, gap: int) -> None:
    extents = content(edits, plain)
    rows = wanted(extents)
    pieces = [(r.segment * SEGMENT + a, r.segment * SEGMENT + b) for r in rows for a, b in r.pieces]
    assert all(0 <= a < b <= SEGMENT for r in rows for a, b in r.pieces)
    joined: list[Extent] = []
    for a, b in pieces:
        joined.append(Extent(joined.pop().start if joined and joined[-1].stop == a else a, b))
    assert tuple(joined) == extents
    grouped = runs(rows, gap)
    assert tuple(chain.from_iterable(grouped)) == rows
    assert all(b.segment - a.segment <= gap + 1 for run in grouped for a, b in pairwise(run))
    assert all(b[0].segment - a[-1].segment > gap + 1 for a, b in pairwise(grouped))


@given(st.integers(0, 10 * SEGMENT), st.integers(16, 5000))
def test_layout_of_an_encrypted_file(plain: int, header: int) -> None:
    pieces = [min(SEGMENT, plain - start) for start in range(0, plain, SEGMENT)]
    layout = Layout(header, header + sum(piece + OVERHEAD for piece in pieces))
    assert (layout.plain, layout.segments) == (plain, len(pieces))
    ends = [header]
    for index, piece in enumerate(pieces):
        assert layout.sealed(index, index) == (ends[-1], ends[-1] + piece + OVERHEAD)
        ends.append(ends[-1] + piece + OVERHEAD)


@pytest.mark.parametrize("rest", [1, 12, OVERHEAD - 1])
@pytest.mark.parametrize("full", [0, 3])
def test_sizes_that_no_file_has(full: int, rest: int) -> None:
    with pytest.raises(Crypt4GHError):
        Layout(124, 124 + full * SEALED + rest)


def test_a_file_shorter_than_its_header() -> None:
    with pytest.raises(Crypt4GHError):
        Layout(124, 123)


@given(st.integers(0, MAX_OBJECT), st.integers(1, 200 * 1024**2))
@example(MAX_OBJECT, MIN_PART)
def test_part_sizes_keep_within_s3s_limits(total: int, asked: int) -> None:
    size = part_size(total, asked)
    assert size >= max(MIN_PART, asked)
    assert size % SEGMENT == 0
    assert -(-total // size) <= MAX_PARTS
    assert size < max(MIN_PART, asked, -(-total // MAX_PARTS)) + SEGMENT


def test_over_5_tib() -> None:
    with pytest.raises(FileTooLarge):
        part_size(MAX_OBJECT + 1, MIN_PART)
