"""Rendering: what a request may set reaches the files as data, and what an operator sets reaches Groovy as strings."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from genoferry.contracts.pipeline import NxfParams, PipelineParam, TargetGenome
from genoferry.errors import SamplesheetInvalid, SettingsError
from genoferry.pgsc.nextflow import config, params
from genoferry.pgsc.nextflow.groovy import literal
from genoferry.pgsc.nextflow.layout import Places
from genoferry.pgsc.nextflow.render import Rendered, render, write
from genoferry.pgsc.nextflow.samplesheet import file_name
from genoferry.settings import NextflowSettings

spec = importlib.util.spec_from_file_location("groovy_reader", Path(__file__).with_name("groovy_reader.py"))
assert spec
assert spec.loader
groovy_reader = importlib.util.module_from_spec(spec)
spec.loader.exec_module(groovy_reader)

PLACES = Places(Path("/workspaces/gw-1"), 1)
SAFE = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
ENDINGS = {
    "pfile": (("pgen",), ("pvar", "pvar.zst"), ("psam",)),
    "bfile": (("bed",), ("bim", "bim.zst"), ("fam",)),
    "vcf": (("vcf", "vcf.gz", "vcf.bgz", "vcf.zst"),) * 3,
}
SITE = NextflowSettings(
    hg19_chain=Path("/c/19.chain.gz"), hg38_chain=Path("/c/38.chain.gz"), reference_panel=Path("/c/ref.tar.zst")
)

# --- any request ----------------------------------------------------------------------------------------------

NASTY = st.sampled_from(["$(id)", "`id`", "'; rm x", '"${x}"', "a b", "*", "|", "&&", "é", "-x", "#", "!", "{a,b}"])
STEMS = st.lists(st.text("abcXYZ019._- ", min_size=1, max_size=6).filter(lambda s: s.strip(". ")) | NASTY, min_size=1)


@st.composite
def rows(draw: st.DrawFn) -> list[dict[str, Any]]:
    sampleset = draw(st.from_regex(r"\A[A-Za-z0-9]{1,64}\Z").filter(lambda name: name != "reference"))
    kind = draw(st.sampled_from(sorted(ENDINGS)))
    chroms: list[str | None] = draw(
        st.lists(st.sampled_from(["1", "22", "X", "Y", "XY", "MT"]), unique=True, max_size=4)
    )
    found = []
    for chrom in chroms or [None]:
        names = ["".join(draw(STEMS))[:200] + "." + draw(st.sampled_from(ends)) for ends in ENDINGS[kind]]
        names = names[:1] * 3 if kind == "vcf" else names
        found.append(dict(zip(("geno", "variants", "pheno"), names, strict=True)) | {"chrom": chrom})
    return [row | {"sampleset": sampleset, "format": kind, "vcf_import_dosage": draw(st.booleans())} for row in found]


def ids(pattern: str) -> st.SearchStrategy[str]:
    return st.lists(st.from_regex(rf"\A{pattern}\Z"), min_size=1, max_size=3).map(" , ".join)


NXF = st.fixed_dictionaries(
    {"target_build": st.sampled_from(["GRCh37", "GRCh38"])},
    optional={
        "pgs_id": ids("PGS[0-9]{6}"),
        "pgp_id": ids("PGP[0-9]{6}"),
        "trait_efo": ids("[A-Za-z]{1,9}_[0-9]{1,9}"),
        "efo_id": ids("[A-Za-z]{1,9}_[0-9]{1,9}"),
        "format": st.sampled_from(["json", "csv"]),
        "min_overlap": st.floats(0, 1),
        **dict.fromkeys(
            ("keep_ambiguous", "keep_multiallelic", "liftover", "run_ancestry", "load_afreq"), st.booleans()
        ),
        "fast_match": st.booleans(),
    },
)
PLAIN_REQUEST = {
    "id": "R",
    "target_genomes": [{"sampleset": "s", "format": "vcf", **dict.fromkeys(("geno", "variants", "pheno"), "x.vcf")}],
    "nxf_params_file": {"target_build": "GRCh38", "pgs_id": "PGS000001"},
}


def accepted(table: list[dict[str, Any]], nxf: dict[str, Any]) -> PipelineParam:
    document = {"id": "R", "target_genomes": table, "nxf_params_file": nxf}
    try:
        return PipelineParam.model_validate(document)
    except ValueError:
        assume(False)
        raise


@given(rows(), NXF, st.booleans())
def test_no_value_of_a_request_reaches_command_environment_or_config(table, nxf, local_scores) -> None:
    pipeline = accepted(table, nxf)
    found = render(pipeline, SITE, PLACES, local_scores=local_scores)
    plain = PipelineParam.model_validate(PLAIN_REQUEST)
    other = render(plain, SITE, PLACES, local_scores=not local_scores)
    assert (found.command, found.environment) == (other.command, other.environment)
    assert found.files["nextflow.config"] == other.files["nextflow.config"]
    assert all(SAFE.fullmatch(argument) for argument in found.command)


@given(rows(), NXF)
def test_the_files_say_what_the_request_does_under_names_of_ours(table, nxf) -> None:
    pipeline = accepted(table, nxf)
    found = render(pipeline, SITE, PLACES, local_scores=False).files
    form = pipeline.nxf_params_file.format
    values = json.loads(found["params.json"])
    assert sorted(found) == sorted(["params.json", f"samplesheet.{form}", "nextflow.config"])
    assert (values["target_build"], values["min_overlap"]) == (nxf["target_build"], nxf.get("min_overlap", 0.75))
    for name in ("pgs_id", "pgp_id"):
        assert values.get(name, "").split(",") == [i.strip() for i in dict.fromkeys(nxf.get(name, "").split(" , "))]
    assert ("run_ancestry" in values, "hg19_chain" in values, "fast_match" in values) == tuple(
        nxf.get(name, False) for name in ("run_ancestry", "liftover", "fast_match")
    )
    sheet = read_sheet(found[f"samplesheet.{form}"], form)
    assert [(row["sampleset"], row["chrom"] or None, row["format"]) for row in sheet] == [
        (row["sampleset"], row["chrom"], row["format"]) for row in table
    ]
    paths = [row[name] for row in sheet for name in ("geno", "variants", "pheno", "path_prefix") if name in row]
    assert all(re.fullmatch(r"/workspaces/gw-1/genomes/[A-Za-z0-9]+_[A-Z0-9]+[a-z.]*", path) for path in paths)


def read_sheet(text: str, form: str) -> list[dict[str, Any]]:
    return json.loads(text) if form == "json" else list(csv.DictReader(io.StringIO(text)))


def test_a_dosage_is_told_in_both_forms() -> None:
    row = PLAIN_REQUEST["target_genomes"][0] | {"vcf_import_dosage": True}
    for form, said in (("json", ("vcf_import_dosage", True)), ("csv", ("vcf_genotype_field", "DS"))):
        nxf = PLAIN_REQUEST["nxf_params_file"] | {"format": form}
        pipeline = PipelineParam.model_validate({"id": "R", "target_genomes": [row], "nxf_params_file": nxf})
        found = render(pipeline, SITE, PLACES, local_scores=True).files
        assert read_sheet(found[f"samplesheet.{form}"], form)[0][said[0]] == said[1]


def genome(kind: str, *names: str) -> TargetGenome:
    return TargetGenome(sampleset="s", format=kind, **dict(zip(("geno", "variants", "pheno"), names, strict=True)))


@pytest.mark.parametrize(
    ("row", "which"),
    [
        (genome("pfile", "a.pgen", "a.pvar.gz", "a.psam"), "variants"),
        (genome("bfile", "a.bed", "a.bim.gz", "a.fam"), "variants"),
        (genome("pfile", "a.bed", "a.pvar", "a.psam"), "geno"),
        (genome("pfile", "a.pgen", "a.pvar", "a.psam.zst"), "pheno"),
        (genome("vcf", "a.bcf", "a.bcf", "a.bcf"), "geno"),
        (genome("vcf", "a.vcf", "b.vcf", "a.vcf"), "geno"),
    ],
)
def test_what_pgsc_calc_cannot_read_is_refused(row: TargetGenome, which: Any) -> None:
    with pytest.raises(SamplesheetInvalid) as caught:
        file_name(row, which)
    assert "a." not in str(caught.value)


@pytest.mark.parametrize(
    ("row", "names"),
    [
        (genome("pfile", "x/y z.pgen", "q.pvar.zst", "$.psam"), ("s_ALL.pgen", "s_ALL.pvar.zst", "s_ALL.psam")),
        (genome("bfile", "a.bed", "a.bim", "a.fam"), ("s_ALL.bed", "s_ALL.bim", "s_ALL.fam")),
        (genome("vcf", *["a.vcf.bgz"] * 3), ("s_ALL.vcf.gz",) * 3),
    ],
)
def test_the_names_of_a_row_share_a_prefix(row: TargetGenome, names: tuple[str, ...]) -> None:
    assert tuple(file_name(row, which) for which in ("geno", "variants", "pheno")) == names


# --- params ---------------------------------------------------------------------------------------------------


def values(site: NextflowSettings, *, local_scores: bool = True, **nxf: Any) -> dict[str, Any]:
    return dict(params.render(NxfParams(target_build="GRCh38", **nxf), site, PLACES, local_scores=local_scores))


def test_scores_come_from_the_folder_or_from_the_catalogue() -> None:
    named = {"pgs_id": "PGS000001", "trait_efo": "EFO_1", "efo_id": "EFO_2"}
    assert values(SITE, **named)["scorefile"] == "/workspaces/gw-1/scores/*"
    assert "pgs_id" not in values(SITE, **named)
    asked = values(SITE, local_scores=False, **named)
    assert (asked["pgs_id"], asked["efo_id"], "scorefile" in asked) == ("PGS000001", "EFO_2,EFO_1", False)


def test_offline_no_configuration_is_fetched() -> None:
    assert values(SITE)["custom_config_base"] == str(PLACES.rendered)
    assert "custom_config_base" not in values(NextflowSettings(offline=False))
    assert values(NextflowSettings(custom_config_base="/c"))["custom_config_base"] == "/c"
    with pytest.raises(SettingsError, match="CUSTOM_CONFIG_BASE"):
        values(NextflowSettings(custom_config_base="https://example.org/c"))


@pytest.mark.parametrize(("asked", "named"), [("liftover", "HG19_CHAIN"), ("run_ancestry", "REFERENCE_PANEL")])
def test_a_file_that_the_deployment_lacks_is_named(asked: str, named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        values(NextflowSettings(), **{asked: True})


# --- any operator ---------------------------------------------------------------------------------------------

ANY = st.text(st.characters(codec=None), max_size=40) | NASTY


@given(st.text(st.characters(codec=None)))
@example("\\u0041\\\\u0041 $x ${y} '''\n\r\t\\' \U0001f600 \ud800\x00")
def test_a_literal_stands_for_what_it_was_made_from(text: str) -> None:
    made = literal(text)
    assert all(" " <= char <= "~" for char in made)
    assert groovy_reader.strings(made) == [text]
    assert groovy_reader.outline(made) == "''"


@given(ANY)
def test_a_path_is_a_string_in_the_config(name: str) -> None:
    assume("/" not in name and "\x00" not in name and name not in ("", ".", ".."))
    places = Places(Path("/workspaces") / name, 1, "s3://b/" + name)
    text = config.render(NextflowSettings(executor="awsbatch", queue="q"), places)
    assert str(places.trace) in groovy_reader.strings(text)
    assert f"{str(places.bucket_work).rstrip('/')}/cache" in groovy_reader.strings(text)
    plain = config.render(NextflowSettings(executor="awsbatch", queue="q"), Places(Path("/w/x"), 1, "s3://b"))
    assert groovy_reader.outline(text) == groovy_reader.outline(plain)


SETTINGS = {
    "local": ("command", "pipeline", "revision", "plugins_dir"),
    "k8s": ("namespace", "service_account", "storage_claim", "region"),
    "awsbatch": ("queue", "region", "job_role", "cli_path"),
    "slurm": ("queue", "pipeline"),
}


@given(st.sampled_from(sorted(SETTINGS)), st.data())
def test_an_operators_string_is_a_string_or_refused(executor: Any, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(SETTINGS[executor]))
    value = data.draw(ANY.filter(bool) | st.sampled_from(["plain-name", "/opt/x", "owner/name"]))
    kind = Path if name == "plugins_dir" else str
    site = NextflowSettings(**({"executor": executor} | QUEUES.get(executor, {}) | {name: kind(value)}))
    check(site, [str(kind(value))], f"GENOFERRY_NEXTFLOW_{name.upper()}")


@given(st.sampled_from(["k8s", "slurm"]), ANY, ANY)
@example("k8s", "process_high", "disk=ssd,zone=a")
@example("slurm", "process_high", "[rack1|rack2]&avx2")
def test_an_operators_label_is_a_string_or_refused(executor: Any, label: str, nodes: str) -> None:
    site = NextflowSettings(executor=executor, label_nodes={label: nodes})
    check(site, [label, nodes], "GENOFERRY_NEXTFLOW_LABEL_NODES")


@given(st.lists(ANY, max_size=3), st.lists(ANY, max_size=3))
def test_an_operators_profiles_and_plugins_are_plain_or_refused(profile: list[str], plugins: list[str]) -> None:
    check(NextflowSettings(profile=profile, plugins=plugins), [], "GENOFERRY_NEXTFLOW_P")


QUEUES = {"awsbatch": {"queue": "q", "bucket_workspaces": True}}


def check(site: NextflowSettings, values: list[str], variable: str) -> None:
    found, refusal = rendered_or_refused(site)
    if found is None:
        assert variable in refusal
        assert not any(len(value) > 3 and value in refusal for value in values)
        return
    text = found.files["nextflow.config"]
    assert all(SAFE.fullmatch(argument) for argument in found.command)
    assert set("\n{}[]()'\"$?:=%/._-+,;") >= {char for char in groovy_reader.outline(text) if not char.isalnum()} - {
        " "
    }
    known = [*groovy_reader.strings(text), *found.command, *found.environment.values()]
    assert all(any(value in one for one in known) or site.pipeline.startswith("s3://") for value in values)


def rendered_or_refused(site: NextflowSettings) -> tuple[Rendered | None, str]:
    places = Places(PLACES.workspace, 1, "s3://b/work" if site.executor == "awsbatch" else None)
    pipeline = PipelineParam.model_validate(PLAIN_REQUEST)
    try:
        return render(pipeline, site, places, local_scores=True), ""
    except SettingsError as error:
        return None, str(error)


# --- the command ----------------------------------------------------------------------------------------------


def command(site: NextflowSettings, places: Places = PLACES) -> list[str]:
    pipeline = PipelineParam.model_validate(PLAIN_REQUEST)
    return list(render(pipeline, site, places, local_scores=True).command)


@pytest.mark.parametrize(
    ("pipeline", "run"),
    [
        ("PGScatalog/pgsc_calc", ["run", "PGScatalog/pgsc_calc", "-r", "v2.2.0"]),
        ("/opt/pgsc_calc", ["run", "/opt/pgsc_calc", "-c"]),
        ("s3://b/p", ["run", "/workspaces/gw-1/pipeline", "-c"]),
    ],
)
def test_only_a_repository_has_a_revision(pipeline: str, run: list[str]) -> None:
    found = command(NextflowSettings(pipeline=pipeline))
    at = found.index("run")
    assert found[at : at + len(run)] == run


@pytest.mark.parametrize("pipeline", ["pgsc_calc", "./pgsc_calc", "../x", "https://github.com/o/n", "-h/x"])
def test_another_pipeline_is_refused(pipeline: str) -> None:
    with pytest.raises(SettingsError, match="GENOFERRY_NEXTFLOW_PIPELINE"):
        command(NextflowSettings(pipeline=pipeline))


def test_offline_is_an_option() -> None:
    assert "-offline" in command(SITE)
    assert "-offline" not in command(NextflowSettings(offline=False))


def test_every_attempt_goes_on_under_the_same_command_line() -> None:
    assert command(SITE)[-1] == "-resume"
    assert command(SITE, Places(PLACES.workspace, 2)) == command(SITE, Places(PLACES.workspace, 1))


def test_with_the_cache_in_a_bucket_every_attempt_goes_on_with_one_session() -> None:
    site = NextflowSettings(executor="awsbatch", queue="q")
    first, second = (command(site, Places(PLACES.workspace, n, "s3://b/work")) for n in (1, 2))
    assert first[-4:-1] == ["-name", "attempt-1", "-resume"]
    assert second[-4:-1] == ["-name", "attempt-2", "-resume"]
    assert first[-1] == second[-1]
    assert command(site, Places(Path("/workspaces/gw-2"), 1, "s3://b/work"))[-1] != first[-1]


@pytest.mark.parametrize("workspace", ["/work spaces/x", "/w/$x", "/w/*", "/w/'x'", "/w/é"])
def test_a_workspace_that_a_shell_would_misread_is_refused(workspace: str) -> None:
    with pytest.raises(SettingsError, match="GENOFERRY_WORKSPACES"):
        command(SITE, Places(Path(workspace), 1))


@pytest.mark.parametrize(
    ("site", "named"),
    [
        ({"executor": "local", "queue": "q"}, "QUEUE"),
        ({"executor": "k8s", "label_queues": {"a": "b"}}, "LABEL_QUEUES"),
        ({"executor": "awsbatch", "queue": "q", "label_nodes": {"a": "b=c"}}, "LABEL_NODES"),
        ({"executor": "awsbatch"}, "QUEUE"),
        ({"executor": "awsbatch", "queue": "q"}, "BUCKET_WORKSPACES"),
    ],
)
def test_what_an_executor_has_no_use_for_or_lacks_is_named(site: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingsError, match=f"GENOFERRY_NEXTFLOW_{named}"):
        config.render(NextflowSettings(**site), PLACES)


@pytest.mark.parametrize(
    ("site", "named"),
    [
        ({"executor": "slurm", "queue": "q\n#SBATCH --uid=0"}, "QUEUE"),
        ({"executor": "slurm", "label_queues": {"a": "q -x"}}, "LABEL_QUEUES"),
        ({"executor": "slurm", "label_queues": {"a.*": "q"}}, "LABEL_QUEUES"),
        ({"executor": "slurm", "label_nodes": {"a": "x\ny"}}, "LABEL_NODES"),
        ({"executor": "k8s", "label_nodes": {"a|b": "x=y"}}, "LABEL_NODES"),
        ({"executor": "k8s", "label_nodes": {"a": "no-pair"}}, "LABEL_NODES"),
        ({"executor": "k8s", "namespace": "Upper Case"}, "NAMESPACE"),
        ({"executor": "local", "region": "eu west"}, "REGION"),
        ({"executor": "awsbatch", "queue": "q", "cli_path": "/x; id"}, "CLI_PATH"),
    ],
)
def test_what_a_scheduler_or_a_selector_would_misread_is_refused(site: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingsError, match=f"GENOFERRY_NEXTFLOW_{named}"):
        config.render(NextflowSettings(**site), Places(PLACES.workspace, 1, "s3://b/work"))


def test_write_makes_the_folders(tmp_path: Path) -> None:
    places = Places(tmp_path / "w", 1)
    found = render(PipelineParam.model_validate(PLAIN_REQUEST), SITE, places, local_scores=True)
    write(found, places.rendered)
    assert {path.name: path.read_text() for path in places.rendered.iterdir()} == dict(found.files)
    assert Path(found.environment["TMPDIR"]).is_dir()
