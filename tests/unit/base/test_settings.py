"""Settings: the documented variables work, and an error names the variable and never its value."""

from __future__ import annotations

import json
import os

import pytest
from pydantic import BaseModel, SecretStr
from pydantic_settings import BaseSettings

from genoferry import settings
from genoferry.errors import SettingsError

CANARY = "CANARYd34db33f"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in list(os.environ):
        if name.startswith("GENOFERRY_") or name in ("CLUSTER_ENV", "WORK_QUEUE"):
            monkeypatch.delenv(name)


def variables():
    """Every variable, the section and field that it sets, and the field's type."""
    for name, field in settings.Settings.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseSettings):
            prefix = kind.model_config["env_prefix"]
            yield from ((f"{prefix}{n}".upper(), name, n, f) for n, f in kind.model_fields.items())
        else:
            yield name.upper(), None, name, field


def test_without_any_variable_there_are_defaults():
    known = settings.load()
    assert known.cluster_env == "development"
    assert known.work_queue == "development-queue.fifo"
    assert (known.table, known.report_queue) == ("development-jobs", "development-reports")
    assert (known.work_bucket, known.results_bucket) == ("development-work", "development-results")
    assert not any(known.allow.model_dump().values()), "nothing is allowed unless the operator says so"


def test_the_deployments_name_names_its_resources(monkeypatch):
    monkeypatch.setenv("CLUSTER_ENV", "prod")
    assert settings.load().table == "prod-jobs"
    monkeypatch.setenv("GENOFERRY_DEPLOYMENT", "prod-2")
    assert settings.load().work_bucket == "prod-2-work"
    monkeypatch.setenv("GENOFERRY_WORK_BUCKET", "mine")
    assert settings.load().work_bucket == "mine"


def test_a_topic_is_needed():
    with pytest.raises(SettingsError, match="GENOFERRY_TOPIC_ARN"):
        _ = settings.load().topic_arn


def test_every_variable_has_a_prefix_of_ours_or_is_documented():
    names = [name for name, *_ in variables()]
    assert len(names) == len(set(names))
    assert {n for n in names if not n.startswith("GENOFERRY_")} == {"CLUSTER_ENV", "WORK_QUEUE"}


SPECIAL = {
    "credentials": "secret",
    "engine": "nextflow",
    "env": '{"x":"y"}',
    "executor": "slurm",
    "idle_seconds": "17",
    "image_pull_policy": "Never",
    "label_nodes": '{"x":"y"}',
    "label_queues": '{"x":"y"}',
    "labels": '{"x":"y"}',
    "local_dir": "/x",
    "local_memory_mib": "77",
    "max_memory": "7 GB",
    "max_time": "7 h",
    "max_variants": "1007",
    "memory_mib": "77",
    "mode": "off",
    "node_selector": '{"x":"y"}',
    "part_size": str(6 * 1024**2),
    "pod_annotations": '{"x":"y"}',
    "relist_seconds": "17",
    "runner": "kubernetes",
    "score_mirror": "/x",
    "score_sample": "107",
    "scratch_mib": "77",
    "tolerations": '[{"x":"y"}]',
    "ttl_seconds": "77",
    "workspaces": "/x",
}
"""Values of the fields that don't take any text or number."""


@pytest.mark.parametrize(("name", "section", "field"), [(n, s, f) for n, s, f, _ in variables()])
def test_every_variable_reaches_its_field(monkeypatch, name, section, field):
    known = settings.Settings.model_fields[section].annotation.model_fields[field] if section else None
    kind = str((known or settings.Settings.model_fields[field]).annotation)
    value = (
        "7" if "int" in kind or "float" in kind else "info" if "warning" in kind else "json" if "json" in kind else "x"
    )
    value = SPECIAL.get(field, "1" if "bool" in kind else value)
    monkeypatch.setenv(name, value)
    loaded = settings.load()
    found = getattr(getattr(loaded, section) if section else loaded, field)
    if isinstance(found, SecretStr):
        found = found.get_secret_value()
    if isinstance(found, dict | list):
        found = json.dumps(found, separators=(",", ":"))
    if isinstance(found, bool):
        found = int(found)
    assert str(found[0] if isinstance(found, tuple) else found) in (value, f"{value}.0")


def test_lists_are_comma_separated(monkeypatch):
    monkeypatch.setenv("GENOFERRY_ALLOW_HOSTS", " a.example, b.example:8443 ,,")
    assert settings.load().allow.hosts == ("a.example", "b.example:8443")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GENOFERRY_QUEUE_BATCH", CANARY),
        ("GENOFERRY_QUEUE_BATCH", "99"),
        ("GENOFERRY_QUEUE_WAIT_SECONDS", "21"),
        ("GENOFERRY_WORKER_LEASE_SECONDS", "0"),
        ("GENOFERRY_WORKER_LEASE_SECONDS", "nan"),
        ("GENOFERRY_STAGING_PART_SIZE", "1"),
        ("GENOFERRY_LOG_LEVEL", CANARY),
        ("CLUSTER_ENV", CANARY),
        ("GENOFERRY_MAX_RUNNING", "0"),
        ("GENOFERRY_KUBERNETES_LABELS", CANARY),
        ("GENOFERRY_KUBERNETES_TOLERATIONS", f'["{CANARY}'),
    ],
)
def test_an_error_names_the_variable_and_not_its_value(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        settings.load()
    assert name in str(caught.value)
    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("name", ["QUEUE", "WORKER", "STAGING", "COMPUTE", "ALLOW", "GLOBUS", "KEY_SERVICE"])
@pytest.mark.parametrize("value", ["x", "1", "{}", '{"batch": 3}'])
def test_another_programs_variable_is_none_of_ours(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    assert settings.load().queue.batch == 10


def test_secrets_do_not_print(monkeypatch):
    for name in (
        "KEY_SERVICE_PASSWORD",
        "KEY_SERVICE_WRAPPING_PASSWORD",
        "GLOBUS_CLIENT_SECRET",
        "JOB_AWS_SECRET_ACCESS_KEY",
    ):
        monkeypatch.setenv(f"GENOFERRY_{name}", CANARY)
    known = settings.load()
    assert known.key_service.password.get_secret_value() == CANARY
    assert CANARY not in repr(known) + str(known) + known.model_dump_json()


def test_settings_do_not_change():
    known = settings.load()
    assert isinstance(known, BaseModel)
    with pytest.raises(ValueError, match="frozen"):
        known.cluster_env = "other"
    with pytest.raises(ValueError, match="frozen"):
        known.queue.batch = 1
