"""Expected scores, from the generating matrix alone: none of the tools or of genoferry's scorer is used here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

MIN_SAMPLES_TO_IMPUTE = 50
"""pgsc_calc's PLINK2_SCORE gives `no-mean-imputation` below this number of samples."""


Model = Literal["additive", "dominant", "recessive"]


@dataclass(frozen=True)
class Term:
    """A variant's part in a score: `row` of the matrix; `of_alt`: whether ALT is the effect allele."""

    row: int
    of_alt: bool
    weight: float
    model: Model = "additive"


def expected_sums(alt_copies: npt.NDArray[np.int8], terms: Sequence[Term]) -> npt.NDArray[np.float64]:
    """SUM by sample. `alt_copies`: shape (variants, samples), 0, 1, 2 or -1 where missing.

    A missing genotype counts as plink2 counts it: twice the effect allele's frequency, once under a dominant or
    recessive model, nothing when there are under 50 samples.
    """
    total = np.zeros(alt_copies.shape[1])
    for term in terms:
        alt = alt_copies[term.row].astype(float)
        copies = np.where(alt < 0, np.nan, alt if term.of_alt else 2 - alt)
        frequency = np.nanmean(copies) / 2 if len(copies) >= MIN_SAMPLES_TO_IMPUTE else 0.0
        value, times = {
            "additive": (copies, 2),
            "dominant": ((copies >= 1) + 0 * copies, 1),
            "recessive": ((copies == 2) + 0 * copies, 1),
        }[term.model]
        total += term.weight * np.where(np.isnan(copies), times * frequency, value)
    return total
