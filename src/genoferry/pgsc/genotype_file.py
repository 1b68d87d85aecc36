"""Genotype files (pgen, bed) as pgenlib opens them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pgenlib

from genoferry.errors import GenotypesInvalid
from genoferry.pgsc.variants import Relabelled

DAMAGED = "A genotype file is damaged, or its variant or sample file belongs to another one."
CUT = "A genotype file is damaged or was cut: its last variant can't be read. Send the whole file."


@contextlib.contextmanager
def open_genotypes(path: Path, variants: Relabelled, samples: int) -> Iterator[Any]:
    """Open `path` as a `pgenlib.PgenReader`. Raises `GenotypesInvalid` when it holds another number of variants or of
    samples, or is no genotype file."""
    try:
        reader = pgenlib.PgenReader(
            bytes(path),
            raw_sample_ct=samples,
            variant_ct=variants.count,
            allele_idx_offsets=allele_offsets(variants.count, variants.multiallelic),
        )
    except RuntimeError as error:
        raise GenotypesInvalid(DAMAGED) from error
    with contextlib.closing(reader):
        yield reader


def check_genotypes(path: Path, variants: Relabelled, samples: int) -> None:
    """Raise `GenotypesInvalid` unless the file opens and its last variant can be read.

    pgenlib compares a bed's size with what it must be, but a pgen's only with its header's: a pgen that was cut opens,
    and fails at the first variant behind the cut.
    """
    with open_genotypes(path, variants, samples) as reader:
        try:
            reader.read_dosages(variants.count - 1, np.empty(samples, np.float32), 0)
        except RuntimeError as error:
            raise GenotypesInvalid(CUT) from error


def allele_offsets(count: int, multiallelic: tuple[tuple[int, int], ...]) -> npt.NDArray[np.uintp] | None:
    """Return where each variant's alleles start among all alleles, as pgenlib wants it; None: two each."""
    if not multiallelic:
        return None
    alleles = np.full(count + 1, 2, np.uintp)
    alleles[0] = 0
    for index, number in multiallelic:
        alleles[index + 1] = number
    return np.cumsum(alleles, dtype=np.uintp)
