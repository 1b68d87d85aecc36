"""Weights and rows that no sample of a scorefile would show."""

from __future__ import annotations

from dataclasses import replace

import pytest

from genoferry.settings import PreflightSettings

VARIANTS = [("1", 1000 * number, "A", "G") for number in range(1, 3001)]
ROWS = [(*variant, 0.01) for variant in VARIANTS]
FEW = PreflightSettings(score_sample=100)


def with_weight(weight: str, at: int = 2500) -> list[tuple[object, ...]]:
    return [*ROWS[:at], (*VARIANTS[at], weight), *ROWS[at + 1 :]]


@pytest.mark.parametrize("weight", ["nan", "-inf", "1e400", "1e308", "1_000", "0,1", ""])
def test_a_weight_outside_the_sample_is_found(small, scored, weight: str) -> None:
    case = replace(small(VARIANTS, scored(with_weight(weight))), settings=FEW)
    (found,) = case.found("scores")
    assert (found.status, found.code) == ("failed", "scorefile-invalid")
    assert "of S has" in found.message
    assert "line 2505, column effect_weight" in found.message  # three lines of header, the columns, 2500 rows


def test_a_quote_outside_the_sample_is_found(small, scored) -> None:
    rows = [(*row, '"open' if number == 2500 else "x") for number, row in enumerate(ROWS)]
    columns = "chr_name\tchr_position\teffect_allele\tother_allele\teffect_weight\tlocus_name"
    case = replace(small(VARIANTS, scored(rows, columns=columns)), settings=FEW)
    (found,) = case.found("scores")
    assert "line 2505" in found.message
    assert "quote" in found.message


@pytest.mark.parametrize("where", [b"made up", b"0.01\n1\t2000"])
def test_text_that_is_not_utf8_is_found(small, scored, where: bytes) -> None:
    score = scored(ROWS, head="#pgs_id={name}\n#trait_reported=made up\n#genome_build=GRCh38\n")
    assert where in score
    assert (
        replace(small(VARIANTS, score.replace(where, b"\xe9" + where)), settings=FEW).failure() == "scorefile-invalid"
    )
    assert small(VARIANTS, score).failure() is None


def test_weights_that_are_numbers_are_no_fault(small, scored) -> None:
    for weight in ("-0", " 0.1 ", "1e300", "+.5", '"0.1"'):
        assert small(VARIANTS, scored(with_weight(weight))).failure() is None


def test_repeated_rows_are_counted_in_a_whole_sample(small, scored) -> None:
    assert small(VARIANTS, scored(ROWS[:2000] * 2)).failure() == "scorefile-invalid"
    assert small(VARIANTS, scored(ROWS + ROWS[:100])).failure() is None
    assert small(VARIANTS, scored(ROWS[:2000] * 2), min_overlap=0.0).failure() is None


def test_repeated_rows_are_estimated_from_a_sample(small, scored) -> None:
    some = PreflightSettings(score_sample=1000)
    doubled = replace(small(VARIANTS, scored(ROWS * 2)), settings=some)
    (found,) = doubled.found("scores")
    assert (found.status, found.code) == ("doubtful", "scorefile-invalid")
    assert "about" in found.message
    assert [each.status for each in replace(small(VARIANTS, scored(ROWS)), settings=some).found("scores")] == ["ok"]


def test_one_doubled_score_leaves_the_others(small, scored) -> None:
    case = small(VARIANTS, scored(ROWS * 2, name="TWICE"), scored(ROWS, name="ONCE"))
    assert case.failure() is None
    (found,) = case.found("scores")
    assert (found.status, "TWICE" in found.message) == ("doubtful", True)
