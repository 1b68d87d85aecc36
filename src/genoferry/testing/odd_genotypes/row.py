"""What a row of the table of odd genotype files is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from genoferry.contracts.pipeline import TargetGenome
from genoferry.testing.expected import Term, expected_sums
from genoferry.testing.genomes import Genomes, Site, write_genomes
from genoferry.testing.scorefiles import Line, write_scorefile

CALCULATED = "calculated"
SITES = 12
MISSING_RATE = 0.05
PAIRS = (("A", "C"), ("G", "A"), ("T", "G"), ("C", "T"))
"""REF and ALT of the sites in turn: none is the same on the other strand."""

Form = Literal["pfile", "bfile", "vcf"]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Files:
    """Files of one chromosome, and what they say: `copies` of the ALT that was drawn, by site and sample as drawn,
    negative where missing. `lost`: sites that a score can't match in them; `founders`, `men_on_x`: as
    `expected_sums` has them; `families` and `iids`: by sample, where they are others than drawn."""

    form: Form
    geno: Path
    variants: Path
    pheno: Path
    copies: Floats
    dosage: bool = False
    lost: frozenset[int] = frozenset()
    founders: npt.NDArray[np.bool_] | None = None
    men_on_x: npt.NDArray[np.bool_] | None = None
    families: tuple[str, ...] | None = None
    iids: tuple[str, ...] | None = None

    def target(self, chrom: str) -> TargetGenome:
        return TargetGenome(
            sampleset="odd",
            chrom=chrom,
            format=self.form,
            vcf_import_dosage=self.dosage,
            geno=self.geno.name,
            variants=self.variants.name,
            pheno=self.pheno.name,
        )

    @property
    def paths(self) -> dict[str, Path]:
        return {path.name: path for path in (self.geno, self.variants, self.pheno)}


@dataclass(frozen=True)
class Drawn:
    """A chromosome of a made-up cohort, not written yet. `folder` has room for its files alone."""

    folder: Path
    chrom: str
    genomes: Genomes

    @property
    def samples(self) -> tuple[str, ...]:
        return self.genomes.samples

    @property
    def copies(self) -> Floats:
        return self.genomes.alt_copies.astype(float)

    def write(self, form: Form, **changes: Any) -> Files:
        """Write the genomes with `changes` to them, and nothing odd."""
        genomes = replace(self.genomes, **changes)
        genomes = replace(genomes, alt_copies=np.ascontiguousarray(genomes.alt_copies))
        paths = write_genomes(genomes, self.folder / f"chr{self.chrom}", form)
        return Files(form, *paths, copies=self.copies)


@dataclass(frozen=True)
class OddFile:
    """A row. `expected`: `CALCULATED`, with the sums of the independent routine, or the code of the refusal; `why`:
    what pgsc_calc's plink2 does with it, or why it is refused. `plink2`: what comes of it where plink2 recodes and
    scores, where that is something else. `alone`: it can't stand beside other chromosomes of the usual cohort."""

    name: str
    odd: str
    build: Callable[[Drawn], Files]
    expected: str
    why: str
    plink2: str | None = None
    chrom: str | None = None
    samples: int = 60
    alone: bool = False


def draw(folder: Path, chrom: str, samples: int) -> Drawn:
    """Draw a chromosome: the same for the same name and number of samples."""
    rng = np.random.default_rng([samples, *chrom.encode()])
    sites = tuple(
        Site(chrom, 1000 * (i + 1), ref, alt, f"rs{i + 1}")
        for i, (ref, alt) in enumerate(PAIRS * (SITES // len(PAIRS)))
    )
    copies = rng.binomial(2, rng.uniform(0.1, 0.9, (SITES, 1)), (SITES, samples)).astype(np.int8)
    copies[rng.random(copies.shape) < MISSING_RATE] = -1
    names = tuple(f"S{number:03d}" for number in range(1, samples + 1))
    folder.mkdir(parents=True, exist_ok=True)
    return Drawn(folder, chrom, Genomes(sites, names, tuple(1 + number % 2 for number in range(samples)), copies))


def terms(drawn: Drawn) -> list[Term]:
    """Return the score of a chromosome: every site, ALT and REF in turn as the effect allele."""
    rng = np.random.default_rng([7, *drawn.chrom.encode()])
    return [Term(row, row % 2 == 0, round(float(rng.normal(0, 0.05)), 5)) for row in range(SITES)]


def sums(drawn: Drawn, files: Files) -> Floats:
    """Return the right sums of that score."""
    matched = [term for term in terms(drawn) if term.row not in files.lost]
    return expected_sums(files.copies, matched, founders=files.founders, men_on_x=files.men_on_x)


def write_score(folder: Path, name: str, chromosomes: Sequence[Drawn]) -> Path:
    """Write the score of some chromosomes as one scorefile."""
    lines = [_line(drawn.genomes.sites[term.row], term) for drawn in chromosomes for term in terms(drawn)]
    return write_scorefile(folder, name, lines, build="GRCh38", harmonised=True)


def _line(site: Site, term: Term) -> Line:
    effect, other = (site.alt, site.ref) if term.of_alt else (site.ref, site.alt)
    return Line(site.rsid, site.chrom, site.pos, effect, other, term.weight)
