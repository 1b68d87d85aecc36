"""Whole sets of rendered files, compared with those that were read and agreed on.

Where a change is meant, `RENEW_GOLDEN=1 pytest tests/unit/pgsc/nextflow/test_render_golden.py` writes them anew; read
their diff before it is committed.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from genoferry.cli.render import files
from genoferry.compute.registry import RUNNERS
from genoferry.contracts.envelope import Request
from genoferry.contracts.pipeline import PipelineParam
from genoferry.settings import ComputeSettings, NextflowSettings, Settings

GOLDEN = Path(__file__).parent / "golden"
UUID = "5a70fd19-4215-5128-a2a7-91796b890924"


def pfile(chrom: str | None) -> dict[str, Any]:
    stem = f"sent/hg38_{chrom or 'all'}"
    names = {"geno": f"{stem}.pgen", "variants": f"{stem}.pvar.zst", "pheno": f"{stem}.psam"}
    return {"sampleset": "cohort", "chrom": chrom, "format": "pfile", **names}


def bfile(chrom: str | None) -> dict[str, Any]:
    names = {"geno": "a.bed", "variants": "a.bim", "pheno": "a.fam"}
    return {"sampleset": "cohort", "chrom": chrom, "format": "bfile", **names}


def vcf(chrom: str) -> dict[str, Any]:
    one = dict.fromkeys(("geno", "variants", "pheno"), f"calls {chrom}.vcf.bgz")
    return {"sampleset": "cohort", "chrom": chrom, "format": "vcf", "vcf_import_dosage": True, **one}


@dataclass(frozen=True)
class Case:
    runner: str
    rows: list[dict[str, Any]]
    nxf: dict[str, Any] = field(default_factory=dict)
    site: dict[str, Any] = field(default_factory=dict)
    compute: dict[str, Any] = field(default_factory=dict)


CASES = {
    "local-pfile": Case(
        "local",
        [pfile("21"), pfile("22")],
        nxf={"pgs_id": "PGS000001, PGS000002"},
        site={"pipeline": "/opt/pgsc_calc", "plugins_dir": Path("/opt/plugins"), "max_memory": "8GB"},
        compute={"score_mirror": Path("/data/mirror")},
    ),
    "kubernetes-vcf": Case(
        "kubernetes",
        [vcf("1"), vcf("X")],
        nxf={"pgp_id": "PGP000001", "trait_efo": "EFO_0004214", "efo_id": "MONDO_0005010", "min_overlap": 0},
        site={
            "offline": False,
            "namespace": "scores",
            "service_account": "genoferry",
            "storage_claim": "workspaces",
            "label_nodes": {"process_high_memory": "disk=ssd,size=large"},
            "only_score": True,
        },
    ),
    "batch-csv": Case(
        "batch",
        [bfile(None)],
        nxf={"format": "csv", "keep_ambiguous": True, "keep_multiallelic": True},
        site={
            "pipeline": "s3://pipelines/pgsc_calc",
            "plugins": ("nf-schema@2.0.0", "nf-prov@1.2.2", "nf-amazon@2.9.1"),
            "queue": "spot",
            "label_queues": {"process_high": "on-demand"},
            "bucket_workspaces": True,
            "region": "eu-west-2",
            "job_role": "arn:aws:iam::123456789012:role/pgsc",
            "cli_path": "/opt/aws/bin/aws",
            "max_retries": 5,
        },
    ),
    "slurm-ancestry-liftover": Case(
        "slurm",
        [pfile(None)],
        nxf={"target_build": "GRCh37", "liftover": True, "run_ancestry": True, "load_afreq": False},
        site={
            "profile": ("apptainer", "site"),
            "queue": "short",
            "label_queues": {"process_high_memory": "bigmem"},
            "label_nodes": {"process_high": "avx2&ib"},
            "custom_config_base": "/opt/configs",
            "hg19_chain": Path("/refs/hg19ToHg38.over.chain.gz"),
            "hg38_chain": Path("/refs/hg38ToHg19.over.chain.gz"),
            "reference_panel": Path("/refs/pgsc_HGDP+1kGP_v1.tar.zst"),
            "max_time": "7 d",
        },
    ),
}


def rendered(case: Case) -> Mapping[str, str]:
    nxf = {"target_build": "GRCh38", **case.nxf}
    pipeline = PipelineParam.model_validate({"id": "INTP1", "target_genomes": case.rows, "nxf_params_file": nxf})
    site = NextflowSettings(**{"executor": RUNNERS[case.runner].executor, **case.site})
    places = {"local_dir": Path("/var/jobs"), "workspaces": Path("/workspaces")}
    settings = Settings(compute=ComputeSettings(engine="nextflow", **places, **case.compute), nextflow=site)
    request = Request(uuid=UUID, experiment_id="e", body={"name": "CalculateScores"})
    return files(request, pipeline, case.runner, settings)


@pytest.mark.parametrize("name", CASES)
def test_what_is_rendered_is_what_was_agreed_on(name: str) -> None:
    folder, found = GOLDEN / name, rendered(CASES[name])
    if os.environ.get("RENEW_GOLDEN"):
        folder.mkdir(exist_ok=True)
        for stale in folder.iterdir():
            stale.unlink()
        for file, text in found.items():
            (folder / file).write_text(text, encoding="utf-8")
    agreed = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    assert sorted(found) == sorted(agreed)
    changed = "".join(diff(f"{name}/{file}", agreed[file], found[file]) for file in sorted(found))
    assert not changed, f"read this diff; if it is meant, run again with RENEW_GOLDEN=1\n{changed}"


def diff(name: str, agreed: str, found: str) -> str:
    old, new = (text.splitlines(keepends=True) for text in (agreed, found))
    return "".join(difflib.unified_diff(old, new, f"agreed/{name}", f"rendered/{name}"))


def test_there_is_no_folder_without_a_case() -> None:
    assert sorted(path.name for path in GOLDEN.iterdir()) == sorted(CASES)


@pytest.mark.parametrize("name", CASES)
def test_the_same_request_gives_the_same_bytes(name: str) -> None:
    assert rendered(CASES[name]) == rendered(CASES[name])
