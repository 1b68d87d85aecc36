"""Odd genotype files, and what must come of each: the rows of docs/reference/odd-genotypes.md."""

from __future__ import annotations

from genoferry.testing.odd_genotypes.edits import written
from genoferry.testing.odd_genotypes.plink_files import BFILE, PFILE
from genoferry.testing.odd_genotypes.refused_plink_files import REFUSED_FILESETS
from genoferry.testing.odd_genotypes.refused_vcf_files import REFUSED_VCFS
from genoferry.testing.odd_genotypes.row import CALCULATED, Drawn, Files, OddFile, draw, sums, write_score
from genoferry.testing.odd_genotypes.vcf_files import VCF

FEW = "Under 50 samples pgsc_calc gives plink2 no-mean-imputation: a missing genotype counts nothing."
ENOUGH = "From 50 samples on a missing genotype counts as its mean."

COHORTS = (
    OddFile("one sample", "a cohort of one", written("bfile"), CALCULATED, FEW, samples=1, alone=True),
    OddFile("49 samples", "one too few for imputing", written("pfile"), CALCULATED, FEW, samples=49, alone=True),
    OddFile("50 samples", "just enough for imputing", written("vcf"), CALCULATED, ENOUGH, samples=50, alone=True),
    OddFile("51 samples", "one more", written("bfile"), CALCULATED, ENOUGH, samples=51, alone=True),
)

ROWS: tuple[OddFile, ...] = (*PFILE, *BFILE, *VCF, *COHORTS, *REFUSED_FILESETS, *REFUSED_VCFS)

__all__ = ["CALCULATED", "ROWS", "Drawn", "Files", "OddFile", "draw", "sums", "write_score"]
