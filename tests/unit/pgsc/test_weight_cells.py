"""Which weights are numbers to every tool on the way: what plink2 2.00a3 was seen to take and to refuse."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genoferry.pgsc.weight_cells import magnitude, weight_fault

PLAIN = ("0.1", "-0", "+.5", "5.", "1e-5", "1E+05", " 0.1 ", "\x0b1\t", "1e-400", "1e308", "000.1")
NOT_FINITE = ("nan", "NaN", "-nan", "inf", "-Infinity", "1e400", "9" * 400)
NO_NUMBER = ("", " ", "NA", ".", "0,1", "1,000.5", "1_000", "0x10", "1 000", "1e", "1d5", "0.1x", "٣", "--1", "1/2")


@pytest.mark.parametrize(
    ("cells", "fault"), [(PLAIN, None), (NOT_FINITE, "finite"), (NO_NUMBER, "weight")], ids=["plain", "finite", "none"]
)
def test_each_cell_has_its_fault(cells: tuple[str, ...], fault: str | None) -> None:
    assert {cell: weight_fault(cell) for cell in cells} == dict.fromkeys(cells, fault)


@given(st.text(max_size=8) | st.floats().map(repr) | st.sampled_from(PLAIN + NOT_FINITE + NO_NUMBER))
def test_the_quick_look_misses_no_fault(cell: str) -> None:
    quick = magnitude(["0.5", cell])
    assert quick is None or (weight_fault(cell) is None and quick == 0.5 + abs(float(cell)))
    assert magnitude([b"0.5", cell.encode(errors="replace")]) in (None, quick)


def test_weights_that_overflow_together_are_not_plain() -> None:
    assert magnitude(["1e308"]) == 1e308
    assert magnitude(["1e308"] * 2) is None
