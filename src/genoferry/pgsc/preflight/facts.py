"""All that the checks look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from genoferry.contracts.pipeline import PipelineParam, TargetGenome
from genoferry.pgsc.preflight.genotype_header import Geno
from genoferry.pgsc.preflight.overlap import Coverage, expect
from genoferry.pgsc.preflight.samples import Samples
from genoferry.pgsc.preflight.scores import Score
from genoferry.pgsc.preflight.text_stream import Opener
from genoferry.pgsc.preflight.variant_summary import Variants
from genoferry.pgsc.preflight.verdict import ExpectedOverlap

Lookup = Callable[[str], Opener | None]
"""A score's file by its id, None where there is none."""


@dataclass(frozen=True)
class Files:
    """`targets` by the name in the request, `scorefiles` by file name."""

    targets: Mapping[str, Opener]
    scorefiles: Mapping[str, Opener]


@dataclass(frozen=True)
class Site:
    """What a deployment has: its engine, the bytes of memory that one process may have (None: no ceiling), and where
    scores come from that are asked for by id."""

    engine: Literal["embedded", "nextflow"] = "embedded"
    max_memory_bytes: int | None = None
    ids: Literal["catalogue", "mirror", "nowhere"] = "catalogue"


@dataclass(frozen=True)
class Row:
    """What the files of a row of the samplesheet say; None for a file that isn't there."""

    row: TargetGenome
    variants: Variants | None
    samples: Samples | None
    geno: Geno | None


@dataclass(frozen=True)
class Facts:
    """`missing`: ids asked for that have no scorefile; `unasked`: how many scores can't be looked into here."""

    pipeline: PipelineParam
    rows: tuple[Row, ...]
    scores: tuple[Score, ...]
    missing: tuple[str, ...] = ()
    unasked: int = 0
    site: Site = Site()

    @property
    def targets(self) -> list[Variants]:
        return [row.variants for row in self.rows if row.variants is not None]

    @property
    def readable(self) -> list[Score]:
        return [score for score in self.scores if score.fault is None]

    @property
    def comparable(self) -> list[Score]:
        """The scores whose positions are used as they are; others' are yet to be lifted, or are left out."""
        nxf = self.pipeline.nxf_params_file
        return [
            score
            for score in self.readable
            if score.additive and (score.build == nxf.target_build or (score.harmonised and nxf.liftover))
        ]

    @cached_property
    def overlaps(self) -> tuple[ExpectedOverlap, ...]:
        """What is to be expected of each that is comparable; nothing where a variant file can't be read."""
        if any(row.variants is None or row.variants.fault for row in self.rows):
            return ()
        coverage = Coverage(self.targets)
        return tuple(expect(score, coverage) for score in self.comparable)
