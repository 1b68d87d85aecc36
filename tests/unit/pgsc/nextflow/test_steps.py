from __future__ import annotations

from typing import Any

import pytest

from genoferry.contracts.pipeline import PipelineParam
from genoferry.pgsc.nextflow.steps import ORDER, expected


def param(*rows: tuple[str | None, str], **nxf: Any) -> PipelineParam:
    genomes = [
        {"sampleset": "c", "chrom": chrom, "format": form, "geno": f"{chrom}.g", "variants": "v", "pheno": "p"}
        for chrom, form in rows
    ]
    return PipelineParam.model_validate(
        {"id": "r", "target_genomes": genomes, "nxf_params_file": {"target_build": "GRCh38", **nxf}}
    )


def test_one_fileset_with_scores_of_its_own() -> None:
    assert expected(param((None, "pfile")), download=False, report=True) == {
        "FORMAT_SCOREFILES": 1,
        "PLINK2_RELABELPVAR": 1,
        "MATCH_VARIANTS": 1,
        "MATCH_COMBINE": 1,
        "PLINK2_SCORE": 1,
        "SCORE_AGGREGATE": 1,
        "SCORE_REPORT": 1,
        "DUMPSOFTWAREVERSIONS": 1,
    }


def test_split_genomes_of_mixed_formats_with_downloaded_scores() -> None:
    request = param(("1", "vcf"), ("2", "bfile"), ("3", "bfile"))
    steps = expected(request, download=True, report=False)
    assert next(iter(steps)) == "DOWNLOAD_SCOREFILES"
    assert (steps["PLINK2_VCF"], steps["PLINK2_RELABELBIM"]) == (1, 2)
    assert (steps["MATCH_VARIANTS"], steps["PLINK2_SCORE"], steps["MATCH_COMBINE"]) == (3, 3, 1)
    assert not {"PLINK2_RELABELPVAR", "SCORE_REPORT", "EXTRACT_DATABASE"} & set(steps)


@pytest.mark.parametrize("report", [True, False])
def test_ancestry_scores_the_reference_panel_too(report: bool) -> None:
    steps = expected(param(("1", "pfile"), ("2", "pfile"), run_ancestry=True), download=False, report=report)
    assert (steps["PLINK2_SCORE"], steps["INTERSECT_VARIANTS"], steps["FRAPOSA_PCA"]) == (3, 2, 1)
    assert ("ANCESTRY_ANALYSIS" in steps) == report


def test_steps_are_in_the_pipelines_order() -> None:
    every = expected(param(("1", "vcf"), ("2", "bfile"), ("3", "pfile"), run_ancestry=True), download=True, report=True)
    assert tuple(every) == ORDER
