"""The Wilson interval against its definition."""

from __future__ import annotations

from math import isclose, sqrt

from hypothesis import given
from hypothesis import strategies as st

from genoferry.pgsc.preflight.wilson import Z, wilson

COUNTS = st.integers(1, 10_000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of)))


@given(COUNTS)
def test_its_ends_are_the_shares_from_which_what_was_found_lies_z_deviations_away(counts: tuple[int, int]) -> None:
    found, of = counts
    low, high = wilson(found, of)
    assert 0 <= low <= found / of <= high <= 1
    for end in (low, high):
        if 0 < end < 1:
            assert isclose(abs(found / of - end), Z * sqrt(end * (1 - end) / of), rel_tol=1e-6, abs_tol=1e-9)


@given(COUNTS)
def test_it_mirrors(counts: tuple[int, int]) -> None:
    found, of = counts
    (low, high), (other_low, other_high) = wilson(found, of), wilson(of - found, of)
    assert isclose(low, 1 - other_high, abs_tol=1e-12)
    assert isclose(high, 1 - other_low, abs_tol=1e-12)


def test_nothing_is_known_of_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


def test_more_tells_more() -> None:
    few, many = wilson(40, 50), wilson(4000, 5000)
    assert few[0] < many[0] < 0.8 < many[1] < few[1]
