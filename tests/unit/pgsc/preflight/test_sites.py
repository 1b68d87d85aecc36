"""What is checked depends on what the deployment has: its engine, its memory, its scores."""

from __future__ import annotations

from pathlib import Path

import pytest

from genoferry.handlers.scores.preflight import site_of
from genoferry.pgsc.preflight import Site
from genoferry.settings import ComputeSettings, NextflowSettings, Settings

TARGET = [("1", 1000 * i, "A", "G") for i in range(1, 500)]
SCORE = [("1", 1000 * i, "A", "G", 0.1) for i in range(1, 200)]
NEXTFLOW = Site("nextflow")
GIB = 1024**3


def named(case, **names: str):
    renamed = {names.get(what, name): case.files[name] for what, name in case.rows[0].items() if name in case.files}
    return type(case)(({**case.rows[0], **names},), renamed, case.scores, case.params)


@pytest.mark.parametrize("name", ["x.pvar.gz", "x.bim", "x"])
def test_endings_that_nextflow_can_not_name(small, scored, name: str) -> None:
    case = named(small(TARGET, scored(SCORE)), variants=name)
    assert case.failure(site=Site()) is None
    assert case.failure(site=NEXTFLOW) == "samplesheet-invalid"
    assert named(case, variants="x.pvar").failure(site=NEXTFLOW) is None


def test_a_vcf_is_one_file_for_nextflow(vcf) -> None:
    case = vcf.only("PGS000001")
    assert case.failure(site=NEXTFLOW) is None
    assert case.row(pheno="other.vcf.gz").failure(site=NEXTFLOW) == "samplesheet-invalid"


def test_a_vcf_without_samples_is_told_of_as_such(vcf, edited) -> None:
    def edit(text: str) -> str:
        rows = text.splitlines()
        return "\n".join(row if row.startswith("##") else "\t".join(row.split("\t")[:8]) for row in rows) + "\n"

    files = {name: edited(content, edit) for name, content in vcf.files.items()}
    (found,) = type(vcf)(vcf.rows, files, vcf.scores, vcf.params).found("samples")
    assert found.code == "genotypes-invalid"
    assert "VCF" in found.message
    assert "sample file" not in found.message


def test_ids_that_no_one_can_find(small, scored) -> None:
    asking = small(TARGET, scored(SCORE), pgs_id="PGS000001")
    assert asking.failure(site=Site(ids="nowhere")) == "scorefile-missing"
    assert asking.failure(site=Site(ids="catalogue")) is None
    assert small(TARGET, scored(SCORE)).failure(site=Site(ids="nowhere")) is None


def test_ids_of_a_mirror_that_is_not_seen_here_may_match(small, scored) -> None:
    absent = scored([("1", 1000 * i + 1, "A", "G", 0.1) for i in range(1, 50)])
    asking = small(TARGET, absent, pgs_id="PGS000001")
    assert asking.failure(site=Site(ids="mirror")) is None
    assert asking.failure(site=Site(ids="catalogue")) == "zero-matches"  # the file sent is that id's


def settings(engine: str = "nextflow", mirror: Path | None = None, **nextflow: object) -> Settings:
    site = NextflowSettings.model_validate(nextflow)
    compute = ComputeSettings.model_validate({"engine": engine, "score_mirror": mirror})
    return Settings().model_copy(update={"compute": compute, "nextflow": site})


@pytest.mark.parametrize(
    ("given", "site"),
    [
        (settings("embedded"), Site("embedded", None, "nowhere")),
        (settings("embedded", Path("/m")), Site("embedded", None, "mirror")),
        (settings(offline=True), Site("nextflow", 128 * GIB, "nowhere")),
        (settings(offline=False), Site("nextflow", 128 * GIB, "catalogue")),
        (settings(mirror=Path("/m"), offline=False), Site("nextflow", 128 * GIB, "mirror")),
        (settings(executor="slurm"), Site("nextflow", 48 * GIB, "nowhere")),
        (settings(executor="k8s", max_retries=0), Site("nextflow", 16 * GIB, "nowhere")),
        (settings(executor="awsbatch", max_memory="20 GB"), Site("nextflow", 20 * GIB, "nowhere")),
    ],
)
def test_what_a_deployment_has(given: Settings, site: Site) -> None:
    assert site_of(given) == site
