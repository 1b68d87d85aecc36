"""pgsc_calc's samplesheet, and the names that the genotype files have beside it.

Sources: pgsc_calc 2.2.0, `lib/SamplesheetParser.groovy` (both forms, and the endings that it looks for) and
`modules/local/plink2_*.nf` (plink2 is told a prefix, so the files of a row need one, and of compressed variants only
`.zst` is found).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from genoferry.contracts.pipeline import PipelineParam, TargetGenome
from genoferry.errors import SamplesheetInvalid

Which = Literal["geno", "variants", "pheno"]
WHICH: tuple[Which, ...] = ("geno", "variants", "pheno")

FILES: Mapping[str, str] = {"json": "samplesheet.json", "csv": "samplesheet.csv"}
"""The samplesheet's name, by its format."""

_VCF = {".vcf": ".vcf", ".vcf.gz": ".vcf.gz", ".vcf.bgz": ".vcf.gz", ".vcf.zst": ".vcf.zst"}
ENDINGS: Mapping[tuple[str, Which], Mapping[str, str]] = {
    ("pfile", "geno"): {".pgen": ".pgen"},
    ("pfile", "variants"): {".pvar": ".pvar", ".pvar.zst": ".pvar.zst"},
    ("pfile", "pheno"): {".psam": ".psam"},
    ("bfile", "geno"): {".bed": ".bed"},
    ("bfile", "variants"): {".bim": ".bim", ".bim.zst": ".bim.zst"},
    ("bfile", "pheno"): {".fam": ".fam"},
    ("vcf", "geno"): _VCF,
    ("vcf", "variants"): _VCF,
    ("vcf", "pheno"): _VCF,
}
"""The ending of our name by that of the sender's. `.pvar.gz` and `.bim.gz` are not among them: plink2 doesn't find
them by their prefix."""

CSV_COLUMNS = ("sampleset", "path_prefix", "chrom", "format", "vcf_genotype_field")


def file_name(row: TargetGenome, which: Which) -> str:
    """Our name of a row's file: `<sampleset>_<chrom or ALL>.<ending>`. A VCF has one name for all three. Raises
    `SamplesheetInvalid` for a file of another ending than pgsc_calc can read."""
    if row.format == "vcf" and len(set(row.files)) > 1:
        raise SamplesheetInvalid("target_genomes: a VCF is one file; name it in geno, variants and pheno.")
    return prefix(row) + _ending(row, which)


def prefix(row: TargetGenome) -> str:
    """What the names of a row's files have in common."""
    return f"{row.sampleset}_{row.chrom or 'ALL'}"


def _ending(row: TargetGenome, which: Which) -> str:
    endings, name = ENDINGS[row.format, which], getattr(row, which)
    found = [ours for theirs, ours in endings.items() if name.endswith(theirs)]
    if not found:
        raise SamplesheetInvalid(f"target_genomes: {which} of a {row.format} must end in {', '.join(endings)}.")
    return found[0]


def render(pipeline: PipelineParam, genomes: Path | str) -> tuple[str, str]:
    """The samplesheet's name and text; the files are in the folder `genomes`, given as an absolute path."""
    form = pipeline.nxf_params_file.format
    for row in pipeline.target_genomes:
        for which in WHICH:
            file_name(row, which)  # CSV names no endings, but takes none that JSON doesn't
    return FILES[form], {"json": _json, "csv": _csv}[form](pipeline, str(genomes))


def _json(pipeline: PipelineParam, genomes: str) -> str:
    rows = [
        {
            "sampleset": row.sampleset,
            "chrom": row.chrom,
            "format": row.format,
            **{which: f"{genomes}/{file_name(row, which)}" for which in WHICH},
            "vcf_import_dosage": row.vcf_import_dosage,
        }
        for row in pipeline.target_genomes
    ]
    return json.dumps(rows, indent=2) + "\n"


def _csv(pipeline: PipelineParam, genomes: str) -> str:
    """`vcf_genotype_field` DS stands for `vcf_import_dosage`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for row in pipeline.target_genomes:
        field = "DS" if row.vcf_import_dosage else "GT"
        writer.writerow((row.sampleset, f"{genomes}/{prefix(row)}", row.chrom or "", row.format, field))
    return text.getvalue()
