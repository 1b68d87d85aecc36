"""A small streaming VCF reader: what scoring needs, as plink2 imports it (GT, or DS where asked for).

Source: VCF 4.3 specification, sections 1.4-1.6; plink2's `--vcf`, `--max-alleles 2`, `--vcf-half-call error`.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from pathlib import Path
from typing import NamedTuple, TextIO

import numpy as np
import numpy.typing as npt

from genoferry.errors import DuplicateSamples, GenotypesInvalid, NeedsPlink2
from genoferry.pgsc.bounds import MAX_SAMPLES, VCF
from genoferry.pgsc.columns import split_columns
from genoferry.pgsc.textio import open_text
from genoferry.pgsc.variants import Variant, plain_chrom

FIXED = 9
DS_DECLARED = re.compile(r"##FORMAT=<ID=DS[,>]")
MISSING = -9.0
"""What pgenlib takes and gives for a missing genotype."""

_CALLS = {f"{a}{bar}{b}": float(a + b) for a in (0, 1) for b in (0, 1) for bar in "/|"}
DOSAGE_OF_CALL = {**_CALLS, "./.": MISSING, ".|.": MISSING, ".": MISSING, "0": 0.0, "1": 2.0}
"""ALT copies by GT. plink2 takes a haploid call on a diploid chromosome as homozygous."""

HAPLOID = frozenset({".", "0", "1"})
"""Calls whose DS counts to 1; plink2 doubles it, as it does the call (tried with plink2 2.00a3.5)."""

NOTHING_TO_READ = (
    "A VCF has no genotypes that are read: its records need GT, or DS where vcf_import_dosage is true. Other fields "
    "(GP, PL) are not read."
)

CHROMS = frozenset([*map(str, range(1, 23)), "X", "Y", "XY"])
"""What pgsc_calc keeps of a VCF that isn't split by chromosome (PLINK2_VCF)."""


class Header(NamedTuple):
    """`declares_ds`: plink2 reads DS only where the header says what it is."""

    samples: tuple[str, ...]
    declares_ds: bool


class Record(NamedTuple):
    """`dosages`: copies of ALT, float32, shape (samples,), -9 where missing."""

    variant: Variant
    dosages: npt.NDArray[np.float32]


def count_records(path: Path, chroms: Container[str], *, keep_multiallelic: bool) -> int:
    """How many records `read_records` will yield: pgenlib wants to know it before it writes the first."""
    with open_text(path, bounds=VCF) as lines:
        _header(lines)
        return sum(1 for _ in _kept(lines, chroms, keep_multiallelic))


def read_samples_of(path: Path) -> tuple[str, ...]:
    """The sample ids of a VCF. Raises `GenotypesInvalid`, `DuplicateSamples`."""
    with open_text(path, bounds=VCF) as lines:
        return _header(lines).samples


def check_format(path: Path, chroms: Container[str], *, import_dosage: bool) -> None:
    """Raise `GenotypesInvalid` when no record on `chroms` has anything that would be read: plink2 would count every
    genotype as missing, and all samples would have the same score. No record behind the first that has is looked at."""
    with open_text(path, bounds=VCF) as lines:
        header, number = _header(lines), 0
        for number, line in _kept(lines, chroms, False):
            form = line.split("\t", FIXED)[FIXED - 1 :][:1]
            if not form or _keys(form[0], number, header, import_dosage) != (None, None):
                return  # what has too few columns is refused when it is read
    if number:
        raise GenotypesInvalid(NOTHING_TO_READ)


def read_records(
    path: Path, chroms: Container[str], *, import_dosage: bool, keep_multiallelic: bool
) -> Iterator[Record]:
    """Streams the biallelic records on `chroms` in file order.

    Raises `GenotypesInvalid` with the record's number, `NeedsPlink2` for a multi-allelic one that is to be kept.
    """
    with open_text(path, bounds=VCF) as lines:
        header = _header(lines)
        columns = FIXED + len(header.samples)
        for number, line in _kept(lines, chroms, keep_multiallelic):
            fields = line.rstrip("\r\n").split("\t", columns)
            if len(fields) != columns:
                raise GenotypesInvalid(f"Record {number} of a VCF has not as many columns as its header.")
            yield _record(fields, number, _keys(fields[8], number, header, import_dosage))


def _kept(lines: TextIO, chroms: Container[str], keep_multiallelic: bool) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(lines, 1):
        start = line.split("\t", 5)
        if len(start) < 6 or "\0" in line:
            raise GenotypesInvalid(f"Record {number} of a VCF has too few columns, or NUL bytes.")
        if plain_chrom(start[0]) not in chroms:
            continue
        if "," not in start[4]:
            yield number, line
        elif keep_multiallelic:
            raise NeedsPlink2("Multi-allelic variants of a VCF can be kept only by plink2. Install plink2.")


def _header(lines: TextIO) -> Header:
    declares_ds = False
    for line in lines:
        if line.startswith("#CHROM\t"):
            return Header(_samples(line), declares_ds)
        if not line.startswith("##"):
            break
        declares_ds |= DS_DECLARED.match(line) is not None
    raise GenotypesInvalid("A VCF has no #CHROM header line.")


def _samples(line: str) -> tuple[str, ...]:
    if line.count("\t") >= FIXED + MAX_SAMPLES:
        raise GenotypesInvalid(f"A VCF names over {MAX_SAMPLES} samples.")
    samples = tuple(line.rstrip("\r\n").split("\t")[FIXED:])
    if len(set(samples)) < len(samples):
        raise DuplicateSamples
    if not samples or "" in samples:
        raise GenotypesInvalid("A VCF names no samples: its header line needs FORMAT and a column for each.")
    if any(split_columns(name) != [name] for name in samples):  # a psam, which the scores are told by, can't hold it
        raise GenotypesInvalid("A VCF names a sample with a space in its id. Give it an id without.")
    return samples


def _record(fields: list[str], number: int, keys: tuple[int | None, int | None]) -> Record:
    try:
        dosages = _dosages(fields[FIXED:], *keys)
    except (KeyError, ValueError, IndexError):
        raise GenotypesInvalid(f"Record {number} of a VCF has a genotype that can't be read.") from None
    return Record(Variant(fields[0], fields[1], fields[2], fields[3], fields[4]), dosages)


def _keys(form: str, number: int, header: Header, import_dosage: bool) -> tuple[int | None, int | None]:
    """Return where GT and DS stand in a cell, None for one that isn't there or isn't wanted."""
    keys = form.split(":")
    if "GT" in keys[1:]:  # plink2 looks for it there alone, and would count every genotype as missing
        raise GenotypesInvalid(f"Record {number} of a VCF has GT in FORMAT, but not first, where it must be.")
    gt, ds = 0 if "GT" in keys else None, keys.index("DS") if import_dosage and "DS" in keys else None
    if ds is not None and not header.declares_ds:
        raise GenotypesInvalid("A VCF has dosages, but no FORMAT line for DS in its header: plink2 passes over them.")
    return gt, ds


def _dosages(cells: list[str], gt: int | None, ds: int | None) -> npt.NDArray[np.float32]:
    if ds is not None:
        return np.array([_dosage(cell.split(":"), gt, ds) for cell in cells], np.float32)
    if gt is None:
        return np.full(len(cells), MISSING, np.float32)
    return np.array([DOSAGE_OF_CALL[cell.split(":", 1)[0]] for cell in cells], np.float32)


def _dosage(values: list[str], gt: int | None, ds: int) -> float:
    """DS where it is there, else GT: trailing values of a cell may be left out."""
    call = MISSING if gt is None else DOSAGE_OF_CALL[values[gt]]
    if ds >= len(values) or values[ds] == ".":
        return call
    return _within(_number(values[ds]) * (2.0 if gt is not None and values[gt] in HAPLOID else 1.0))


def _number(text: str) -> float:
    """Return what VCF takes for a number: Python takes spaces and underscores too."""
    if "_" in text or text.strip() != text:
        raise ValueError
    return float(text)


def _within(dosage: float) -> float:
    if not 0.0 <= dosage <= 2.0:
        raise ValueError
    return dosage
