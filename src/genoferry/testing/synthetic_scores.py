"""The made-up scores of the cohort: lines for a scorefile, and the terms that must come of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from genoferry.testing.expected import Model, Term
from genoferry.testing.genomes import COMPLEMENT, Genomes
from genoferry.testing.scorefiles import Line

AMBIGUOUS = frozenset({("A", "T"), ("T", "A"), ("C", "G"), ("G", "C")})
WEIGHT_SD = 0.003
"""Small, so that sums stay under 1 and plink2's six digits are good to a millionth."""

PLAIN, FLIPPED, MODELS, NO_OVERLAP, SUBMITTED = (f"PGS{number:06d}" for number in range(1, 6))
"""Ids of the scores: plain; flipped (effect allele is REF, other strand, or strand-ambiguous); dominant and recessive;
one that can't reach the overlap of 0.75; and one that isn't harmonised, a tenth of it not in the genomes."""

Choice = tuple[list[Line], list[Term]]


def _plain(rng: np.random.Generator, genomes: Genomes) -> Choice:
    rows = _unambiguous(rng, genomes, len(genomes.sites) // 6)
    terms = [Term(row, True, _weight(rng)) for row in rows]
    return [_line(genomes, term) for term in terms], terms


def _flipped(rng: np.random.Generator, genomes: Genomes) -> Choice:
    """Half counts REF, a quarter is on the other strand; a tenth is ambiguous, which the tools leave out."""
    rows = _unambiguous(rng, genomes, len(genomes.sites) // 6)
    terms = [Term(row, bool(rng.integers(2)), _weight(rng)) for row in rows]
    lines = [_line(genomes, term, other_strand=rng.random() < 0.25) for term in terms]
    ambiguous = [i for i, site in enumerate(genomes.sites) if (site.ref, site.alt) in AMBIGUOUS]
    left_out = rng.choice(ambiguous, min(len(ambiguous), len(rows) // 9), replace=False).tolist()
    return lines + [_line(genomes, Term(row, True, _weight(rng))) for row in left_out], terms


def _models(rng: np.random.Generator, genomes: Genomes) -> Choice:
    rows = _unambiguous(rng, genomes, len(genomes.sites) // 8)
    models: tuple[Model, ...] = ("additive", "dominant", "recessive")
    terms = [Term(row, bool(rng.integers(2)), _weight(rng), models[i % 3]) for i, row in enumerate(rows)]
    return [_line(genomes, term) for term in terms], terms


def _no_overlap(rng: np.random.Generator, genomes: Genomes) -> Choice:
    return _partly(rng, genomes, present=0.4)


def _submitted(rng: np.random.Generator, genomes: Genomes) -> Choice:
    return _partly(rng, genomes, present=0.9)


def _partly(rng: np.random.Generator, genomes: Genomes, *, present: float) -> Choice:
    rows = _unambiguous(rng, genomes, len(genomes.sites) // 10)
    terms = [Term(row, True, _weight(rng)) for row in rows]
    lines = [_line(genomes, term) for term in terms]
    here = round(present * len(rows))
    absent = [replace(line, pos=line.pos + 100_000_000) for line in lines[here:]]
    return lines[:here] + absent, terms[:here]


SCORES: dict[str, tuple[Callable[[np.random.Generator, Genomes], Choice], bool]] = {
    PLAIN: (_plain, True),
    FLIPPED: (_flipped, True),
    MODELS: (_models, True),
    NO_OVERLAP: (_no_overlap, True),
    SUBMITTED: (_submitted, False),
}
"""By id: what makes the score, and whether its scorefile is harmonised."""


def _unambiguous(rng: np.random.Generator, genomes: Genomes, count: int) -> list[int]:
    rows = [i for i, site in enumerate(genomes.sites) if (site.ref, site.alt) not in AMBIGUOUS]
    return sorted(rng.choice(rows, count, replace=False).tolist())


def _weight(rng: np.random.Generator) -> float:
    return round(float(rng.normal(0, WEIGHT_SD)), 7)


def _line(genomes: Genomes, term: Term, *, other_strand: bool = False) -> Line:
    site = genomes.sites[term.row]
    effect, other = (site.alt, site.ref) if term.of_alt else (site.ref, site.alt)
    if other_strand:
        effect, other = effect.translate(COMPLEMENT), other.translate(COMPLEMENT)
    return Line(site.rsid, site.chrom, site.pos, effect, other, term.weight, term.model)
