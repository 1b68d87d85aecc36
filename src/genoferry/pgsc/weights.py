"""Scorefiles as pgscatalog-matchmerge writes them for `plink2 --score`: ID, effect_allele, a weight per score."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from genoferry.errors import ScorefileInvalid
from genoferry.pgsc.bounds import OUTPUT
from genoferry.pgsc.textio import open_text

Model = Literal["additive", "dominant", "recessive"]


@dataclass(frozen=True)
class Block:
    """Some lines of a scorefile. `weights`: float64, shape (lines, scores)."""

    ids: tuple[str, ...]
    alleles: tuple[str, ...]
    weights: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Weights:
    """A file named `{sampleset}_{chrom}_{model}_{n}.scorefile.gz`."""

    path: Path

    @property
    def stem(self) -> str:
        return self.path.name.removesuffix(".scorefile.gz")

    @property
    def sscore(self) -> Path:
        """What scoring writes of it."""
        return self.path.with_name(f"{self.stem}.sscore.zst")

    @property
    def chrom(self) -> str:
        return self.stem.split("_")[1]

    @property
    def model(self) -> Model:
        model = self.stem.split("_")[2]
        if model not in ("additive", "dominant", "recessive"):
            raise ScorefileInvalid
        return model  # type: ignore[return-value]

    def scores(self) -> tuple[str, ...]:
        with open_text(self.path, damaged=ScorefileInvalid, bounds=OUTPUT) as lines:
            return tuple(next(csv.reader(lines, delimiter="\t"))[2:])

    def ids(self) -> Iterator[str]:
        with open_text(self.path, damaged=ScorefileInvalid, bounds=OUTPUT) as lines:
            next(lines)
            for line in lines:
                yield line.split("\t", 1)[0]

    def blocks(self, lines_each: int) -> Iterator[Block]:
        with open_text(self.path, damaged=ScorefileInvalid, bounds=OUTPUT) as lines:
            next(lines)
            rows = csv.reader(lines, delimiter="\t")
            while chunk := list(islice(rows, lines_each)):
                yield Block(
                    tuple(row[0] for row in chunk),
                    tuple(row[1] for row in chunk),
                    np.array([row[2:] for row in chunk], np.float64),
                )
