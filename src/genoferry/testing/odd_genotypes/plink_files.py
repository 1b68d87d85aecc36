"""Odd pgen and bed filesets that have one right sum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from genoferry.testing.genomes import Site
from genoferry.testing.odd_genotypes.edits import each_record, field, load, nth_record, rewrite, save
from genoferry.testing.odd_genotypes.row import CALCULATED, Drawn, Files, Floats, OddFile

NO_PHENOTYPE = "Of a fam file's six columns pgsc_calc's plink2 wants all; the first five have all that counts."


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


def lost(*rows: int) -> Callable[[Callable[[Drawn], Files]], Callable[[Drawn], Files]]:
    """Return what marks sites as lost in the files of a builder."""
    return lambda build: lambda drawn: replace(build(drawn), lost=frozenset(rows))


def _alleles(copies: np.ndarray[tuple[int], np.dtype[np.int8]], alt: int) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    """Two codes a sample, -9 where missing."""
    first, second = np.where(copies == 2, alt, 0), np.where(copies >= 1, alt, 0)
    pairs = np.stack([first, second], axis=1)
    pairs[copies < 0] = -9
    return pairs.astype(np.int32).ravel()


def _columns(lines: list[str]) -> list[str]:
    """A pvar with more columns, in another order than plink2 writes them."""
    head = ['##INFO=<ID=AF,Number=A,Type=Float,Description="x">', "#CHROM\tID\tREF\tPOS\tFILTER\tALT\tINFO"]
    cells = [line.split("\t") for line in lines if not line.startswith("#")]
    return head + [f"{c}\t{i}\t{r}\t{p}\tPASS\t{a}\tAF=0.1;X" for c, p, i, r, a in cells]


def _bare(lines: list[str]) -> list[str]:
    cells = [line.split("\t") for line in lines if not line.startswith("#")]
    return [f"{c}\t{i}\t0\t{p}\t{a}\t{r}" for c, p, i, r, a in cells]


EVERY_SAMPLE = "Scores are summed by FID and IID, whatever their order."
AS_IT_IS = "plink2 takes it as it is."

PFILE = (
    OddFile(
        "samples in another order",
        "another order of samples than in the other chromosomes' files",
        reordered,
        CALCULATED,
        EVERY_SAMPLE,
    ),
    OddFile(
        "psam of ids alone",
        "a psam without SEX, parents and phenotypes",
        rewrite("pfile", "pheno", lambda lines: [line.split("\t")[0] for line in lines]),
        CALCULATED,
        "SEX counts on X and Y only.",
    ),
    OddFile(
        "psam without header",
        "a psam laid out as a fam",
        rewrite("pfile", "pheno", lambda lines: [f"0\t{x.split()[0]}\t0\t0\t{x.split()[1]}\tNA" for x in lines[1:]]),
        CALCULATED,
        AS_IT_IS,
    ),
    OddFile(
        "psam with phenotypes",
        "comments, phenotypes and a missing one in a psam",
        rewrite(
            "pfile", "pheno", lambda lines: ["##x", "#y", f"{lines[0]}\tQ\tB", *(f"{x}\tNA\t1" for x in lines[1:])]
        ),
        CALCULATED,
        AS_IT_IS,
    ),
    OddFile(
        "psam with CRLF",
        "Windows' line ends in a psam",
        rewrite("pfile", "pheno", lambda lines: [f"{line}\r" for line in lines]),
        CALCULATED,
        AS_IT_IS,
    ),
    OddFile(
        "pvar with CRLF",
        "Windows' line ends in a pvar",
        rewrite("pfile", "variants", lambda lines: [f"{line}\r" for line in lines]),
        CALCULATED,
        AS_IT_IS,
    ),
    OddFile(
        "pvar with other columns",
        "FILTER and INFO, and columns in another order",
        rewrite("pfile", "variants", _columns),
        CALCULATED,
        AS_IT_IS,
    ),
    OddFile(
        "pvar without header", "a pvar laid out as a bim", rewrite("pfile", "variants", _bare), CALCULATED, AS_IT_IS
    ),
    OddFile(
        "positions out of order",
        "variants from the last position to the first",
        unsorted,
        CALCULATED,
        "plink2 warns; a score asks for no order.",
    ),
    OddFile(
        "positions with decimals",
        "a position of 1000.0",
        rewrite("pfile", "variants", nth_record(0, field(1, "1000.0"))),
        CALCULATED,
        "plink2 reads it as 1000.",
    ),
    OddFile(
        "chr before the number",
        "chromosomes named chr1, chr2, …",
        rewrite("pfile", "variants", each_record(lambda f: [f"chr{f[0]}", *f[1:]])),
        CALCULATED,
        "plink2 takes the prefix off.",
    ),
    OddFile(
        "zero before the number",
        "chromosomes named CHR01, CHR02, …",
        rewrite("pfile", "variants", each_record(lambda f: [f"CHR{f[0]:0>2}", *f[1:]])),
        CALCULATED,
        "plink2 minds no capitals, and takes off a 0 before one digit.",
    ),
    OddFile(
        "no variant ids",
        "a dot for every variant's id",
        rewrite("pfile", "variants", each_record(field(2, "."))),
        CALCULATED,
        "Ids are given anew.",
    ),
    OddFile(
        "one id for all variants",
        "the same id for every variant",
        rewrite("pfile", "variants", each_record(field(2, "rs1"))),
        CALCULATED,
        "Ids are given anew.",
    ),
    OddFile(
        "split multi-allelics",
        "a position twice, each time with one of its ALT",
        split_sites,
        CALCULATED,
        "The alleles tell which is meant.",
    ),
    OddFile(
        "joined multi-allelics",
        "a site with two ALT",
        multiallelic,
        CALCULATED,
        "pgsc_calc leaves it out, unless keep_multiallelic is set; the rest is over the overlap.",
    ),
    OddFile(
        "an allele of 101 bases",
        "an ALT of 101 bases in place of the one that was meant",
        lost(2)(rewrite("pfile", "variants", nth_record(2, field(4, "A" * 101)))),
        CALCULATED,
        "pgsc_calc gives it no id (--new-id-max-allele-len 100), so that it matches nothing.",
    ),
    OddFile(
        "other chromosomes beside",
        "variants of MT and of a contig in a chromosome's files",
        elsewhere,
        CALCULATED,
        "The PGS Catalog's tools match 1-22, X and Y alone.",
    ),
    OddFile("dosages", "imputed dosages beside calls in a pgen", dosages, CALCULATED, "plink2 counts the dosages."),
    OddFile("phased", "a phased pgen", phased, CALCULATED, "Phase doesn't count."),
    OddFile(
        "children",
        "twelve of sixty samples have a parent among them",
        children,
        "calculated",
        "Under 50 founders there is no frequency: a missing genotype counts nothing. pgsc_calc counts samples, not "
        "founders, and so ends in plink2's error.",
    ),
    OddFile(
        "men on X",
        "men, whose calls on X are stored as two alleles, and missing ones",
        men,
        CALCULATED,
        "Men weigh half in the frequency; their calls count as they are stored.",
        chrom="X",
    ),
    OddFile(
        "men with two alleles on X",
        "heterozygous men on X, which has plink's number, 23",
        men_with_two_alleles,
        CALCULATED,
        "plink2 writes X for 23, and counts the calls as they are.",
        chrom="X",
    ),
)

BFILE = (
    OddFile("REF and ALT swapped", "a bim whose alleles are swapped at each third site, and the calls with them", swapped,
            CALCULATED, "The effect allele is looked for by its letter."),
    OddFile("a variant nobody has a genotype of", "a site without any call", no_genotype, CALCULATED,
            "plink2 takes one half for its frequency."),
    OddFile("fam without phenotype", "a fam of five columns",
            rewrite("bfile", "pheno", lambda lines: [line.rsplit("\t", 1)[0] for line in lines]), CALCULATED, NO_PHENOTYPE,
            plink2="genotypes-invalid"),
    OddFile("fam with more columns", "a fam of seven columns, the sixth a word",
            rewrite("bfile", "pheno", lambda lines: [f"{line.rsplit(chr(9), 1)[0]}\tcase\t3" for line in lines]),
            CALCULATED, AS_IT_IS),
    OddFile("fam with spaces", "a fam and a bim with spaces between columns",
            rewrite("bfile", "pheno", lambda lines: [line.replace("\t", "  ") for line in lines]), CALCULATED, AS_IT_IS),
    OddFile("bim without centimorgans", "a bim of five columns",
            rewrite("bfile", "variants", each_record(lambda f: [*f[:2], *f[3:]])), CALCULATED, AS_IT_IS),
    OddFile("bim with 0 for an allele", "an ALT that nobody has, stored as 0",
            lost(5)(rewrite("bfile", "variants", nth_record(5, field(4, "0")))), CALCULATED, "It matches no allele."),
    OddFile("one IID in several families", "each IID twice, in two families",
            families(lambda i: f"F{i % 2}", lambda drawn, i: drawn.samples[i // 2]), CALCULATED, EVERY_SAMPLE, alone=True),
)  # fmt: skip

__all__ = ["BFILE", "PFILE", "Floats"]
