"""A scorefile that is well-formed, to be made odd in one way, and the terms that must come of it."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from genoferry.testing.expected import Term
from genoferry.testing.genomes import COMPLEMENT, Genomes, Site

CALCULATED = "calculated"
SAMPLES = 60
"""So many that missing genotypes are imputed."""

CHROMS = ("21", "22", "X")
LONGEST, TOO_LONG = "ACGT" * 25, "ACGT" * 25 + "A"
COLUMNS = ("rsID", "chr_name", "chr_position", "effect_allele", "other_allele", "effect_weight")
HARMONISED = ("hm_source", "hm_rsID", "hm_chr", "hm_pos", "hm_inferOtherAllele")

AMBIGUOUS, INSERTION, LONG, X = 50, 51, 52, 53
"""Rows of the genotype matrix beyond the plain ones: an A/T variant, alleles of 100 and of 101 bases, and the first
one on X."""


def draw_genomes() -> Genomes:
    """Plain variants of two chromosomes, and the ones above. On X, where plink2 counts men otherwise, none is
    missing."""
    rng = np.random.default_rng(20240229)
    sites = [_site("21" if row < 30 else "22", row) for row in range(AMBIGUOUS)]
    sites += [replace(_site("22", AMBIGUOUS), ref="A", alt="T")]
    sites += [replace(_site("22", row), ref="A", alt=alt) for row, alt in ((INSERTION, LONGEST), (LONG, TOO_LONG))]
    sites += [_site("X", row) for row in range(X, X + 5)]
    copies = rng.binomial(2, 0.4, (len(sites), SAMPLES)).astype(np.int8)
    copies[:X][rng.random((X, SAMPLES)) < 0.02] = -1
    sexes = tuple(int(sex) for sex in rng.integers(1, 3, SAMPLES))
    copies[X:, [sex == 1 for sex in sexes]] = rng.integers(0, 2, (len(sites) - X, sexes.count(1))) * 2
    return Genomes(tuple(sites), tuple(f"S{number:03d}" for number in range(SAMPLES)), sexes, copies)


def _site(chrom: str, row: int) -> Site:
    ref, alt = ("A", "G") if row % 2 else ("C", "A")
    return Site(chrom, 10_000_000 + 1000 * row, ref, alt, f"rs{9_000_000_000 + row}")


@dataclass
class Draft:
    """`rows`: cells by column; `terms`: what each row must add, by its index, or nothing; `encode`: text to bytes."""

    genomes: Genomes
    header: dict[str, str]
    columns: list[str] = field(default_factory=lambda: list(COLUMNS))
    rows: list[dict[str, str]] = field(default_factory=list)
    terms: dict[int, Term] = field(default_factory=dict)
    edits: list[Callable[[str], str]] = field(default_factory=list)
    encode: Callable[[str], bytes] = lambda text: gzip.compress(text.encode(), mtime=0)

    def set(self, *numbers: int, **cells: str | Callable[[str], str]) -> Draft:
        """Other cells in some rows, in all where none are named; columns that aren't there yet are added."""
        self.columns += [name for name in cells if name not in self.columns]
        for number in numbers or range(len(self.rows)):
            row = self.rows[number]
            row.update({k: to(row.get(k, "")) if callable(to) else to for k, to in cells.items()})
        return self

    def add(self, row: int, *, of_alt: bool = True, weight: float = 0.05) -> Draft:
        """One more row, of a variant of the genotype matrix."""
        term = Term(row, of_alt, weight)
        self.terms[len(self.rows)] = term
        self.rows.append(cells_of(self.genomes.sites[row], term))
        return self

    def lose(self, *numbers: int) -> Draft:
        """These rows add nothing."""
        for number in numbers:
            self.terms.pop(number, None)
        return self

    def weigh(self, number: int, weight: float) -> Draft:
        self.terms[number] = replace(self.terms[number], weight=weight)
        return self

    def head(self, **values: str | None) -> Draft:
        """Other values in the header; None: the key isn't there."""
        self.header.update({key: value for key, value in values.items() if value is not None})
        for key in [key for key, value in values.items() if value is None]:
            del self.header[key]
        return self

    def edit(self, edit: Callable[[str], str]) -> Draft:
        """Change the whole text."""
        self.edits.append(edit)
        return self

    def store(self, encode: Callable[[str], bytes]) -> Draft:
        self.encode = encode
        return self

    def harmonise(self, *, header: bool = True, **submitted: str) -> Draft:
        """Harmonised columns with the places that are right; in the authors' own, `submitted`."""
        if header:
            self.head(genome_build="GRCh37", HmPOS_build="GRCh38", HmPOS_date="2024-01-01")
        for row in self.rows:
            place = (row["rsID"], row["chr_name"], row["chr_position"])
            row.update(zip(HARMONISED, ("ENSEMBL", *place, ""), strict=True))
        self.columns += HARMONISED
        return self.set(**submitted)

    def content(self) -> bytes:
        head = [f"#{key}={value}" for key, value in self.header.items()]
        rows = ["\t".join(row.get(name, "") for name in self.columns) for row in self.rows]
        text = "\n".join([*head, "\t".join(self.columns), *rows]) + "\n"
        for edit in self.edits:
            text = edit(text)
        return self.encode(text)


def draft(genomes: Genomes, score_id: str) -> Draft:
    """Twelve rows of chromosome 21 and eight of 22, so that five may not match (overlap of 0.75); ALT and REF in turns,
    no two with the same weight."""
    header = {"format_version": "2.0", "pgs_id": score_id, "trait_reported": "made up", "genome_build": "GRCh38"}
    made = Draft(genomes, header)
    for number, row in enumerate([*range(12), *range(30, 38)]):
        made.add(row, of_alt=number % 3 > 0, weight=round(0.001 * (number + 1) * (-1) ** number, 6))
    return made


def cells_of(site: Site, term: Term) -> dict[str, str]:
    effect, other = (site.alt, site.ref) if term.of_alt else (site.ref, site.alt)
    cells = (site.rsid, site.chrom, str(site.pos), effect, other, repr(term.weight))
    return dict(zip(COLUMNS, cells, strict=True))


def other_strand(allele: str) -> str:
    return allele.translate(COMPLEMENT)


@dataclass(frozen=True)
class OddScorefile:
    """`odd`: what is; `expected`: `CALCULATED`, with the right sums, or the code of the error; `why`: what pgsc_calc
    does with it, or why it isn't asked to. `make` makes a well-formed draft odd. `reason`: where other scores are asked
    for too, they are calculated, and this one is told as failed with these words."""

    name: str
    odd: str
    expected: str
    why: str
    make: Callable[[Draft], Draft]
    reason: str | None = None
