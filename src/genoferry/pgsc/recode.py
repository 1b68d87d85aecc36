"""VCF → pgen, as pgsc_calc does it first of all (PLINK2_VCF): by plink2, or with pgenlib."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pgenlib

from genoferry.errors import CalculationStopped, GenotypesInvalid
from genoferry.pgsc.exit_codes import trace_name
from genoferry.pgsc.process import Bench, run_tool
from genoferry.pgsc.textio import create_zst
from genoferry.pgsc.variants import plain_chrom
from genoferry.pgsc.vcf import CHROMS, Record, check_format, count_records, read_records, read_samples_of

PROCESS = "PLINK2_VCF"
ALL_CHROMS = ("1-22,", "X,", "Y,", "XY")
"""pgsc_calc's `--chr 1-22, X, Y, XY` as a shell takes it apart: of one argument with spaces plink2 takes 1-22 only."""


def with_plink2(
    bench: Bench, plink2: Path, vcf: Path, to: Path, *, chrom: str | None, dosage: bool, multiallelic: bool, memory: int
) -> None:
    """Writes `to`.pgen, .pvar.zst and .psam. Raises `GenotypesInvalid`, `DuplicateSamples`."""
    check_format(vcf, chroms_of(chrom), import_dosage=dosage)
    argv: list[str | Path] = [plink2, "--threads", str(bench.threads), "--memory", str(memory), "--vcf", vcf]
    argv += ["dosage=DS"] if dosage else []
    argv += [] if multiallelic else ["--max-alleles", "2"]
    argv += ["--allow-extra-chr", "--chr", *([chrom] if chrom else ALL_CHROMS)]
    argv += ["--make-pgen", "vzs", "pvar-cols=-xheader,-maybequal,-maybefilter,-maybeinfo,-maybecm", "--out", to]
    run_tool(bench, PROCESS, argv, label=f".{chrom or 'ALL'}")


def with_pgenlib(bench: Bench, vcf: Path, to: Path, *, chrom: str | None, dosage: bool, multiallelic: bool) -> None:
    """Writes `to`.pgen, .pvar.zst and .psam, one record at a time. Raises `GenotypesInvalid`, `DuplicateSamples`,
    `NeedsPlink2`."""
    chroms = chroms_of(chrom)
    check_format(vcf, chroms, import_dosage=dosage)
    samples = read_samples_of(vcf)
    count = count_records(vcf, chroms, keep_multiallelic=multiallelic)
    if not count:
        raise GenotypesInvalid("A VCF holds no variants of its chromosome.", trace_name=trace_name(PROCESS))
    with_suffix(to, ".psam").write_text("#IID\tSEX\n" + "".join(f"{sample}\tNA\n" for sample in samples))
    records = read_records(vcf, chroms, import_dosage=dosage, keep_multiallelic=multiallelic)
    _write_pgen(bench, records, to, (len(samples), count), dosage)


def chroms_of(chrom: str | None) -> frozenset[str]:
    """Return the chromosomes that are kept of a VCF of `chrom` (None: of all)."""
    return CHROMS if chrom is None else frozenset({chrom})


def with_suffix(stem: Path, suffix: str) -> Path:
    """`stem` with `suffix` appended; `Path.with_suffix` would cut a dot in the name."""
    return stem.with_name(stem.name + suffix)


def _write_pgen(bench: Bench, records: Iterator[Record], to: Path, shape: tuple[int, int], dosage: bool) -> None:
    samples, count = shape
    pgen = pgenlib.PgenWriter(
        bytes(with_suffix(to, ".pgen")), samples, variant_ct=count, nonref_flags=False, dosage_present=dosage
    )
    with create_zst(with_suffix(to, ".pvar.zst")) as pvar, _closing(pgen):
        pvar.write("#CHROM\tPOS\tID\tREF\tALT\n")
        for variant, dosages in records:
            if bench.stop.is_set():
                raise CalculationStopped(trace_name=trace_name(PROCESS))
            pvar.write(f"{plain_chrom(variant.chrom)}\t{variant.pos}\t{variant.id}\t{variant.ref}\t{variant.alt}\n")
            if dosage:
                pgen.append_dosages(dosages)
            else:
                pgen.append_biallelic(dosages.astype(np.int8))


@contextlib.contextmanager
def _closing(pgen: pgenlib.PgenWriter) -> Iterator[None]:
    """Close `pgen`, which raises `RuntimeError` where it lacks variants: that must not hide why it does."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(RuntimeError):
            pgen.close()
        raise
    pgen.close()
