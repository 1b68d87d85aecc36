"""Expected scores, from the generating matrix alone: none of the tools or of genoferry's scorer is used here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

MIN_SAMPLES_TO_IMPUTE = 50
"""pgsc_calc's PLINK2_SCORE gives `no-mean-imputation` below this number of samples."""


Model = Literal["additive", "dominant", "recessive"]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Term:
    """A variant's part in a score: `row` of the matrix; `of_alt`: whether ALT is the effect allele."""

    row: int
    of_alt: bool
    weight: float
    model: Model = "additive"


def expected_sums(
    alt_copies: npt.NDArray[Any],
    terms: Sequence[Term],
    *,
    founders: npt.NDArray[np.bool_] | None = None,
    men_on_x: npt.NDArray[np.bool_] | None = None,
) -> Floats:
    """SUM by sample. `alt_copies`: shape (variants, samples), 0 to 2, negative where missing.

    A missing genotype counts as plink2 counts it: twice the effect allele's frequency, once under a dominant or
    recessive model, nothing when there are under 50 founders. Of all samples the `founders` make the frequency (None:
    each is one), in which `men_on_x` weigh half: they have one allele there, though the file says two.
    """
    samples = alt_copies.shape[1]
    counts = np.ones(samples, bool) if founders is None else founders
    weights = counts * np.where(np.zeros(samples, bool) if men_on_x is None else men_on_x, 0.5, 1.0)
    impute = int(counts.sum()) >= MIN_SAMPLES_TO_IMPUTE
    total = np.zeros(samples)
    for term in terms:
        alt = alt_copies[term.row].astype(float)
        copies = np.where(alt < 0, np.nan, alt if term.of_alt else 2 - alt)
        frequency = _frequency(copies, weights) if impute else 0.0
        value, times = {
            "additive": (copies, 2),
            "dominant": (np.minimum(copies, 1.0), 1),
            "recessive": (np.maximum(copies - 1.0, 0.0), 1),
        }[term.model]
        total += term.weight * np.where(np.isnan(copies), times * frequency, value)
    return total


def _frequency(copies: Floats, weights: Floats) -> float:
    """Of the effect allele; plink2 takes one half where no founder has a genotype."""
    here = weights * ~np.isnan(copies)
    return float(np.nansum(copies * here) / (2 * here.sum())) if here.sum() else 0.5
