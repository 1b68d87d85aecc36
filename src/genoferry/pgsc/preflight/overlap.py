"""How much of each score will be found in the genomes, from a sample and from what was read of them.

Left out: that the tools drop both of two variants of a score which match the same variant of the genomes
(pgscatalog.match, `_label_duplicate_id`). Such scores match a little less than is said here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal

from genoferry.pgsc.preflight.chromosomes import MATCHED
from genoferry.pgsc.preflight.matching import Wanted
from genoferry.pgsc.preflight.scores import Score
from genoferry.pgsc.preflight.variant_summary import Variants
from genoferry.pgsc.preflight.verdict import ExpectedOverlap
from genoferry.pgsc.preflight.wilson import wilson

PLENTY = 100
"""Variants of scores that must be covered before it is said that positions agree no better than by chance."""

FEW = 10
"""Variants of a chromosome that must be covered for it to have a say in that."""

CLUSTERS = 3
"""Times as many positions may agree by chance as would if they were drawn at random: real ones lie in clusters."""

ALLELES = 0.5
"""Share of them whose alleles agree by chance, at most: of two single bases on either strand, four pairs can be told
apart, and half of all variants are of the commonest."""

Place = Literal["covered", "absent", "unread"]


class Coverage:
    """What was read of the genomes."""

    def __init__(self, targets: Sequence[Variants]) -> None:
        self.targets = targets
        self._holders = {chrom: [t for t in targets if t.chrom in (None, chrom)] for chrom in MATCHED}

    def place(self, wanted: Wanted) -> Place:
        """`absent`: no file can hold it; `unread`: it may be in a part that wasn't read."""
        chrom = wanted.chrom
        if chrom is None or not (holders := self._holders[chrom]):
            return "absent"
        return "covered" if all(_covers(target, chrom, wanted) for target in holders) else "unread"


def _covers(target: Variants, chrom: str, wanted: Wanted) -> bool:
    region = target.regions.get(chrom)
    if target.whole or region is None:
        return target.whole
    return region.sorted and (region.ended or wanted.pos <= region.last)


def expect(score: Score, coverage: Coverage) -> ExpectedOverlap:
    """Of one score. What no file can hold counts as not found; of the rest, the covered part stands for all of it."""
    places = [coverage.place(wanted) for wanted in score.sample]
    covered, present = places.count("covered"), len(places) - places.count("absent")
    matched = sum(w.counts for w, where in zip(score.sample, places, strict=True) if where == "covered")
    variants = score.variants if score.whole else None
    census = variants == len(places)
    rate, low, high = _estimate(matched, covered, present, len(places), census=census)
    best = _best(matched + present - covered, len(places), census=census)
    return ExpectedOverlap(score.id, variants, len(places), covered, matched, rate, low, high, max(best, high))


def _best(found: int, sampled: int, *, census: bool) -> float:
    """The share that there is if all matches that wasn't read: what was read may be a region unlike the others."""
    if not sampled:
        return 1.0
    return found / sampled if census else wilson(found, sampled)[1]


def _estimate(
    matched: int, covered: int, present: int, sampled: int, *, census: bool
) -> tuple[float | None, float, float]:
    if not sampled or (present and not covered):
        return None, 0.0, wilson(present, sampled)[1]
    if census and covered == present:
        return matched / sampled, matched / sampled, matched / sampled
    if covered == present:
        return matched / sampled, *wilson(matched, sampled)
    share, found = (present / sampled,) * 2 if census else wilson(present, sampled), wilson(matched, covered)
    return present / sampled * matched / covered, share[0] * found[0], share[1] * found[1]


@dataclass(frozen=True)
class Agreement:
    """Of some scores' covered variants: at how many positions the genomes have a variant, how many matched, and at how
    many positions they would have one if the positions were any. `chroms`: that more than a few are on."""

    covered: int
    hits: int
    matched: int
    expected: float
    chroms: int = 1

    @property
    def by_chance(self) -> bool:
        """Whether there is plenty to judge by, and it agrees no better than with genomes of another build. Where the
        genomes are so dense that chance could give every position, nothing is told."""
        most, slack = CLUSTERS * self.expected, 3 * sqrt(self.expected)
        if self.covered < PLENTY or most >= self.covered or self.hits > most + slack:
            return False
        return self.matched <= ALLELES * self.hits + 3 * sqrt(ALLELES * (1 - ALLELES) * self.hits)


def agree(scores: Iterable[Score], coverage: Coverage) -> Agreement:
    """Only on chromosomes that hold plenty of variants."""
    density = _density(coverage.targets)
    wanted = [wanted for score in scores for wanted in score.sample if wanted.chrom in density]
    known = [each for each in wanted if coverage.place(each) == "covered"]
    expected = sum(density[each.chrom] for each in known if each.chrom)
    chroms = sum(count >= FEW for count in Counter(each.chrom for each in known).values())
    hits, matched = sum(each.hit for each in known), sum(each.counts for each in known)
    return Agreement(len(known), hits, matched, expected, chroms)


def _density(targets: Sequence[Variants]) -> dict[str, float]:
    """Variants a base of each chromosome that holds plenty of them."""
    return {
        chrom: min(1.0, region.count / max(1, region.last - region.first))
        for target in targets
        for chrom, region in target.regions.items()
        if region.count >= PLENTY and target.chrom in (None, chrom)
    }
