"""Samples of a psam or fam file (plink 2 file formats: https://www.cog-genomics.org/plink/2.0/formats)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt

from genoferry.errors import DuplicateSamples, GenotypesInvalid
from genoferry.pgsc.bounds import MAX_SAMPLES, SAMPLES
from genoferry.pgsc.columns import split_columns
from genoferry.pgsc.textio import open_text

FAM = ("FID", "IID", "PAT", "MAT", "SEX", "PHENO1")
USED = FAM[:5]
HEADS = ("#FID", "#IID")
"""What a psam's header line begins with; plink2 passes over whatever else begins with # before it."""

TOO_SHORT = "A sample file is empty or has lines that are too short. Check psam or fam files."
MALE = frozenset({"1", "M", "m"})
UNFIT = ('"', "\0")
MIN_FOUNDERS = 50
"""Below, plink2 won't estimate allele frequencies, and pgsc_calc doesn't ask it to (PLINK2_SCORE)."""


@dataclass(frozen=True)
class Samples:
    """In file order. `founder` and `male` are masks, shape (samples,)."""

    fid: tuple[str, ...]
    iid: tuple[str, ...]
    founder: npt.NDArray[np.bool_]
    male: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.iid)

    @property
    def impute_mean(self) -> bool:
        """Whether a missing genotype counts as its expected dosage (else as nothing)."""
        return bool(self.founder.sum() >= MIN_FOUNDERS)


def read_samples(path: Path) -> Samples:
    """Read a psam (header line starts with #FID or #IID) or fam file. Raise `GenotypesInvalid`, `DuplicateSamples`."""
    with open_text(path, bounds=SAMPLES) as lines:
        rows: Iterator[list[str]] = (split_columns(line) for line in lines if line.strip() and not _is_comment(line))
        first = next(rows, [""])
        if first[0] not in HEADS:
            return _samples(_read_columns(FAM, chain([first], rows)))
        columns = tuple(name.lstrip("#") for name in first)
        if "IID" not in columns or len(set(columns)) < len(columns):
            raise GenotypesInvalid("The header line of a psam file has no IID column, or names a column twice.")
        return _samples(_read_columns(columns, rows))


def _read_columns(columns: tuple[str, ...], rows: Iterable[list[str]]) -> dict[str, list[str]]:
    """Return the cells of each column that is used; a file may have thousands of phenotypes beside these."""
    used = [(at, name, list[str]()) for at, name in enumerate(columns) if name in USED]
    count, least = 0, min(len(columns), 5)
    for count, row in enumerate(rows, 1):
        if len(row) < least:
            raise GenotypesInvalid(TOO_SHORT)
        if count > MAX_SAMPLES:
            raise GenotypesInvalid(f"A sample file names over {MAX_SAMPLES} samples.")
        for at, _, cells in used:
            cells.append(row[at] if at < len(row) else "0")
    if not count:
        raise GenotypesInvalid(TOO_SHORT)
    return {name: cells for _, name, cells in used}


def _is_comment(line: str) -> bool:
    return line.startswith("#") and not line.startswith(HEADS)


def _samples(column: dict[str, list[str]]) -> Samples:
    iid = column["IID"]
    unknown = ["0"] * len(iid)
    fid = column.get("FID", unknown)
    if len(set(zip(fid, iid, strict=True))) < len(iid):
        raise DuplicateSamples
    if "0" in iid:
        raise GenotypesInvalid("A sample file has a sample with the id 0, which plink takes for none. Name it.")
    if any(mark in name for mark in UNFIT for name in (*fid, *iid)):  # pgscatalog-aggregate would take them for its own
        raise GenotypesInvalid("A sample file has an id with a quotation mark or a NUL byte. Give ids without.")
    parents = zip(column.get("PAT", unknown), column.get("MAT", unknown), strict=True)
    return Samples(
        fid=tuple(fid),
        iid=tuple(iid),
        founder=np.array([pair == ("0", "0") for pair in parents], np.bool_),
        male=np.array([sex in MALE for sex in column.get("SEX", unknown)], np.bool_),
    )
