"""The table of odd genotype files: each has the right sums, or the refusal that it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from genoferry.testing.odd_genotypes import CALCULATED, ROWS, OddFile
from genoferry.testing.odd_genotypes.run import Result, batches, calculate, refusal

RIGHT = [row for row in ROWS if row.expected == CALCULATED]
WRONG = [row for row in ROWS if row.expected != CALCULATED]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    """One run of the engine for each batch: a chromosome and a score a row."""
    found: dict[str, Result] = {}
    for batch in batches(RIGHT):
        done = calculate(tmp_path_factory.mktemp("batch"), batch)
        found |= done if len(batch) > 1 else {row.name: done[row.name] for row in batch}
    return found


@pytest.mark.parametrize("row", RIGHT, ids=lambda row: row.name)
def test_sums_are_those_of_the_independent_routine(results: dict[str, Result], row: OddFile) -> None:
    result = results[row.name]
    assert (result.status, result.reason) == (CALCULATED, None)
    assert result.matched == result.right_matched
    assert result.sums == pytest.approx(result.right_sums, abs=1e-9)


def test_chromosomes_are_summed_by_sample(results: dict[str, Result]) -> None:
    """A score of all rows of a batch, whose files have the samples in several orders."""
    assert results["all"].sums == pytest.approx(results["all"].right_sums, abs=1e-9)


@pytest.mark.parametrize("row", WRONG, ids=lambda row: row.name)
def test_a_refusal_has_the_code_that_is_said(tmp_path: Path, row: OddFile) -> None:
    assert refusal(tmp_path, row) == row.expected
