"""Which variant of the genomes a line of a score counts: the rules of pgscatalog-match 0.4, written out without it.

Source: https://pgsc-calc.readthedocs.io/en/latest/explanation/match.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from genoferry.testing.expected import Model, Term

OTHER_STRAND = str.maketrans("ACGT", "TGCA")
MIN_OVERLAP = 0.75
MAX_ALLELE = 100


@dataclass(frozen=True)
class Site:
    """A variant of the genomes. `row` of its chromosome's matrix; `of_bim`: the tools take a bim's ALT for REF."""

    row: int
    ref: str
    alts: tuple[str, ...]
    of_bim: bool = False

    @property
    def is_ambiguous(self) -> bool:
        """Whether it looks the same on both strands."""
        return complement(self.ref) == self.alts[0]

    @property
    def has_id(self) -> bool:
        return len(self.alts) > 1 or max(len(self.ref), len(self.alts[0])) <= MAX_ALLELE


@dataclass(frozen=True)
class ScoreLine:
    """A line of a scorefile, as it is written; `other` None where the file has nothing, or several by `/`."""

    chrom: str
    pos: int
    effect: str
    other: str | None
    weight: str
    model: Model = "additive"


@dataclass(frozen=True)
class Matched:
    """`terms`: of each chromosome what counts; `passes`: whether enough lines of the score do."""

    terms: Mapping[str, list[Term]]
    count: int
    total: int

    @property
    def passes(self) -> bool:
        return self.count > 0 and (self.total - self.count) / self.total <= 1 - MIN_OVERLAP


Sites = Mapping[tuple[str, int], Sequence[Site]]


def match(lines: Sequence[ScoreLine], sites: Sites, *, keep_ambiguous: bool = False) -> Matched:
    """Match each line with the best of the sites at its place. Left out are sites that several lines count, that have
    several ALT, or that are ambiguous, unless these are to be kept."""
    best = [_best(line, sites.get((line.chrom, line.pos), ())) for line in lines]
    uses = Counter((line.chrom, found[0].row) for line, found in zip(lines, best, strict=True) if found)
    terms: dict[str, list[Term]] = {}
    for line, found in zip(lines, best, strict=True):
        if found is None or uses[line.chrom, found[0].row] > 1:
            continue
        site, allele = found
        if len(site.alts) > 1 or (site.is_ambiguous and not keep_ambiguous):
            continue
        terms.setdefault(line.chrom, []).append(Term(site.row, allele == site.alts[0], float(line.weight), line.model))
    return Matched(terms, sum(map(len, terms.values())), len(lines))


def complement(allele: str) -> str:
    """Return the allele on the other strand; what isn't of A, C, G and T has none."""
    return allele.translate(OTHER_STRAND) if allele and set(allele) <= set("ACGT") else allele


def _best(line: ScoreLine, sites: Sequence[Site]) -> tuple[Site, str] | None:
    """Return the site, and the effect allele there; None where none fits."""
    fits = [fit for site in sites if site.has_id for fit in _fits(line, site)]
    return min(fits, key=lambda fit: fit[0])[1:] if fits else None


def _fits(line: ScoreLine, site: Site) -> Iterator[tuple[int, Site, str]]:
    """Yield how well the line fits, least first: as it is before the other strand, the effect allele as REF before it
    as ALT."""
    strands = ((line.effect, line.other), (complement(line.effect), line.other and complement(line.other)))
    for turned, (effect, other) in enumerate(strands):
        for alt in site.alts:
            first, second = (alt, site.ref) if site.of_bim else (site.ref, alt)
            if effect == first and other in (None, second):
                yield 2 * turned, site, effect
            if effect == second and other in (None, first):
                yield 2 * turned + 1, site, effect
