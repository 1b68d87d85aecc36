"""A made-up cohort: genomes, scorefiles and the scores that they must give. Same seed, same bytes.

No person's data: genotypes, positions and weights are drawn at random, and the PGS ids are borrowed names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from genoferry.testing.expected import expected_sums
from genoferry.testing.genomes import COMPLEMENT, Genomes, Site, write_genomes
from genoferry.testing.scorefiles import Line, write_scorefile
from genoferry.testing.synthetic_scores import NO_OVERLAP, SCORES

CHROMS = ("21", "22")
FORMATS = ("pfile", "bfile", "vcf")
SHIFT = {"GRCh38": 0, "GRCh37": 1_021_037}
"""Added to a GRCh38 position: a stand-in for a liftover, so that a score in the wrong build matches nothing."""

MISSING_RATE = 0.004


@dataclass(frozen=True)
class Expected:
    """`sums`: SUM by sample; None when the score must fail. `matched` of `total` variants count in it."""

    sums: Mapping[str, float] | None
    total: int
    matched: int

    @property
    def rate(self) -> float:
        return self.matched / self.total


@dataclass(frozen=True)
class Cohort:
    """`genomes`: rows of `target_genomes` by format; `files`: every genotype file by the name it has in those rows;
    `scorefiles` and `expected`: by PGS id."""

    sampleset: str
    build: str
    samples: tuple[str, ...]
    genomes: Mapping[str, tuple[dict[str, Any], ...]]
    files: Mapping[str, Path]
    scorefiles: Mapping[str, Path]
    expected: Mapping[str, Expected]

    @property
    def target_genomes(self) -> tuple[dict[str, Any], ...]:
        """The rows of the first format."""
        return next(iter(self.genomes.values()))

    def files_of(self, form: str) -> dict[str, Path]:
        """The files that the rows of one format name."""
        names = {row[key] for row in self.genomes[form] for key in ("geno", "variants", "pheno")}
        return {name: path for name, path in self.files.items() if name in names}


def generate(
    folder: Path,
    *,
    seed: int = 20240229,
    samples: int = 200,
    variants: int = 5000,
    formats: Sequence[str] = FORMATS,
    build: str = "GRCh38",
    split: bool = True,
    sampleset: str = "cohort",
) -> Cohort:
    """Writes genomes into `folder` and scorefiles into `folder`/scores, which serves as a score mirror."""
    rng = np.random.default_rng(seed)
    genomes = _draw(rng, samples, variants, build)
    mirror = folder / "scores"
    mirror.mkdir(parents=True, exist_ok=True)
    rows, files = _write_all(genomes, folder, formats, split=split, sampleset=sampleset, build=build)
    scorefiles, expected = {}, {}
    for pgs_id, (choose, harmonised) in SCORES.items():
        lines, terms = choose(rng, genomes)
        lines = [_as_submitted(line, build) for line in lines]
        scorefiles[pgs_id] = write_scorefile(mirror, pgs_id, lines, build=build, harmonised=harmonised)
        sums = dict(zip(genomes.samples, expected_sums(genomes.alt_copies, terms).tolist(), strict=True))
        expected[pgs_id] = Expected(None if pgs_id == NO_OVERLAP else sums, len(lines), len(terms))
    return Cohort(sampleset, build, genomes.samples, rows, files, scorefiles, expected)


def _draw(rng: np.random.Generator, samples: int, variants: int, build: str) -> Genomes:
    """Every twelfth site is strand-ambiguous, every fiftieth an insertion."""
    sites: list[Site] = []
    for chrom, count in zip(CHROMS, (variants - variants // 2, variants // 2), strict=True):
        positions = np.sort(rng.choice(30_000_000, count, replace=False)) + 10_000_000 + SHIFT[build]
        for pos in positions.tolist():
            ref, alt = _alleles(rng, len(sites))
            sites.append(Site(chrom, pos, ref, alt, f"rs{9_000_000_000 + len(sites)}"))
    frequency = rng.beta(1.2, 2.0, (variants, 1)).clip(0.02, 0.98)
    copies = rng.binomial(2, frequency, (variants, samples)).astype(np.int8)
    copies[rng.random(copies.shape) < MISSING_RATE] = -1
    names = tuple(f"SAMPLE{number:04d}" for number in range(1, samples + 1))
    return Genomes(tuple(sites), names, tuple(int(sex) for sex in rng.integers(1, 3, samples)), copies)


def _alleles(rng: np.random.Generator, number: int) -> tuple[str, str]:
    ref = "ACGT"[rng.integers(4)]
    if number % 50 == 49:
        return ref, ref + "ACGT"[rng.integers(4)]
    if number % 12 == 11:
        return ref, ref.translate(COMPLEMENT)
    return ref, str(rng.choice([base for base in "ACGT" if base not in (ref, ref.translate(COMPLEMENT))]))


def _write_all(
    genomes: Genomes, folder: Path, formats: Sequence[str], *, split: bool, sampleset: str, build: str
) -> tuple[dict[str, tuple[dict[str, Any], ...]], dict[str, Path]]:
    rows: dict[str, tuple[dict[str, Any], ...]] = {}
    files: dict[str, Path] = {}
    prefix = {"GRCh37": "hg19", "GRCh38": "hg38"}[build]
    for form in formats:
        made = []
        for chrom in CHROMS if split else (None,):
            stem = folder / (f"{prefix}_{chrom}" if chrom else prefix)
            paths = write_genomes(_of_chrom(genomes, chrom), stem, form)
            files.update({path.name: path for path in paths})
            geno, variants, pheno = (path.name for path in paths)
            made.append(
                {
                    "sampleset": sampleset,
                    "chrom": chrom,
                    "format": form,
                    "vcf_import_dosage": False,
                    "geno": geno,
                    "variants": variants,
                    "pheno": pheno,
                }
            )
        rows[form] = tuple(made)
    return rows, files


def _of_chrom(genomes: Genomes, chrom: str | None) -> Genomes:
    keep = [i for i, site in enumerate(genomes.sites) if chrom in (None, site.chrom)]
    return Genomes(tuple(genomes.sites[i] for i in keep), genomes.samples, genomes.sexes, genomes.alt_copies[keep])


def _as_submitted(line: Line, build: str) -> Line:
    """With the position that the authors' build, the other one, has."""
    other = "GRCh37" if build == "GRCh38" else "GRCh38"
    return replace(line, submitted_pos=line.pos - SHIFT[build] + SHIFT[other])
