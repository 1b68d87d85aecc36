"""The same genotypes written otherwise: as dosages, phased, or of one allele where both are the same."""

from __future__ import annotations

import gzip
from pathlib import Path
from random import Random

import numpy as np
import numpy.typing as npt

from genoferry.testing.genomes import gzip_bytes

DS_HEADER = '##FORMAT=<ID=DS,Number=1,Type=Float,Description="Dosage">\n'
STEP = 16
"""Parts of an allele that a dosage is drawn in: pgen holds them exactly, and so does a decimal number."""

Floats = npt.NDArray[np.float64]


def draw_dosages(rng: Random, copies: Floats) -> Floats:
    """Return calls moved by up to half an allele; what is missing stays so."""
    steps = np.random.default_rng(rng.getrandbits(64)).integers(-STEP // 2, STEP // 2 + 1, copies.shape) / STEP
    return np.where(copies < 0, -1.0, np.clip(copies + steps, 0, 2))


def write_pgen(path: Path, dosages: Floats) -> None:
    """Write dosages in place of calls; `dosages`: shape (sites, samples) in the file's order."""
    import pgenlib

    sites, samples = dosages.shape
    with pgenlib.PgenWriter(bytes(path), samples, variant_ct=sites, nonref_flags=False, dosage_present=True) as pgen:
        for row in np.where(dosages < 0, -9, dosages).astype(np.float32):
            pgen.append_dosages(row)


def restyle_vcf(rng: Random, path: Path, dosages: Floats | None) -> None:
    """Write calls phased or haploid here and there, and DS beside them where `dosages` are given."""
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    head = [line for line in lines if line.startswith("#")]
    records = [line.split("\t") for line in lines if not line.startswith("#")]
    restyled = [_record(rng, record, None if dosages is None else dosages[i]) for i, record in enumerate(records)]
    if dosages is not None:
        head.insert(-1, DS_HEADER.rstrip())
    path.write_bytes(gzip_bytes("\n".join([*head, *restyled]) + "\n"))


def _record(rng: Random, fields: list[str], dosages: npt.NDArray[np.float64] | None) -> str:
    calls = fields[9:]
    cells = [_cell(rng, call, None if dosages is None else float(dosages[i])) for i, call in enumerate(calls)]
    return "\t".join([*fields[:8], "GT" if dosages is None else "GT:DS", *cells])


def _cell(rng: Random, call: str, dosage: float | None) -> str:
    """A haploid call's DS counts to one."""
    haploid = call[0] == call[2] and rng.random() < 0.2
    written = call[0] if haploid else call.replace("/", rng.choice("/|"))
    if dosage is None:
        return written
    return f"{written}:." if dosage < 0 else f"{written}:{dosage / 2 if haploid else dosage}"
