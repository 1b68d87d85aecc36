"""Builders of genotype files that are refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from genoferry.testing.odd_genotypes.edits import DS_HEADER, each_record, field, load, nth_record, rewrite, save
from genoferry.testing.odd_genotypes.row import Drawn, Files

GENOTYPES = "genotypes-invalid"
SAMPLES = "duplicate-samples"
CUT = "Found before any tool runs: its header or its last variant can't be read."
ILL_FORMED = "plink2 refuses it."


def with_dosage(build: Callable[[Drawn], Files]) -> Callable[[Drawn], Files]:
    def declared(drawn: Drawn) -> Files:
        files = build(drawn)
        save(files.geno, load(files.geno).replace("#CHROM", f"{DS_HEADER}\n#CHROM"))
        return replace(files, dosage=True)

    return declared


def undeclared(drawn: Drawn) -> Files:
    return replace(every_cell("GT:DS", "0/1:0.5")(drawn), dosage=True)


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


def without_alt(lines: list[str]) -> list[str]:
    return [line if line.startswith("##") else line.rsplit("\t", 1)[0] for line in lines]


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
