"""When a variant of a score is one of the genomes, as pgscatalog.match has it.

Source: pgscatalog.match 0.3, `_match/match.py` (the kinds of match), `_match/label.py` (the best kind counts, the
first of two of a kind; what is left out), `_match/preprocess.py` (the other strand; several alleles).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

NONE = 8
"""Worse than every kind of match."""

MAX_ALLELE = 100
"""Variants with longer alleles get no id, so they never match (pgsc_calc: `--new-id-max-allele-len 100 missing`)."""

_DNA = re.compile(rb"[ACGT]+")
_OTHER_STRAND = bytes.maketrans(b"ACGT", b"TGCA")


class Kept(NamedTuple):
    """What of the doubtful matches a request wants to keep."""

    ambiguous: bool = False
    multiallelic: bool = False


class Wanted:
    """A variant of a score: its alleles, and the best match that it has had so far."""

    __slots__ = ("best", "chrom", "counts", "effect", "hit", "other", "pos")

    def __init__(self, chrom: str | None, pos: int, effect: bytes, other: bytes | None) -> None:
        self.chrom, self.pos, self.effect, self.other = chrom, pos, effect, other
        self.best, self.counts, self.hit = NONE, False, False

    def meet(self, ref: bytes, alts: Sequence[bytes], kept: Kept) -> None:
        """A variant of the genomes at the same place. Of several alternate alleles, the tools look at the first to
        say whether it is ambiguous, whichever matched (`match_variants` joins by id again)."""
        self.hit = True
        for alt in alts:
            if (
                max(len(ref), *map(len, alts)) <= MAX_ALLELE
                and (kind := kind_of(self.effect, self.other, ref, alt)) < self.best
            ):
                self.best = kind
                self.counts = (kept.multiallelic or len(alts) == 1) and (kept.ambiguous or not ambiguous(ref, alts[0]))


def kind_of(effect: bytes, other: bytes | None, ref: bytes, alt: bytes) -> int:
    """The kind of match, the best 0, or `NONE`."""
    turned = other_strand(effect)
    if other is None:
        pairs: tuple[tuple[bytes, ...], ...] = ((effect, ref), (effect, alt), (turned, ref), (turned, alt))
        return next((kind for kind, (mine, theirs) in enumerate(pairs, 4) if mine == theirs), NONE)
    other_turned = other_strand(other)
    if (effect, other) in ((ref, alt), (alt, ref)):
        return 0 if effect == ref else 1
    if (turned, other_turned) in ((ref, alt), (alt, ref)):
        return 2 if turned == ref else 3
    return NONE


def other_strand(allele: bytes) -> bytes:
    """Base by base, not turned round; what isn't DNA stays."""
    return allele.translate(_OTHER_STRAND) if _DNA.fullmatch(allele) else allele


def ambiguous(ref: bytes, alt: bytes) -> bool:
    """Whether the alleles don't tell the strand: A and T, C and G."""
    return other_strand(ref) == alt
