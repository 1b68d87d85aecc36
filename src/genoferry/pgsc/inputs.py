"""What the embedded engine is given and what it gives back."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from genoferry.contracts.reports import ScoreReport

Progress = Callable[[str, int, int], None]
"""Called with a phase of `PHASES` and how many of its steps are done, of how many."""

PHASES = ("prepare", "format", "match", "combine", "score", "aggregate", "report")


class Target(Protocol):
    """A row of the samplesheet, as `contracts.pipeline.TargetGenome` has it. `chrom` None: all chromosomes."""

    @property
    def sampleset(self) -> str: ...
    @property
    def chrom(self) -> str | None: ...
    @property
    def format(self) -> Literal["vcf", "bfile", "pfile"]: ...
    @property
    def vcf_import_dosage(self) -> bool: ...
    @property
    def geno(self) -> str: ...
    @property
    def variants(self) -> str: ...
    @property
    def pheno(self) -> str: ...


@dataclass(frozen=True)
class Inputs:
    """A calculation. `files`: where each file that `targets` names is, on this machine; `build`: GRCh37 or GRCh38;
    `plink2`: the binary to score with, None for the scorer of this package."""

    run_id: str
    targets: Sequence[Target]
    files: Mapping[str, Path]
    scorefiles: Sequence[Path]
    build: str
    min_overlap: float = 0.75
    keep_ambiguous: bool = False
    keep_multiallelic: bool = False
    plink2: Path | None = None
    threads: int = field(default_factory=lambda: os.cpu_count() or 1)
    memory_mib: int = 2048

    @property
    def sampleset(self) -> str:
        return self.targets[0].sampleset

    @property
    def split(self) -> bool:
        """Whether the genomes come as one fileset per chromosome."""
        return self.targets[0].chrom is not None


@dataclass(frozen=True)
class Outcome:
    """`scores` has every score asked for, calculated or failed; `outputs` are the files to publish."""

    scores: tuple[ScoreReport, ...]
    outputs: tuple[Path, ...]
    samples: int
