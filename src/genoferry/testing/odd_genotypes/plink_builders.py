"""Builders of odd pgen and bed filesets that have one right sum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from genoferry.testing.genomes import Site
from genoferry.testing.odd_genotypes.edits import each_record, field, load, rewrite, save
from genoferry.testing.odd_genotypes.row import Drawn, Files


def reordered(drawn: Drawn) -> Files:
    order = np.random.default_rng(5).permutation(len(drawn.samples)).tolist()
    samples, sexes = (tuple(part[i] for i in order) for part in (drawn.samples, drawn.genomes.sexes))
    return drawn.write("pfile", samples=samples, sexes=sexes, alt_copies=drawn.genomes.alt_copies[:, order])


def swapped(drawn: Drawn) -> Files:
    sites = [replace(s, ref=s.alt, alt=s.ref) if i % 3 == 0 else s for i, s in enumerate(drawn.genomes.sites)]
    copies = drawn.genomes.alt_copies.copy()
    copies[::3] = np.where(copies[::3] < 0, -1, 2 - copies[::3])
    return drawn.write("bfile", sites=tuple(sites), alt_copies=copies)


def split_sites(drawn: Drawn) -> Files:
    """Each third site once more, with another ALT that no score asks for."""
    sites, copies = [], []
    for i, site in enumerate(drawn.genomes.sites):
        sites.append(site)
        copies.append(drawn.genomes.alt_copies[i])
        if i % 3 == 0:
            other = next(base for base in "ACGT" if base not in (site.ref, site.alt))
            sites.append(replace(site, alt=other))
            copies.append(np.roll(copies[-1], 1))
    return drawn.write("pfile", sites=tuple(sites), alt_copies=np.array(copies))


def elsewhere(drawn: Drawn) -> Files:
    """Two sites more, on a chromosome that the row doesn't name."""
    more = (Site("MT", 1000, "A", "C", "."), Site("GL000192.1", 1000, "A", "C", "."))
    copies = np.vstack([drawn.genomes.alt_copies, drawn.genomes.alt_copies[:2]])
    return drawn.write("pfile", sites=(*drawn.genomes.sites, *more), alt_copies=copies)


def unsorted(drawn: Drawn) -> Files:
    return drawn.write("pfile", sites=drawn.genomes.sites[::-1], alt_copies=drawn.genomes.alt_copies[::-1])


def dosages(drawn: Drawn) -> Files:
    import pgenlib

    files, count = drawn.write("pfile"), len(drawn.samples)
    steps = np.random.default_rng(3).integers(-8, 9, drawn.copies.shape) / 16
    copies = np.where(drawn.copies < 0, -9, np.clip(drawn.copies + steps, 0, 2))
    with pgenlib.PgenWriter(
        bytes(files.geno), count, variant_ct=len(copies), nonref_flags=False, dosage_present=True
    ) as pgen:
        for row in copies:
            pgen.append_dosages(row.astype(np.float32))
    return replace(files, copies=copies)


def phased(drawn: Drawn) -> Files:
    import pgenlib

    files, count = drawn.write("pfile"), len(drawn.samples)
    with pgenlib.PgenWriter(
        bytes(files.geno), count, variant_ct=len(drawn.copies), nonref_flags=False, hardcall_phase_present=True
    ) as pgen:
        for row in drawn.genomes.alt_copies:
            pgen.append_alleles(_alleles(row, 1), all_phased=True)
    return files


def multiallelic(drawn: Drawn) -> Files:
    """The second site has two ALT: what is drawn for it is lost."""
    import pgenlib

    files, count = drawn.write("pfile"), len(drawn.samples)
    with pgenlib.PgenWriter(
        bytes(files.geno), count, variant_ct=len(drawn.copies), nonref_flags=False, allele_ct_limit=3
    ) as pgen:
        for i, row in enumerate(drawn.genomes.alt_copies):
            pgen.append_alleles(_alleles(row, 2 if i == 1 else 1), allele_ct=3 if i == 1 else 2)
    text = load(files.variants)
    site = drawn.genomes.sites[1]
    save(files.variants, text.replace(f"{site.rsid}\t{site.ref}\t{site.alt}\n", f"{site.rsid}\tG\tA,T\n"))
    return replace(files, lost=frozenset({1}))


def no_genotype(drawn: Drawn) -> Files:
    copies = drawn.genomes.alt_copies.copy()
    copies[4] = -1
    return replace(drawn.write("bfile", alt_copies=copies), copies=copies.astype(float))


def men(drawn: Drawn) -> Files:
    """Men have none or two in the file, as plink2 stores what is haploid."""
    male = np.array([sex == 1 for sex in drawn.genomes.sexes])
    copies = np.where(male & (drawn.genomes.alt_copies == 1), 2, drawn.genomes.alt_copies).astype(np.int8)
    return replace(drawn.write("pfile", alt_copies=copies), copies=copies.astype(float), men_on_x=male)


def men_with_two_alleles(drawn: Drawn) -> Files:
    files = rewrite("pfile", "variants", each_record(field(0, "23")))(drawn)
    return replace(files, men_on_x=np.array([sex == 1 for sex in drawn.genomes.sexes]))


def children(drawn: Drawn) -> Files:
    """Every fifth has a parent in the cohort, and so is no founder."""
    founders = np.array([i % 5 > 0 for i in range(len(drawn.samples))])
    files = drawn.write("pfile")
    rows = zip(drawn.samples, founders.tolist(), strict=True)
    save(
        files.pheno, "#IID\tPAT\tMAT\n" + "".join(f"{iid}\t{'0' if founder else 'S002'}\t0\n" for iid, founder in rows)
    )
    return replace(files, founders=founders)


def families(fid: Callable[[int], str], iid: Callable[[Drawn, int], str] | None = None) -> Callable[[Drawn], Files]:
    """Return a builder that gives FIDs, and other IIDs where `iid` says so."""

    def build(drawn: Drawn) -> Files:
        own = tuple(iid(drawn, i) if iid else name for i, name in enumerate(drawn.samples))
        files = drawn.write("bfile", samples=own)
        rows = enumerate(own)
        save(files.pheno, "".join(f"{fid(i)}\t{name}\t0\t0\t{1 + i % 2}\t-9\n" for i, name in rows))
        return replace(files, families=tuple(fid(i) for i in range(len(own))), iids=own)

    return build


def zeros_before(drawn: Drawn) -> Files:
    """FIDs of 007, which are published as 7."""
    files = families(lambda _: "007")(drawn)
    return replace(files, families=("7",) * len(drawn.samples))


def lost(*rows: int) -> Callable[[Callable[[Drawn], Files]], Callable[[Drawn], Files]]:
    """Return what marks sites as lost in the files of a builder."""
    return lambda build: lambda drawn: replace(build(drawn), lost=frozenset(rows))


def _alleles(copies: npt.NDArray[np.int8], alt: int) -> npt.NDArray[np.int32]:
    """Two codes a sample, -9 where missing."""
    codes = np.empty(2 * len(copies), np.int32)
    codes[0::2] = np.where(copies < 0, -9, np.where(copies == 2, alt, 0))
    codes[1::2] = np.where(copies < 0, -9, np.where(copies >= 1, alt, 0))
    return codes


def more_columns(lines: list[str]) -> list[str]:
    """A pvar with more columns, in another order than plink2 writes them."""
    head = ['##INFO=<ID=AF,Number=A,Type=Float,Description="x">', "#CHROM\tID\tREF\tPOS\tFILTER\tALT\tINFO"]
    cells = [line.split("\t") for line in lines if not line.startswith("#")]
    return head + [f"{c}\t{i}\t{r}\t{p}\tPASS\t{a}\tAF=0.1;X" for c, p, i, r, a in cells]


def without_header(lines: list[str]) -> list[str]:
    cells = [line.split("\t") for line in lines if not line.startswith("#")]
    return [f"{c}\t{i}\t0\t{p}\t{a}\t{r}" for c, p, i, r, a in cells]
