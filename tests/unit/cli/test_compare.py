"""The demo's verdict fails when anything is off."""

from __future__ import annotations

import pytest

from genoferry.cli.demo.compare import compare
from genoferry.testing.cohort import Expected

EXPECTED = {"P1": Expected({"a": 0.1, "b": -0.2}, 10, 10), "P2": Expected(None, 10, 4)}
SUMS = {"P1": {"a": 0.1, "b": -0.2 + 5e-6}}
REPORTS = [
    {"id": "P1", "status": "calculated", "variants": {"matched": 10, "total": 10}},
    {"id": "P2", "status": "failed", "reason": "too few", "variants": None},
]


def test_all_as_expected() -> None:
    first, second = compare(EXPECTED, SUMS, REPORTS)
    assert first.passed
    assert first.difference == pytest.approx(5e-6)
    assert first.matched == "10 of 10"
    assert second.passed
    assert second.reason == "too few"


@pytest.mark.parametrize(
    "sums",
    [
        {"P1": {"a": 0.1, "b": -0.2 + 2e-5}},
        {"P1": {"a": 0.1, "b": float("nan")}},
        {"P1": {"a": 0.1}},
        {"P1": {"a": 0.1, "b": -0.2, "c": 0}},
        {},
    ],
)
def test_other_numbers_or_samples_fail(sums: dict[str, dict[str, float]]) -> None:
    assert not compare(EXPECTED, sums, REPORTS)[0].passed


def test_a_score_that_must_fail_may_not_be_calculated() -> None:
    assert not compare(EXPECTED, {**SUMS, "P2": {"a": 1.0}}, REPORTS)[1].passed


def test_a_score_that_nobody_reports_fails() -> None:
    assert [verdict.passed for verdict in compare(EXPECTED, SUMS, [])] == [False, False]


def test_a_failure_without_a_reason_fails() -> None:
    assert not compare(EXPECTED, SUMS, [{"id": "P2", "status": "failed", "reason": None}])[1].passed
