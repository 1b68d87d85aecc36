"""Dockerfile and chart say the same as the code. Rendering the chart needs helm: see tests/e2e/kubernetes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from genoferry import __version__, settings
from genoferry.compute.job_command import USER
from genoferry.pgsc.nextflow import config
from genoferry.validation import DNS_LABEL

ROOT = Path(__file__).parents[3]
CHART = ROOT / "infra" / "helm" / "genoferry"
DOCKERFILE = (ROOT / "Dockerfile").read_text()


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    return yaml.safe_load((CHART / "values.yaml").read_text())


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return json.loads((CHART / "values.schema.json").read_text())


def variables() -> dict[str, Any]:
    """The type of each variable that genoferry reads."""
    sections = {getattr(settings, name): prefix for name, prefix in settings.PREFIXES.items()}
    return {
        f"{prefix}{name}".upper(): field.annotation
        for section, prefix in {settings.Settings: "", **sections}.items()
        for name, field in section.model_fields.items()
    }


def test_image_chart_and_pods_run_as_the_same_user() -> None:
    security = (CHART / "templates" / "_helpers.tpl").read_text()
    assert f"USER {USER}:{USER}" in DOCKERFILE
    assert f"useradd --uid {USER} " in DOCKERFILE
    for text in (security, config.SECURITY.text):
        assert [int(found) for found in re.findall(r"(?:runAsUser|runAsGroup|fsGroup): (\d+)", text)] == [USER] * 3


def test_one_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["appVersion"] == __version__
    assert f"ARG VERSION={__version__}\n" in DOCKERFILE


def test_what_is_installed_is_locked() -> None:
    installs = re.findall(r"pip (?:install|wheel) (.*)", DOCKERFILE)
    locked = [line for line in installs if "--require-hashes" in line]
    assert len(locked) == 2
    assert all(
        "--no-deps" in line and re.search("--no-index|--no-build-isolation", line) for line in {*installs} - {*locked}
    )


def test_what_the_image_copies_is_let_through_and_nothing_more() -> None:
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copies = [line.split()[1:-1] for line in DOCKERFILE.splitlines() if re.match("COPY (?!--from)", line)]
    assert {source for sources in copies for source in sources} == let_through
    assert all((ROOT / source).exists() for source in let_through)


def test_the_chart_refuses_exactly_the_secrets_among_the_settings(schema: dict[str, Any]) -> None:
    names = schema["properties"]["settings"]["propertyNames"]["allOf"]
    refused = re.compile(names[1]["not"]["pattern"])
    secret = {name for name, kind in variables().items() if "SecretStr" in str(kind) or kind is SecretStr}
    assert {name for name in variables() if refused.search(name)} == secret
    assert refused.search("AWS_SECRET_ACCESS_KEY")
    assert refused.search("AWS_SESSION_TOKEN")
    assert all(re.search(schema["definitions"]["variable"]["pattern"], name) for name in variables())


def test_the_chart_knows_every_setting_and_no_other(schema: dict[str, Any]) -> None:
    """What doesn't begin as ours do is anybody's: the AWS SDK's, a handler's, CLUSTER_ENV and WORK_QUEUE."""
    variable = schema["definitions"]["variable"]
    assert (variable["if"], variable["then"]) == ({"pattern": "^GENOFERRY_"}, {"$ref": "#/definitions/known"})
    ours = sorted(name for name in variables() if name.startswith("GENOFERRY_"))
    assert schema["definitions"]["known"]["enum"] == ours


def test_no_value_sets_what_the_chart_names(schema: dict[str, Any]) -> None:
    """But where workspaces are: without a volume of the chart's, that is the site's to say."""
    helpers = (CHART / "templates" / "_helpers.tpl").read_text()
    _, _, body = helpers.partition('define "genoferry.settings"')
    listed = re.findall(r'^  "(GENOFERRY_[A-Z_]+)" ', body, re.MULTILINE)
    named = {*listed, *re.findall(r'set \$own "(GENOFERRY_[A-Z_]+)"', body)}
    own = named - {"GENOFERRY_KUBERNETES_ENV", "GENOFERRY_WORKSPACES"}
    assert schema["definitions"]["withoutOwn"]["properties"] == dict.fromkeys(own, False)
    for values in ("settings", "secretSettings"):
        assert schema["properties"][values]["allOf"] == [{"$ref": "#/definitions/withoutOwn"}]


def test_the_chart_refuses_the_deployments_that_no_job_could_be_named_after(schema: dict[str, Any]) -> None:
    patterns = {name: found.get("pattern") for name, found in schema["properties"]["settings"]["properties"].items()}
    assert patterns["GENOFERRY_DEPLOYMENT"] == f"^{DNS_LABEL.pattern}$"
    (known,) = settings.Settings.model_fields["cluster_env"].metadata
    assert patterns["CLUSTER_ENV"] == known.pattern


def test_the_chart_sets_variables_that_there_are(values: dict[str, Any]) -> None:
    helpers = (CHART / "templates" / "_helpers.tpl").read_text()
    named = set(values["settings"]) | set(re.findall(r'"(GENOFERRY_[A-Z_]+)"', helpers))
    assert named <= set(variables())


def test_the_chart_names_the_drain_that_the_settings_default_to(values: dict[str, Any]) -> None:
    """Its pods' grace follows from them."""
    worker = settings.WorkerSettings.model_fields
    assert values["settings"]["GENOFERRY_WORKER_GRACE_SECONDS"] == worker["grace_seconds"].default
    assert values["settings"]["GENOFERRY_WORKER_LEASE_SECONDS"] == worker["lease_seconds"].default


def test_every_value_is_in_the_schema(values: dict[str, Any], schema: dict[str, Any]) -> None:
    def check(given: dict[str, Any], described: dict[str, Any], where: str) -> None:
        if "$ref" in described:
            described = schema["definitions"][described["$ref"].rpartition("/")[2]]
        if described.get("additionalProperties") is False:
            assert set(given) <= set(described["properties"]), where
            for name, value in given.items():
                if isinstance(value, dict):
                    check(value, described["properties"][name], f"{where}.{name}")

    check(values, schema, "values")
    assert schema["additionalProperties"] is False
