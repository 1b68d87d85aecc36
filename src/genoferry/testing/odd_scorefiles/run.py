"""Runs odd scorefiles through the embedded engine, on a made-up cohort of their own."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genoferry.contracts.pipeline import TargetGenome
from genoferry.contracts.reports import ScoreReport
from genoferry.pgsc.engine import run
from genoferry.pgsc.inputs import Inputs
from genoferry.pgsc.outputs import AGGREGATED, read_aggregated
from genoferry.testing.expected import expected_sums
from genoferry.testing.genomes import Genomes, write_genomes
from genoferry.testing.odd_scorefiles.draft import CHROMS, Draft, OddScorefile, draft, draw_genomes

FIRST = 900_000
"""The number of the first row's PGS id."""


@dataclass(frozen=True)
class Cohort:
    """`targets`: rows of the samplesheet, whose files are in `folder`; `ids`: a row's PGS id by its name."""

    genomes: Genomes
    folder: Path
    targets: tuple[Mapping[str, Any], ...]
    ids: Mapping[str, str]

    def draft_of(self, row: OddScorefile) -> Draft:
        return row.make(draft(self.genomes, self.ids[row.name]))

    def right_sums(self, row: OddScorefile) -> dict[str, float]:
        """By sample, of the independent routine."""
        sums = expected_sums(self.genomes.alt_copies, list(self.draft_of(row).terms.values()))
        return dict(zip(self.genomes.samples, sums.tolist(), strict=True))


def write_cohort(folder: Path, rows: Sequence[OddScorefile]) -> Cohort:
    """Write a pfile for each chromosome."""
    genomes, targets = draw_genomes(), []
    for chrom in CHROMS:
        keep = [row for row, site in enumerate(genomes.sites) if site.chrom == chrom]
        sites = tuple(genomes.sites[row] for row in keep)
        part = Genomes(sites, genomes.samples, genomes.sexes, genomes.alt_copies[keep])
        geno, variants, pheno = (path.name for path in write_genomes(part, folder / f"c{chrom}", "pfile"))
        target = {"sampleset": "odd", "chrom": chrom, "format": "pfile", "vcf_import_dosage": False}
        targets.append({**target, "geno": geno, "variants": variants, "pheno": pheno})
    ids = {row.name: f"PGS{number:06d}" for number, row in enumerate(rows, FIRST)}
    return Cohort(genomes, folder, tuple(targets), ids)


@dataclass(frozen=True)
class Results:
    """By PGS id."""

    reports: Mapping[str, ScoreReport]
    sums: Mapping[str, Mapping[str, float]]


def calculate(
    cohort: Cohort,
    rows: Sequence[OddScorefile],
    out: Path,
    *,
    plink2: Path | None = None,
    phases: list[str] | None = None,
) -> Results:
    """Calculate the scores of some rows together. `phases` gets what the engine says that it does. Raises a
    `CalculationError`."""
    out.mkdir(parents=True, exist_ok=True)
    scorefiles = [out / f"{cohort.ids[row.name]}.txt.gz" for row in rows]
    for row, path in zip(rows, scorefiles, strict=True):
        path.write_bytes(cohort.draft_of(row).content())
    targets = [TargetGenome(**target) for target in cohort.targets]
    files = {path.name: path for path in cohort.folder.iterdir()}
    record = [] if phases is None else phases
    outcome = run(
        Inputs("ODD", targets, files, scorefiles, "GRCh38", plink2=plink2, threads=2, memory_mib=1024),
        work=out / "work",
        out=out / "out",
        progress=lambda phase, *_: record.append(phase),
        stop=threading.Event(),
    )
    return Results({score.id: score for score in outcome.scores}, read_aggregated(out / "out" / AGGREGATED))
