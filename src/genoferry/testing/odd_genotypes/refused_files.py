"""Genotype files that are refused, and with which code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from genoferry.testing.odd_genotypes.edits import damage, each_record, field, nth_record, rewrite
from genoferry.testing.odd_genotypes.row import Drawn, Files, OddFile

GENOTYPES = "genotypes-invalid"
SAMPLES = "duplicate-samples"
CUT = "Found before any tool runs: its header or its last variant can't be read."
ILL_FORMED = "plink2 refuses it."


def with_dosage(build: Callable[[Drawn], Files]) -> Callable[[Drawn], Files]:
    return lambda drawn: replace(build(drawn), dosage=True)


def cell(form: str, value: str, rest: str) -> Callable[[Drawn], Files]:
    """Return a builder of a VCF in whose fifth record the first sample's cell is `value`, and the others `rest`."""
    edit = nth_record(4, lambda fields: [*fields[:8], form, value, *(rest for _ in fields[10:])])
    return rewrite("vcf", "geno", edit)


def every_cell(form: str, value: str) -> Callable[[Drawn], Files]:
    return rewrite("vcf", "geno", each_record(lambda fields: [*fields[:8], form, *(value for _ in fields[9:])]))


def twice(drawn: Drawn) -> Files:
    """The first site once more, with other genotypes."""
    sites = (drawn.genomes.sites[0], *drawn.genomes.sites)
    copies = np.vstack([np.roll(drawn.genomes.alt_copies[0], 1), drawn.genomes.alt_copies])
    return drawn.write("pfile", sites=sites, alt_copies=copies)


def renamed(drawn: Drawn) -> Files:
    return drawn.write("pfile", samples=("OTHER", *drawn.samples[1:]))


def fewer_samples(drawn: Drawn) -> Files:
    return drawn.write(
        "pfile",
        samples=drawn.samples[1:],
        sexes=drawn.genomes.sexes[1:],
        alt_copies=drawn.genomes.alt_copies[:, 1:],
    )


def on_y(drawn: Drawn) -> Files:
    return drawn.write("pfile")


def of_another(lines: list[str]) -> list[str]:
    """What is left when the first sample or variant is left out."""
    at = sum(line.startswith("#") for line in lines)
    return [*lines[:at], *lines[at + 1 :]]


def sample(index: int, iid: str) -> Callable[[list[str]], list[str]]:
    """Return a change of a psam's or fam's id of one sample."""

    def edit(lines: list[str]) -> list[str]:
        at = sum(line.startswith("#") for line in lines)
        column = 0 if at else 1
        return nth_record(index, field(column, iid))(lines)

    return edit


def header(change: Callable[[list[str]], list[str]]) -> Callable[[list[str]], list[str]]:
    """Return a change of the fields of a VCF's line of columns."""
    return lambda lines: ["\t".join(change(x.split("\t"))) if x.startswith("#CHROM") else x for x in lines]


REFUSED = (
    OddFile("empty pgen", "a pgen of no bytes", damage("pfile", "geno", lambda b: b""), GENOTYPES, CUT),
    OddFile("cut pgen", "the first half of a pgen", damage("pfile", "geno", lambda b: b[: len(b) // 2]), GENOTYPES, CUT),
    OddFile("pgen without its last byte", "a pgen cut by one byte", damage("pfile", "geno", lambda b: b[:-1]), GENOTYPES, CUT),
    OddFile("no pgen", "a zip file named .pgen", damage("pfile", "geno", lambda b: b"PK" + b[2:]), GENOTYPES, CUT),
    OddFile("empty bed", "a bed of no bytes", damage("bfile", "geno", lambda b: b""), GENOTYPES, CUT),
    OddFile("cut bed", "a bed cut by one byte", damage("bfile", "geno", lambda b: b[:-1]), GENOTYPES, CUT),
    OddFile("long bed", "a bed with bytes behind its end", damage("bfile", "geno", lambda b: b + b"\0"), GENOTYPES,
            "Its size doesn't fit the numbers of variants and samples."),
    OddFile("sample-major bed", "a bed in plink's old order", damage("bfile", "geno", lambda b: b[:2] + b"\0" + b[3:]),
            GENOTYPES, "plink2 converts it only by a command of its own."),
    OddFile("empty pvar", "a pvar of no bytes", damage("pfile", "variants", lambda b: b""), GENOTYPES, ILL_FORMED),
    OddFile("cut pvar.zst", "the first half of a compressed pvar", damage("pfile", "variants", lambda b: b[: len(b) // 2]),
            GENOTYPES, ILL_FORMED),
    OddFile("empty psam", "a psam of no bytes", damage("pfile", "pheno", lambda b: b""), GENOTYPES, ILL_FORMED),
    OddFile("pvar of another cohort", "a pvar of one variant less", rewrite("pfile", "variants", of_another), GENOTYPES,
            ILL_FORMED),
    OddFile("psam of another cohort", "a psam of one sample less", rewrite("pfile", "pheno", of_another), GENOTYPES,
            ILL_FORMED),
    OddFile("bim of another cohort", "a bim of one variant less", rewrite("bfile", "variants", of_another), GENOTYPES,
            ILL_FORMED),
    OddFile("fam of another cohort", "a fam of eight samples less", rewrite("bfile", "pheno", lambda lines: lines[8:]),
            GENOTYPES, ILL_FORMED),
    OddFile("pvar without ALT", "a pvar that has no ALT column",
            rewrite("pfile", "variants", lambda lines: [line.rsplit("\t", 1)[0] if not line.startswith("##") else line for line in lines]),
            GENOTYPES, ILL_FORMED),
    OddFile("pvar with a short line", "a line of two columns", rewrite("pfile", "variants", nth_record(3, lambda f: f[:2])),
            GENOTYPES, ILL_FORMED),
    OddFile("pvar with a blank line", "a blank line between variants",
            rewrite("pfile", "variants", nth_record(3, lambda f: [""])), GENOTYPES, ILL_FORMED),
    OddFile("pvar with a word for a position", "a position of unknown",
            rewrite("pfile", "variants", nth_record(3, field(1, "unknown"))), GENOTYPES, ILL_FORMED),
    OddFile("pvar with a position of 1e3", "a position that R wrote",
            rewrite("pfile", "variants", nth_record(0, field(1, "1e3"))), GENOTYPES,
            "Ambiguous: plink2 reads 1.", plink2=GENOTYPES),
    OddFile("pvar with a position under 0", "a position of -5", rewrite("pfile", "variants", nth_record(0, field(1, "-5"))),
            GENOTYPES, "plink2 leaves the variant out, and then has one less than the pgen."),
    OddFile("pvar with NUL bytes", "a NUL byte in a variant's id",
            rewrite("pfile", "variants", nth_record(3, field(2, "rs\0"))), GENOTYPES, ILL_FORMED),
    OddFile("psam with NUL bytes", "a NUL byte in a sample's id", rewrite("pfile", "pheno", sample(3, "S\0")), GENOTYPES,
            ILL_FORMED),
    OddFile("psam in Latin-1", "an id that isn't UTF-8", damage("pfile", "pheno", lambda b: b.replace(b"S003", b"S\xe9")),
            GENOTYPES, "pgscatalog-aggregate can't read plink2's output."),
    OddFile("psam with quotation marks", "an id with a quotation mark", rewrite("pfile", "pheno", sample(3, '"S003"')),
            GENOTYPES, "Ambiguous: pgscatalog-aggregate takes them off."),
    OddFile("psam without IID", "a header of FID and SEX",
            rewrite("pfile", "pheno", lambda lines: [lines[0].replace("#IID", "#FID"), *lines[1:]]), GENOTYPES, ILL_FORMED),
    OddFile("psam with a short line", "a line without SEX, which the header has",
            rewrite("pfile", "pheno", nth_record(3, lambda f: f[:1])), GENOTYPES, ILL_FORMED),
    OddFile("an id of 0", "a sample named 0", rewrite("pfile", "pheno", sample(3, "0")), GENOTYPES, ILL_FORMED),
    OddFile("fam of four columns", "a fam without sex and phenotype",
            rewrite("bfile", "pheno", lambda lines: ["\t".join(line.split("\t")[:4]) for line in lines]), GENOTYPES, ILL_FORMED),
    OddFile("psam with an id twice", "the same IID twice", rewrite("pfile", "pheno", sample(3, "S001")), SAMPLES,
            "plink2 takes it; which score is whose nobody could tell."),
    OddFile("fam with an id twice", "the same FID and IID twice", rewrite("bfile", "pheno", sample(3, "S001")), SAMPLES,
            "plink2 takes it; which score is whose nobody could tell."),
    OddFile("VCF with an id twice", "the same sample twice",
            rewrite("vcf", "geno", header(field(10, "S001"))), SAMPLES, "plink2 takes it; which score is whose nobody could tell."),
    OddFile("VCF with a space in an id", "a sample named John Doe", rewrite("vcf", "geno", header(field(10, "John Doe"))),
            GENOTYPES, ILL_FORMED),
    OddFile("another sample in one chromosome", "a sample that the other chromosomes don't have", renamed, "samplesheet-invalid",
            "Its sum would be that of the other chromosomes alone."),
    OddFile("a sample less in one chromosome", "a sample that only the other chromosomes have", fewer_samples,
            "samplesheet-invalid", "Its sum would be that of the other chromosomes alone."),
    OddFile("a variant twice", "position, REF and ALT twice, with other genotypes", twice, "duplicate-matches",
            "Ambiguous. plink2: the variant's id appears multiple times in the main dataset."),
    OddFile("lower case alleles", "a, c, g, t in a pvar",
            rewrite("pfile", "variants", each_record(lambda f: [*f[:3], f[3].lower(), f[4].lower()])), "zero-matches",
            "The PGS Catalog's tools mind capitals."),
    OddFile("another chromosome's files", "variants of MT in the files of a row of another chromosome",
            rewrite("pfile", "variants", each_record(field(0, "MT"))), "zero-matches", "None can be matched."),
    OddFile("a score on Y", "calls on Y", on_y, "needs-plink2", "Women's calls on Y don't count, men's count half.",
            plink2="calculated", chrom="Y"),
    OddFile("cut VCF", "the first half of a compressed VCF", damage("vcf", "geno", lambda b: b[: len(b) // 2]), GENOTYPES, ILL_FORMED),
    OddFile("empty VCF", "a VCF of no bytes", damage("vcf", "geno", lambda b: b""), GENOTYPES, ILL_FORMED),
    OddFile("VCF without columns' line", "no line that begins with #CHROM",
            rewrite("vcf", "geno", lambda lines: [x for x in lines if not x.startswith("#CHROM")]), GENOTYPES, ILL_FORMED),
    OddFile("VCF of sites", "neither FORMAT nor samples",
            rewrite("vcf", "geno", lambda lines: ["\t".join(x.split("\t")[:8]) for x in lines]), GENOTYPES, "It holds nobody's genotypes."),
    OddFile("VCF of another chromosome", "no record of the row's chromosome", rewrite("vcf", "geno", each_record(field(0, "MT"))),
            GENOTYPES, ILL_FORMED),
    OddFile("VCF with a short record", "a cell less than the header has", rewrite("vcf", "geno", nth_record(3, lambda f: f[:-1])),
            GENOTYPES, ILL_FORMED),
    OddFile("half-calls", "./1", cell("GT", "./1", "0/0"), GENOTYPES, "plink2 refuses it (--vcf-half-call)."),
    OddFile("three alleles", "0/0/1", cell("GT", "0/0/1", "0/0"), GENOTYPES,
            "plink2 refuses it, or in older versions counts it as missing.", plink2="calculated"),
    OddFile("an allele that ALT doesn't have", "0/2 where there is one ALT", cell("GT", "0/2", "0/0"), GENOTYPES, ILL_FORMED),
    OddFile("an empty cell", "nothing for a sample", cell("GT", "", "0/0"), GENOTYPES, ILL_FORMED),
    OddFile("GT behind DP", "DP:GT", cell("DP:GT", "9:0/1", "9:0/0"), GENOTYPES,
            "The specification puts GT first; plink2 finds no GT and counts every genotype as missing.", plink2="calculated"),
    OddFile("a dosage over 2", "DS of 2.5", with_dosage(cell("GT:DS", "0/1:2.5", "0/0:0")), GENOTYPES, ILL_FORMED),
    OddFile("a dosage of a haploid call over 1", "DS of 1.5 beside GT of 1", with_dosage(cell("GT:DS", "1:1.5", "0/0:0")),
            GENOTYPES, ILL_FORMED),
    OddFile("a dosage under 0", "DS of -0.1", with_dosage(cell("GT:DS", "0/1:-0.1", "0/0:0")), GENOTYPES, ILL_FORMED),
    OddFile("a dosage of nan", "DS of nan", with_dosage(cell("GT:DS", "0/1:nan", "0/0:0")), GENOTYPES, ILL_FORMED),
    OddFile("a dosage of NA", "DS of NA", with_dosage(cell("GT:DS", "0/1:NA", "0/0:0")), GENOTYPES, ILL_FORMED),
    OddFile("a half-call beside a dosage", "./1 and DS", with_dosage(cell("GT:DS", "./1:1", "0/0:0")), GENOTYPES, ILL_FORMED),
    OddFile("DS alone that isn't asked for", "FORMAT is DS, vcf_import_dosage false", every_cell("DS", "0.5"), GENOTYPES,
            "plink2 counts every genotype as missing: everybody's score would be the same."),
    OddFile("GP alone", "FORMAT is GP", with_dosage(every_cell("GP", "0.1,0.8,0.1")), GENOTYPES,
            "pgsc_calc reads GT and DS alone: everybody's score would be the same."),
)  # fmt: skip
