"""Random small cohorts, a chromosome at a time, in every format."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from random import Random
from typing import Literal

import numpy as np
import numpy.typing as npt

from genoferry.contracts.pipeline import TargetGenome
from genoferry.testing import genomes as plain
from genoferry.testing.random_runs.matching import Site, complement
from genoferry.testing.random_runs.styles import draw_dosages, restyle_vcf, write_pgen

SIZES = (1, 2, 7, 48, 49, 50, 51, 60, 83)
Form = Literal["pfile", "bfile", "vcf"]
STYLES: tuple[tuple[Form, bool], ...] = (
    ("pfile", False),
    ("pfile", True),
    ("bfile", False),
    ("vcf", False),
    ("vcf", True),
)
"""Formats, and whether dosages are in them rather than calls."""

PLAIN = tuple((ref, alt, third) for ref, alt, third in permutations("ACGT", 3) if complement(ref) != alt)
"""REF, ALT and another base, of which REF and ALT are told apart on both strands."""

SPREAD = 4000
"""Bases between sites, at most."""

Alleles = list[tuple[int, str, tuple[str, ...]]]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Chromosome:
    """`copies` of the first ALT by site and sample of the cohort, negative where missing; `sites` by position."""

    name: str
    sites: dict[int, list[Site]]
    copies: Floats
    founders: Mask
    men_on_x: Mask | None


@dataclass(frozen=True)
class Cohort:
    samples: tuple[str, ...]
    chromosomes: tuple[Chromosome, ...]
    targets: tuple[TargetGenome, ...]
    files: dict[str, Path]
    keep_ambiguous: bool
    """Whether a run of it is asked to."""

    @property
    def places(self) -> dict[tuple[str, int], list[Site]]:
        return {(c.name, pos): sites for c in self.chromosomes for pos, sites in c.sites.items()}


@dataclass(frozen=True)
class _People:
    samples: tuple[str, ...]
    men: Mask
    children: Mask


@dataclass(frozen=True)
class _Drawn:
    name: str
    form: Form
    alleles: Alleles
    copies: Floats
    are_dosages: bool


def draw_cohort(rng: Random, folder: Path) -> Cohort:
    """Draw and write a cohort of one to four chromosomes, in one fileset or each in its own format and order of
    samples."""
    people = _draw_people(rng)
    names = rng.sample([str(number) for number in range(1, 23)], rng.randint(1, 3)) + ["X"] * (rng.random() < 0.4)
    split, style = rng.random() < 0.7, rng.choice(STYLES)
    drawn = [_draw(rng, name, rng.choice(STYLES) if split else style, len(people.samples)) for name in names]
    filesets = [([each], each.name) for each in drawn] if split else [(drawn, None)]
    written = [_write(rng, folder, parts, chrom, people) for parts, chrom in filesets]
    return Cohort(
        people.samples,
        tuple(_chromosome(each, people) for each in drawn),
        tuple(target for target, _ in written),
        {path.name: path for _, paths in written for path in paths},
        keep_ambiguous=rng.random() < 0.3,
    )


def _draw_people(rng: Random) -> _People:
    samples = tuple(f"P{number}" for number in rng.sample(range(1, 1000), rng.choice(SIZES)))
    share = rng.choice((0.0, 0.0, 0.1, 0.2))
    men, children = (np.array([rng.random() < part for _ in samples]) for part in (0.5, share))
    return _People(samples, men, children)


def _draw(rng: Random, name: str, style: tuple[Form, bool], samples: int) -> _Drawn:
    form, are_dosages = style
    alleles = _alleles(rng, form)
    copies = _copies(rng, len(alleles), samples)
    return _Drawn(name, form, alleles, draw_dosages(rng, copies) if are_dosages else copies, are_dosages)


def _chromosome(drawn: _Drawn, people: _People) -> Chromosome:
    """A VCF says nothing of parents and sex."""
    sites: dict[int, list[Site]] = {}
    for row, (pos, ref, alts) in enumerate(drawn.alleles):
        sites.setdefault(pos, []).append(Site(row, ref, alts, of_bim=drawn.form == "bfile"))
    of_vcf = drawn.form == "vcf"
    founders = np.ones(len(people.samples), bool) if of_vcf else ~people.children
    men_on_x = people.men if drawn.name == "X" and not of_vcf else None
    return Chromosome(drawn.name, sites, drawn.copies, founders, men_on_x)


def _write(
    rng: Random, folder: Path, parts: list[_Drawn], chrom: str | None, people: _People
) -> tuple[TargetGenome, tuple[Path, Path, Path]]:
    form, prefix = parts[0].form, rng.choice(("", "chr"))
    order = rng.sample(range(len(people.samples)), len(people.samples))
    copies = np.ascontiguousarray(np.vstack([part.copies for part in parts])[:, order])
    genomes = plain.Genomes(
        tuple(
            plain.Site(prefix + part.name, pos, ref, ",".join(alts), ".")
            for part in parts
            for pos, ref, alts in part.alleles
        ),
        tuple(people.samples[i] for i in order),
        tuple(1 if people.men[i] else 2 for i in order),
        np.rint(copies).astype(np.int8),
    )
    paths = plain.write_genomes(genomes, folder / f"g{chrom}", form)
    dosages = copies if parts[0].are_dosages else None
    if form == "vcf":
        restyle_vcf(rng, paths[0], dosages)
    else:
        _write_parents(paths[2], people, order, form)
    if form == "pfile" and dosages is not None:
        write_pgen(paths[0], dosages)
    geno, variants, pheno = (path.name for path in paths)
    row = TargetGenome(
        sampleset="random",
        chrom=chrom,
        format=form,
        vcf_import_dosage=form == "vcf" and dosages is not None,
        geno=geno,
        variants=variants,
        pheno=pheno,
    )
    return row, paths


def _alleles(rng: Random, form: Form) -> Alleles:
    """Position, REF and ALT of each site: mostly single bases, some ambiguous, inserted, long, or there twice."""
    pos, listed = rng.randint(1, SPREAD), Alleles()
    for _ in range(rng.randint(8, 40)):
        pos += rng.randint(1, SPREAD)
        ref, alt, third = rng.choice(PLAIN) if rng.random() < 0.93 else rng.sample("ACGT", 3)
        kind = rng.random()
        if kind < 0.08:
            alt = ref + "".join(rng.choices("ACGT", k=rng.choice((1, 3, 99, 100, 130))))
        elif kind < 0.1:
            alt = rng.choice(("<DEL>", "*", alt.lower()))
        listed.append((pos, ref, (alt, third) if form == "vcf" and 0.1 < kind < 0.15 else (alt,)))
        if 0.15 < kind < 0.2:
            listed.append((pos, ref, (third,)))
        elif 0.2 < kind < 0.23 and len(alt) == 1:
            listed.append((pos, alt, (ref,)))
    return listed


def _copies(rng: Random, sites: int, samples: int) -> Floats:
    numbers = np.random.default_rng(rng.getrandbits(64))
    frequency = numbers.choice([0.0, 0.02, 0.2, 0.5, 0.9, 1.0], (sites, 1))
    copies = numbers.binomial(2, frequency, (sites, samples)).astype(float)
    copies[numbers.random(copies.shape) < numbers.choice([0.0, 0.05, 0.3])] = -1
    copies[numbers.random(sites) < 0.03] = -1
    return copies


def _write_parents(path: Path, people: _People, order: list[int], form: Form) -> None:
    rows = [(people.samples[i], "P0" if people.children[i] else "0", 1 if people.men[i] else 2) for i in order]
    if form == "pfile":
        path.write_text("#IID\tPAT\tMAT\tSEX\n" + "".join(f"{iid}\t{father}\t0\t{sex}\n" for iid, father, sex in rows))
    else:
        path.write_text("".join(f"0\t{iid}\t{father}\t0\t{sex}\t-9\n" for iid, father, sex in rows))
