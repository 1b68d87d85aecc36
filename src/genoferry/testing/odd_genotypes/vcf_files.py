"""Odd VCFs that have one right sum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from genoferry.testing.genomes import gzip_bytes
from genoferry.testing.odd_genotypes.edits import DS_HEADER, each_record, field, load, nth_record, rewrite, save
from genoferry.testing.odd_genotypes.plink_builders import lost
from genoferry.testing.odd_genotypes.row import CALCULATED, Drawn, Files, Floats, OddFile

Cell = Callable[[str, float], str]
"""A sample's cell, of its call (as 0/1) and its DS."""


def with_cells(
    form: str, cell: Cell, copies: Callable[[Floats, Floats], Floats] | None = None, *, dosage: bool = False
) -> Callable[[Drawn], Files]:
    """Return a builder whose cells `cell` makes. `copies`: what they say, of calls and DS; None: the calls."""

    def build(drawn: Drawn) -> Files:
        ds = np.random.default_rng(11).integers(0, 33, drawn.copies.shape) / 16
        rows = iter(ds.tolist())

        def change(fields: list[str]) -> list[str]:
            pairs = zip(fields[9:], next(rows), strict=True)
            return [*fields[:8], form, *(cell(call, dose) for call, dose in pairs)]

        files = rewrite("vcf", "geno", each_record(change))(drawn)
        save(files.geno, load(files.geno).replace("#CHROM", f"{DS_HEADER}\n#CHROM"))
        said = copies(drawn.copies, ds) if copies else drawn.copies
        return replace(files, copies=said, dosage=dosage)

    return build


def haploid(call: str, _: float) -> str:
    """Of a diploid homozygous call."""
    return call[0] if call[0] == call[2] else call


def halved(call: str, dose: float) -> str:
    return f"{haploid(call, dose)}:{dose if call[0] != call[2] else dose / 2}"


def without_calls(drawn: Drawn) -> Files:
    """The first record says nothing of GT."""
    files = rewrite("vcf", "geno", nth_record(0, lambda f: [*f[:8], "DP", *("7" for _ in f[9:])]))(drawn)
    copies = drawn.copies
    copies[0] = -1
    return replace(files, copies=copies)


def plain_text(drawn: Drawn) -> Files:
    files = drawn.write("vcf")
    files.geno.write_text(load(files.geno))
    return files


def in_members(drawn: Drawn) -> Files:
    """As bgzip writes it: one gzip member after the other, an empty one last."""
    files = drawn.write("vcf")
    text = load(files.geno)
    parts = (text[:700], text[700:1500], text[1500:], "")
    files.geno.write_bytes(b"".join(gzip_bytes(part) for part in parts))
    return files


def crlf(drawn: Drawn) -> Files:
    return rewrite("vcf", "geno", lambda lines: [f"{line}\r" for line in lines])(drawn)


def other_contigs(lines: list[str]) -> list[str]:
    last = lines[-1].split("\t")
    return [*lines, "\t".join(["GL000192.1", *last[1:]]), "\t".join(["MT", *last[1:]])]


def no_letters(lines: list[str]) -> list[str]:
    monomorphic = nth_record(8, lambda fields: [*fields[:4], ".", *fields[5:9], *("0/0" for _ in fields[9:])])
    return nth_record(7, field(4, "<DEL>"))(monomorphic(lines))


def two_alts(fields: list[str]) -> list[str]:
    return [*fields[:4], f"{fields[4]},<DEL>", *fields[5:9], *(cell.replace("1", "2") for cell in fields[9:])]


GT_FIRST = "plink2 reads GT, and passes over the rest."
VCF = (
    OddFile(
        "phased calls",
        "0|1 among 0/1",
        with_cells("GT", lambda call, dose: call if dose > 1 else call.replace("/", "|")),
        CALCULATED,
        "Phase doesn't count.",
    ),
    OddFile(
        "haploid calls",
        "homozygous calls as one allele, on an autosome",
        with_cells("GT", haploid),
        CALCULATED,
        "plink2 takes a haploid call for a homozygous one.",
    ),
    OddFile(
        "haploid calls on X",
        "one allele on X",
        with_cells("GT", haploid),
        CALCULATED,
        "They count as two; a VCF says nothing of sex, so that nobody weighs half.",
        chrom="X",
    ),
    OddFile(
        "more fields than GT",
        "GT:AD:PL, the last of them left out in some cells",
        with_cells("GT:AD:PL", lambda call, dose: f"{call}:1,2:0,3,30" if dose > 1 else f"{call}:1,2"),
        CALCULATED,
        GT_FIRST,
    ),
    OddFile(
        "DS that isn't asked for",
        "GT:DS, vcf_import_dosage false",
        with_cells("GT:DS", lambda call, dose: f"{call}:{dose}"),
        CALCULATED,
        "pgsc_calc gives plink2 dosage=DS only where the samplesheet says so.",
    ),
    OddFile(
        "DS beside GT",
        "GT:DS, vcf_import_dosage true",
        with_cells("GT:DS", lambda call, dose: f"{call}:{dose}", lambda _, ds: ds, dosage=True),
        CALCULATED,
        "DS counts, also where GT is missing.",
    ),
    OddFile(
        "DS of some",
        "a missing DS, or none, beside GT",
        with_cells(
            "GT:DS",
            lambda call, dose: call if dose < 0.5 else f"{call}:." if dose < 1 else f"{call}:{dose}",
            lambda calls, ds: np.where(ds < 1, calls, ds),
            dosage=True,
        ),
        CALCULATED,
        "GT counts where there is no DS.",
    ),
    OddFile(
        "DS alone",
        "FORMAT is DS, vcf_import_dosage true",
        with_cells("DS", lambda _, dose: str(dose), lambda _, ds: ds, dosage=True),
        CALCULATED,
        "DS counts.",
    ),
    OddFile(
        "DS of haploid calls",
        "DS from 0 to 1 beside a haploid call",
        with_cells("GT:DS", halved, lambda _, ds: ds, dosage=True),
        CALCULATED,
        "plink2 doubles the DS of a haploid call.",
    ),
    OddFile(
        "a record without GT",
        "FORMAT is DP in one record",
        without_calls,
        CALCULATED,
        "All of its genotypes are missing; plink2 takes one half for the frequency.",
    ),
    OddFile(
        "plain text named .gz",
        "a VCF that isn't compressed, though its name says so",
        plain_text,
        CALCULATED,
        "The bytes tell, not the name.",
    ),
    OddFile(
        "bgzip", "gzip in many members, the last of them empty", in_members, CALCULATED, "It is what bgzip writes."
    ),
    OddFile("VCF with CRLF", "Windows' line ends in a VCF", crlf, CALCULATED, "plink2 takes them off."),
    OddFile(
        "VCF with chr",
        "chr before the chromosome's number",
        rewrite("vcf", "geno", each_record(lambda f: [f"chr{f[0]}", *f[1:]])),
        CALCULATED,
        "plink2 takes it off.",
    ),
    OddFile(
        "VCF with other contigs",
        "records of MT and of a contig",
        rewrite("vcf", "geno", other_contigs),
        CALCULATED,
        "Only the row's chromosome is imported.",
    ),
    OddFile(
        "VCF with two ALT",
        "a record with two ALT",
        lost(6)(rewrite("vcf", "geno", nth_record(6, two_alts))),
        CALCULATED,
        "pgsc_calc leaves it out (--max-alleles 2), unless keep_multiallelic is set.",
    ),
    OddFile(
        "VCF with a symbolic ALT",
        "<DEL> and . in place of two ALT",
        lost(7, 8)(rewrite("vcf", "geno", no_letters)),
        CALCULATED,
        "They match no allele.",
    ),
)
