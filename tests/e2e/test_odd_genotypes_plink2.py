"""The table of odd genotype files with plink2: the same sums and refusals, but where a row says otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from genoferry.testing.odd_genotypes import CALCULATED, ROWS, OddFile
from genoferry.testing.odd_genotypes.run import Result, batches, calculate, refusal

RIGHT = [row for row in ROWS if row.expected == CALCULATED and row.plink2 is None]
OTHER = [row for row in ROWS if row not in RIGHT]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, plink2: Path) -> dict[str, Result]:
    found: dict[str, Result] = {}
    for batch in batches(RIGHT):
        found |= calculate(tmp_path_factory.mktemp("batch"), batch, plink2)
    return found


@pytest.mark.parametrize("row", RIGHT, ids=lambda row: row.name)
def test_plink2_gives_the_same_sums(results: dict[str, Result], row: OddFile) -> None:
    result = results[row.name]
    assert (result.status, result.matched) == (CALCULATED, result.right_matched)
    assert result.sums == pytest.approx(result.right_sums, abs=1e-5)


@pytest.mark.parametrize("row", OTHER, ids=lambda row: row.name)
def test_plink2_ends_as_the_row_says(tmp_path: Path, plink2: Path, row: OddFile) -> None:
    assert (refusal(tmp_path, row, plink2) or CALCULATED) == (row.plink2 or row.expected)
