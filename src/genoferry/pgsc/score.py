"""`plink2 --score` through pgenlib: the same sums, from genotypes read in blocks.

Source: plink2's documentation of `--score` (modifiers dominant, recessive, no-mean-imputation; `--xchr-model 2`), its
frequencies being those of founders; checked against plink2 itself in `tests/e2e`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from genoferry.errors import CalculationStopped, DuplicateMatches, GenotypesInvalid, NeedsPlink2
from genoferry.pgsc.filesets import Fileset
from genoferry.pgsc.genotype_file import open_genotypes
from genoferry.pgsc.process import Stop
from genoferry.pgsc.samples import Samples
from genoferry.pgsc.variants import read_variants
from genoferry.pgsc.weights import Model, Weights

BLOCK_BYTES = 32 << 20
"""Memory for one block of dosages; a block has a variant at least."""

Floats = npt.NDArray[np.float64]


@dataclass
class Sums:
    """What `--score` gives by sample. `sums`: shape (samples, scores); the rest: shape (samples,)."""

    sums: Floats
    dosage: Floats
    allele_count: npt.NDArray[np.int64]
    denominator: npt.NDArray[np.int64]
    variants: list[str]


@dataclass(frozen=True)
class Place:
    """Where a scored variant is: its index in the genotype file, its alleles, REF first, and its chromosome."""

    index: int
    alleles: tuple[str, ...]
    chrom: str


def score(fileset: Fileset, weights: Weights, stop: Stop) -> Sums:
    """Sums of one scorefile over one fileset. Raises `GenotypesInvalid`, `NeedsPlink2`, `CalculationStopped`."""
    samples, model = fileset.samples, weights.model
    places = _places(fileset, weights)
    total = _zeros(len(samples), len(weights.scores()))
    lines_each = max(1, BLOCK_BYTES // (8 * len(samples)))
    with open_genotypes(fileset.geno, fileset.variants, len(samples)) as reader:
        for block in weights.blocks(lines_each):
            if stop.is_set():
                raise CalculationStopped
            found = [places[name] for name in block.ids]
            dosages = _read(reader, found, block.alleles, len(samples))
            _refuse_haploid(found, model)
            on_x = np.array([place.chrom == "X" for place in found])
            _add(total, dosages, block.weights, on_x=on_x, model=model, samples=samples)
            total.variants.extend(block.ids)
    return total


def _add(
    total: Sums, dosages: Floats, weights: Floats, *, on_x: npt.NDArray[np.bool_], model: Model, samples: Samples
) -> None:
    """Adds a block. `dosages`: copies of the effect allele, shape (variants, samples), negative where missing."""
    missing = dosages < 0
    expected = _expected(dosages, missing, on_x, model, samples) if samples.impute_mean else np.zeros(len(dosages))
    counted = _under(model, dosages)
    counted[missing] = 0.0
    total.dosage += counted.sum(axis=0)
    total.allele_count += 2 * (len(dosages) - missing.sum(axis=0))
    total.denominator += 2 * len(dosages) if samples.impute_mean else 2 * (len(dosages) - missing.sum(axis=0))
    counted += missing * expected[:, None]
    with np.errstate(over="ignore", invalid="ignore"):  # `parts.check_parts` refuses what isn't finite
        total.sums += counted.T @ weights


def _under(model: Model, dosages: Floats) -> Floats:
    if model == "dominant":
        return np.minimum(dosages, 1.0)
    if model == "recessive":
        return np.maximum(dosages - 1.0, 0.0)
    return dosages.copy()


def _expected(
    dosages: Floats, missing: npt.NDArray[np.bool_], on_x: npt.NDArray[np.bool_], model: Model, samples: Samples
) -> Floats:
    """What a missing genotype counts as, shape (variants,): twice the founders' frequency of the effect allele, or,
    under a dominant or recessive model, once (so plink2, though it is the mean of neither). A variant that no founder
    has a genotype of has the frequency 0.5."""
    copies = np.where(samples.founder, 1.0, 0.0) * np.where(on_x[:, None] & samples.male, 0.5, 1.0)
    copies[missing] = 0.0
    seen = 2.0 * copies.sum(axis=1)
    frequency = np.divide((dosages * copies).sum(axis=1), seen, out=np.full(len(dosages), 0.5), where=seen > 0)
    return frequency * (2.0 if model == "additive" else 1.0)


def _places(fileset: Fileset, weights: Weights) -> dict[str, Place]:
    wanted = set(weights.ids())
    places: dict[str, Place] = {}
    variants = read_variants(fileset.variants.path, fileset.variants.layout)
    for index, variant in enumerate(variants):
        if variant.id in wanted:
            if variant.id in places:
                raise DuplicateMatches
            places[variant.id] = Place(index, (variant.ref, *variant.alt.split(",")), variant.chrom)
    if len(places) < len(wanted):
        raise GenotypesInvalid("Matched variants are not in the genotype files of their chromosome.")
    return places


def _read(reader: Any, places: list[Place], alleles: tuple[str, ...], samples: int) -> Floats:
    """Dosages of the effect alleles, shape (variants, samples)."""
    out, row = np.empty((len(places), samples)), np.empty(samples, np.float32)
    for line, (place, allele) in enumerate(zip(places, alleles, strict=True)):
        if allele not in place.alleles:
            raise GenotypesInvalid("A matched variant has other alleles in the genotype files.")
        try:
            reader.read_dosages(place.index, row, place.alleles.index(allele))
        except RuntimeError as error:
            raise GenotypesInvalid from error
        out[line] = row
    return out


def _refuse_haploid(places: list[Place], model: Model) -> None:
    chroms = {place.chrom for place in places}
    if "Y" in chroms or ("X" in chroms and model != "additive"):
        raise NeedsPlink2("A score has variants on Y, or dominant or recessive ones on X. Only plink2 can count them.")


def _zeros(samples: int, scores: int) -> Sums:
    counts = np.zeros(samples, np.int64)
    return Sums(np.zeros((samples, scores)), np.zeros(samples), counts, counts.copy(), [])
