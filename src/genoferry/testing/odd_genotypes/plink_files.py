"""Odd pgen and bed filesets that have one right sum."""

from __future__ import annotations

from genoferry.testing.odd_genotypes.edits import each_record, field, nth_record, rewrite
from genoferry.testing.odd_genotypes.plink_builders import (
    children,
    dosages,
    elsewhere,
    families,
    lost,
    men,
    men_with_two_alleles,
    more_columns,
    multiallelic,
    no_genotype,
    phased,
    reordered,
    split_sites,
    swapped,
    unsorted,
    without_header,
    zeros_before,
)
from genoferry.testing.odd_genotypes.row import CALCULATED, OddFile

NO_PHENOTYPE = "Of a fam file's six columns pgsc_calc's plink2 wants all; the first five have all that counts."
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
        rewrite("pfile", "variants", more_columns),
        CALCULATED,
        AS_IT_IS,
    ),
    OddFile(
        "pvar without header",
        "a pvar laid out as a bim",
        rewrite("pfile", "variants", without_header),
        CALCULATED,
        AS_IT_IS,
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
    OddFile(
        "REF and ALT swapped",
        "a bim whose alleles are swapped at each third site, and the calls with them",
        swapped,
        CALCULATED,
        "The effect allele is looked for by its letter.",
    ),
    OddFile(
        "a variant nobody has a genotype of",
        "a site without any call",
        no_genotype,
        CALCULATED,
        "plink2 takes one half for its frequency.",
    ),
    OddFile(
        "fam without phenotype",
        "a fam of five columns",
        rewrite("bfile", "pheno", lambda lines: [line.rsplit("\t", 1)[0] for line in lines]),
        CALCULATED,
        NO_PHENOTYPE,
        plink2="genotypes-invalid",
    ),
    OddFile(
        "fam with more columns",
        "a fam of seven columns, the sixth a word",
        rewrite("bfile", "pheno", lambda lines: [f"{line.rsplit(chr(9), 1)[0]}\tcase\t3" for line in lines]),
        CALCULATED,
        AS_IT_IS,
    ),
    OddFile(
        "fam with spaces",
        "a fam and a bim with spaces between columns",
        rewrite("bfile", "pheno", lambda lines: [line.replace("\t", "  ") for line in lines]),
        CALCULATED,
        AS_IT_IS,
    ),
    OddFile(
        "bim without centimorgans",
        "a bim of five columns",
        rewrite("bfile", "variants", each_record(lambda f: [*f[:2], *f[3:]])),
        CALCULATED,
        AS_IT_IS,
    ),
    OddFile(
        "bim with 0 for an allele",
        "an ALT that nobody has, stored as 0",
        lost(5)(rewrite("bfile", "variants", nth_record(5, field(4, "0")))),
        CALCULATED,
        "It matches no allele.",
    ),
    OddFile(
        "one IID in several families",
        "each IID twice, in two families",
        families(lambda i: f"F{i % 2}", lambda drawn, i: drawn.samples[i // 2]),
        CALCULATED,
        EVERY_SAMPLE,
        alone=True,
    ),
    OddFile(
        "family ids with zeros before",
        "FIDs of 007",
        zeros_before,
        CALCULATED,
        "pgscatalog-aggregate reads FIDs as numbers: 7 is published. The IID stays as it is.",
        alone=True,
    ),
    OddFile(
        "an id with a no-break space",
        "a sample's id that holds a space of Unicode's",
        families(lambda _: "0", lambda drawn, i: f"{drawn.samples[i]}\u00a0x"),
        CALCULATED,
        "Columns end at a space or a tab alone.",
        alone=True,
    ),
)
