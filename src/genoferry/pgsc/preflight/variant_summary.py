"""What was seen of a variant file."""

from __future__ import annotations

from dataclasses import dataclass, field

from genoferry.pgsc.preflight.decompress import Compression
from genoferry.pgsc.preflight.samples import Samples
from genoferry.pgsc.preflight.variant_header import Fault

OTHER = "other"
"""Stands for the chromosomes whose names nobody knows."""


@dataclass
class Region:
    """What was seen of a chromosome, positions in bases. `ended`: another one followed."""

    count: int = 0
    first: int = 0
    last: int = 0
    ended: bool = False
    sorted: bool = True
    beyond: int = 0


@dataclass
class Variants:
    """What was seen of a variant file. `whole`: all of it. `regions` by chromosome, unknown ones as `OTHER`.
    `over`: which bound it is over."""

    chrom: str | None
    compression: Compression = "plain"
    regions: dict[str, Region] = field(default_factory=dict)
    count: int = 0
    prefixed: bool = False
    multiallelic: int = 0
    bytes: int = 0
    whole: bool = False
    fault: Fault | None = None
    over: str = ""
    samples: Samples | None = None
    keys: frozenset[str] = frozenset()
