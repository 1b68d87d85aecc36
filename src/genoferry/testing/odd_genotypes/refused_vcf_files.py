"""VCFs that are refused, and with which code."""

from __future__ import annotations

from genoferry.testing.odd_genotypes.edits import damage, each_record, field, nth_record, rewrite
from genoferry.testing.odd_genotypes.refused_builders import (
    GENOTYPES,
    ILL_FORMED,
    SAMPLES,
    cell,
    every_cell,
    header,
    undeclared,
    with_dosage,
)
from genoferry.testing.odd_genotypes.row import OddFile

REFUSED_VCFS = (
    OddFile(
        "VCF with an id twice",
        "the same sample twice",
        rewrite("vcf", "geno", header(field(10, "S001"))),
        SAMPLES,
        "plink2 takes it; which score is whose nobody could tell.",
    ),
    OddFile(
        "VCF with a space in an id",
        "a sample named John Doe",
        rewrite("vcf", "geno", header(field(10, "John Doe"))),
        GENOTYPES,
        ILL_FORMED,
    ),
    OddFile(
        "cut VCF",
        "the first half of a compressed VCF",
        damage("vcf", "geno", lambda b: b[: len(b) // 2]),
        GENOTYPES,
        ILL_FORMED,
    ),
    OddFile("empty VCF", "a VCF of no bytes", damage("vcf", "geno", lambda _: b""), GENOTYPES, ILL_FORMED),
    OddFile(
        "VCF without columns' line",
        "no line that begins with #CHROM",
        rewrite("vcf", "geno", lambda lines: [x for x in lines if not x.startswith("#CHROM")]),
        GENOTYPES,
        ILL_FORMED,
    ),
    OddFile(
        "VCF of sites",
        "neither FORMAT nor samples",
        rewrite("vcf", "geno", lambda lines: ["\t".join(x.split("\t")[:8]) for x in lines]),
        GENOTYPES,
        "It holds nobody's genotypes.",
    ),
    OddFile(
        "VCF of another chromosome",
        "no record of the row's chromosome",
        rewrite("vcf", "geno", each_record(field(0, "MT"))),
        GENOTYPES,
        ILL_FORMED,
    ),
    OddFile(
        "VCF with a short record",
        "a cell less than the header has",
        rewrite("vcf", "geno", nth_record(3, lambda f: f[:-1])),
        GENOTYPES,
        ILL_FORMED,
    ),
    OddFile("half-calls", "./1", cell("GT", "./1", "0/0"), GENOTYPES, "plink2 refuses it (--vcf-half-call)."),
    OddFile(
        "three alleles",
        "0/0/1",
        cell("GT", "0/0/1", "0/0"),
        GENOTYPES,
        "plink2 refuses it, or in older versions counts it as missing.",
        plink2="calculated",
    ),
    OddFile(
        "an allele that ALT doesn't have", "0/2 where there is one ALT", cell("GT", "0/2", "0/0"), GENOTYPES, ILL_FORMED
    ),
    OddFile("an empty cell", "nothing for a sample", cell("GT", "", "0/0"), GENOTYPES, ILL_FORMED),
    OddFile(
        "GT behind DP",
        "DP:GT",
        cell("DP:GT", "9:0/1", "9:0/0"),
        GENOTYPES,
        "The specification puts GT first; plink2 finds no GT and counts every genotype as missing.",
        plink2="calculated",
    ),
    OddFile("a dosage over 2", "DS of 2.5", with_dosage(cell("GT:DS", "0/1:2.5", "0/0:0")), GENOTYPES, ILL_FORMED),
    OddFile(
        "a dosage of a haploid call over 1",
        "DS of 1.5 beside GT of 1",
        with_dosage(cell("GT:DS", "1:1.5", "0/0:0")),
        GENOTYPES,
        ILL_FORMED,
    ),
    OddFile("a dosage under 0", "DS of -0.1", with_dosage(cell("GT:DS", "0/1:-0.1", "0/0:0")), GENOTYPES, ILL_FORMED),
    OddFile("a dosage of nan", "DS of nan", with_dosage(cell("GT:DS", "0/1:nan", "0/0:0")), GENOTYPES, ILL_FORMED),
    OddFile("a dosage of NA", "DS of NA", with_dosage(cell("GT:DS", "0/1:NA", "0/0:0")), GENOTYPES, ILL_FORMED),
    OddFile(
        "a half-call beside a dosage", "./1 and DS", with_dosage(cell("GT:DS", "./1:1", "0/0:0")), GENOTYPES, ILL_FORMED
    ),
    OddFile(
        "DS alone that isn't asked for",
        "FORMAT is DS, vcf_import_dosage false",
        every_cell("DS", "0.5"),
        GENOTYPES,
        "plink2 counts every genotype as missing: everybody's score would be the same.",
    ),
    OddFile(
        "GP alone",
        "FORMAT is GP",
        with_dosage(every_cell("GP", "0.1,0.8,0.1")),
        GENOTYPES,
        "pgsc_calc reads GT and DS alone: everybody's score would be the same.",
    ),
    OddFile(
        "DS without its header line",
        "GT:DS, vcf_import_dosage true, no FORMAT line for DS",
        undeclared,
        GENOTYPES,
        "Ambiguous: plink2 passes over DS with a warning, and counts GT.",
    ),
)
