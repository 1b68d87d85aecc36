"""The samplesheet's rows as filesets that match and score alike, whatever their format."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from genoferry.errors import GenomesMissing, SamplesheetInvalid
from genoferry.pgsc import recode
from genoferry.pgsc.exit_codes import refusal
from genoferry.pgsc.families import check_families
from genoferry.pgsc.genotype_file import check_genotypes
from genoferry.pgsc.inputs import Inputs, Target
from genoferry.pgsc.process import Bench
from genoferry.pgsc.samples import Samples, read_samples
from genoferry.pgsc.variants import Layout, Relabelled, relabel

ALL = "ALL"
"""pgsc_calc's chromosome of a fileset that isn't split."""

INPUT_CHECK = "INPUT_CHECK"


@dataclass(frozen=True)
class Fileset:
    """Genotypes (pgen or bed), relabelled variants and samples of chromosome `chrom`, or `ALL`."""

    chrom: str
    geno: Path
    sample_file: Path
    variants: Relabelled
    samples: Samples

    @property
    def is_pfile(self) -> bool:
        return self.variants.layout == "pvar"


def prepare(bench: Bench, inputs: Inputs, target: Target) -> Fileset:
    """One row: a VCF is recoded to pgen, then its variants are relabelled, and the genotypes are looked at, so that
    files that don't fit each other fail before any tool runs. Raises `CalculationError`."""
    chrom = target.chrom or ALL
    work = bench.scratch / f"{target.sampleset}_{chrom}"
    geno, variants, sample_file = (_local(inputs, name) for name in (target.geno, target.variants, target.pheno))
    layout: Layout = "bim" if target.format == "bfile" else "pvar"
    if target.format == "vcf":
        _recode(bench, inputs, target, geno, work)
        geno, variants, sample_file = (recode.with_suffix(work, end) for end in (".pgen", ".pvar.zst", ".psam"))
    relabelled = relabel(
        variants,
        layout,
        recode.with_suffix(work, f".relabelled.{layout}.zst"),
        chrom=target.chrom,
        keep_multiallelic=inputs.keep_multiallelic,
        most=geno.stat().st_size,  # pgen and bed have a byte at least for each
    )
    samples = read_samples(sample_file)
    check_genotypes(geno, relabelled, len(samples))
    return Fileset(chrom, geno, sample_file, relabelled, samples)


def check_same_samples(filesets: list[Fileset]) -> int:
    """How many samples there are. Scores are summed by sample over chromosomes, so a sample that one of them lacks
    would get a smaller score without a word: raises `SamplesheetInvalid`. Raises `DuplicateSamples` where two would be
    published under one id."""
    check_families(filesets[0].samples)
    first = {*zip(filesets[0].samples.fid, filesets[0].samples.iid, strict=True)}
    for other in filesets[1:]:
        if {*zip(other.samples.fid, other.samples.iid, strict=True)} != first:
            message = "The chromosomes' files don't hold the same samples. Send files with the same samples in each."
            raise refusal(SamplesheetInvalid, INPUT_CHECK, message)
    return len(first)


def _recode(bench: Bench, inputs: Inputs, target: Target, vcf: Path, to: Path) -> None:
    if inputs.plink2 is None:
        recode.with_pgenlib(
            bench,
            vcf,
            to,
            chrom=target.chrom,
            dosage=target.vcf_import_dosage,
            multiallelic=inputs.keep_multiallelic,
        )
    else:
        recode.with_plink2(
            bench,
            inputs.plink2,
            vcf,
            to,
            chrom=target.chrom,
            dosage=target.vcf_import_dosage,
            multiallelic=inputs.keep_multiallelic,
            memory=inputs.memory_mib,
        )


def _local(inputs: Inputs, name: str) -> Path:
    path = inputs.files.get(name)
    if path is None or not path.is_file():
        raise refusal(GenomesMissing, INPUT_CHECK)
    return path.absolute()
