"""Random cohorts and scores: what the engine calculates are the sums of the independent routine.

`make test-properties` goes on with new seeds.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from genoferry.testing.random_runs.run import SCORES, check_cut, check_refusal, check_scores

SEEDS = (2, 16, 25, 45, 95, 103, 133)
"""A run of the engine each, of `SCORES` scores: cohorts of 1, 49, 50, 51, 60 and 83, one fileset or several, calls and
dosages, X with men, missing genotypes, and chromosomes with more and with fewer founders than imputing needs."""


@pytest.mark.parametrize("seed", SEEDS)
def test_sums_are_those_of_the_independent_routine(tmp_path: Path, seed: int) -> None:
    assert check_scores(seed, tmp_path) == SCORES


@pytest.mark.parametrize("seed", SEEDS)
def test_a_weight_that_is_no_number_is_refused(tmp_path: Path, seed: int) -> None:
    check_refusal(seed, tmp_path)


@pytest.mark.parametrize("seed", range(1, 21))
def test_a_cut_genotype_file_is_refused(tmp_path: Path, seed: int) -> None:
    check_cut(seed, tmp_path)


def test_three_hundred_pairs_are_compared() -> None:
    assert SCORES >= 30
    assert SCORES * len(SEEDS) >= 300
