"""Finding handlers, and what a handler's plan and results are."""

from __future__ import annotations

import json
import sys
import types

import pytest
from pydantic import ValidationError

from genoferry.contracts.envelope import Request
from genoferry.contracts.pipeline import NxfParams
from genoferry.contracts.reports import ExitReport, OutputReport
from genoferry.errors import InvalidBody, SettingsError, UnknownName
from genoferry.handlers import registry
from genoferry.handlers.calculate_scores import HANDLER, CalculateScoresBody
from genoferry.handlers.protocol import Command

ID = "0d5c1a52-5a3c-4b1e-9a0e-2a5f0c7b8d11"


def body(**over):
    row = {"sampleset": "c", "chrom": None, "format": "vcf", "geno": "a.vcf", "variants": "a.vcf", "pheno": "a.vcf"}
    return {
        "name": "CalculateScores",
        "pipeline_param": {
            "id": "INTP1",
            "target_genomes": [row],
            "nxf_params_file": {"pgs_id": "PGS000001", "target_build": "GRCh37"},
        },
        "source": {"type": "file", "root": "/in", "files": [{"path": "a.vcf.c4gh", "size": 5, "sha256": "A" * 64}]},
        "key": {"type": "file", "path": "/k"},
    } | over


def plan(**over):
    return HANDLER.plan(CalculateScoresBody.model_validate_json(json.dumps(body(**over))))


def test_every_module_with_a_handler_is_found():
    found = registry.load()
    assert {"CalculateScores", "CancelJob"} <= set(found)
    assert isinstance(found["CancelJob"], Command)


def test_a_further_module(monkeypatch):
    module = types.ModuleType("further_handlers")
    module.HANDLER = types.SimpleNamespace(name="Further", kind="job")
    monkeypatch.setitem(sys.modules, "further_handlers", module)
    assert registry.load(["further_handlers"])["Further"] is module.HANDLER


@pytest.mark.parametrize("module", ["no_such_module", "json"])
def test_a_further_module_that_is_none(module):
    with pytest.raises(SettingsError, match="GENOFERRY_HANDLER_MODULES"):
        registry.load([module])


def test_an_unknown_name():
    with pytest.raises(UnknownName, match="CalculateScores, CancelJob"):
        registry.find(registry.load(), "Nobody")


@pytest.mark.parametrize("name", ["CalculateScores", "CancelJob"])
def test_a_schema_is_that_of_the_whole_request(name):
    schema = registry.schema(registry.load(), name)
    assert schema["title"] == name
    assert {"uuid", "experimentId", "body"} <= set(schema["required"])
    assert schema["properties"]["body"]["properties"]["name"]["const"] == name


def test_a_plan_of_a_file_source():
    (item,) = plan().inputs
    assert (item.role, item.name, item.size, item.sha256) == ("target", "a.vcf", 5, "a" * 64)
    assert (item.location.type, item.location.base, item.location.path) == ("file", "/in", "a.vcf.c4gh")
    assert item.key.path == "/k"


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("s3://bucket/a/b/x.txt.gz", ("s3", "bucket", "a/b/x.txt.gz")),
        ("https://h:8443/a/x.txt.gz", ("https", "https://h:8443", "a/x.txt.gz")),
        ("file:///a/b/x.txt.gz", ("file", "/a/b", "x.txt.gz")),
        ("file:///x.txt.gz", ("file", "/", "x.txt.gz")),
    ],
)
def test_a_scorefile_is_staged_as_it_is(uri, place):
    pipeline = body()["pipeline_param"] | {"nxf_params_file": {"target_build": "GRCh37"}}
    item = plan(scorefiles=[uri], pipeline_param=pipeline).inputs[-1]
    assert (item.role, item.name, item.key, item.size) == ("scorefile", "x.txt.gz", None, None)
    assert (item.location.type, item.location.base, item.location.path) == place


@pytest.mark.parametrize(
    ("asked", "needs"),
    [
        ({"pgs_id": "PGS000001"}, set()),
        ({"pgp_id": "PGP000001"}, {"catalogue"}),
        ({"trait_efo": "EFO_0004214"}, {"catalogue"}),
        ({"efo_id": "MONDO_0005010"}, {"catalogue"}),
        ({"pgs_id": "PGS000001", "liftover": True, "run_ancestry": True}, {"liftover", "ancestry"}),
    ],
)
def test_a_plan_says_what_the_deployment_must_offer(asked, needs):
    pipeline = body()["pipeline_param"] | {"nxf_params_file": {"target_build": "GRCh37", **asked}}
    assert plan(pipeline_param=pipeline).needs == needs


@pytest.mark.parametrize(
    ("field", "value"),
    [("pgs_id", "PGS1"), ("pgp_id", "PGP000001; id"), ("trait_efo", "$(id)"), ("efo_id", "EFO_1,../x")],
)
def test_an_accession_that_is_none(field, value):
    pipeline = body()["pipeline_param"] | {"nxf_params_file": {"target_build": "GRCh37", field: value}}
    with pytest.raises(ValidationError):
        plan(pipeline_param=pipeline)


def test_the_older_name_of_traits_counts_too():
    params = NxfParams(trait_efo="EFO_0000001, EFO_0000002", efo_id="EFO_0000002", target_build="GRCh37")
    assert params.efo_ids == ("EFO_0000002", "EFO_0000001")


def test_the_scores_come_first_among_the_results():
    def output(key):
        return OutputReport(key=key, content_type="t", size=1, sha256="0" * 64)

    names = ("report.html", "aggregated_scores.txt.gz", "report.json")
    outputs = tuple(output(f"{ID}/1/{name}") for name in names)
    report = ExitReport(uuid=ID, attempt=1, nonce="n", exit_code=0, outputs=outputs)
    assert next(o.key for o in HANDLER.results(report)) == f"{ID}/1/aggregated_scores.txt.gz"
    assert HANDLER.may_inline is False


def test_what_a_body_means_is_strict_json():
    request = Request.model_validate({"uuid": ID, "experimentId": "E", "body": body()})
    assert registry.parse_body(HANDLER, request)
    row = body()["pipeline_param"]["target_genomes"][0] | {"vcf_import_dosage": "true"}
    wrong = body()
    wrong["pipeline_param"]["target_genomes"] = [row]
    with pytest.raises(InvalidBody):
        registry.parse_body(HANDLER, Request.model_validate({"uuid": ID, "experimentId": "E", "body": wrong}))
