"""A misspelt variable is named, with the one that is meant; those of others aren't."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from genoferry.cli.checks import variables
from genoferry.cli.variables import OTHERS, PREFIX, settings_names, unknown_variables

ROOT = Path(__file__).parents[3]
CANARY = "CANARYd34db33f"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("GENOFERRY_MAX_RUNING", "GENOFERRY_MAX_RUNNING"),
        ("GENOFERRY_KEY_SERVICE_PASWORD", "GENOFERRY_KEY_SERVICE_PASSWORD"),
        ("GENOFERRY_TOPIC", "GENOFERRY_TOPIC_ARN"),
        ("GENOFERRY_ALLOW_BUCKET", "GENOFERRY_ALLOW_BUCKETS"),
        ("GENOFERRY_HELTH_PORT", "GENOFERRY_HEALTH_PORT"),
        ("GENOFERY_TOPIC_ARN", "GENOFERRY_TOPIC_ARN"),
        ("genoferry_max_runing", "GENOFERRY_MAX_RUNNING"),
        ("GENOFERRY_XYZZY", None),
    ],
)
def test_a_misspelt_variable_names_the_meant_one(name: str, meant: str | None) -> None:
    (unknown,) = unknown_variables({name: CANARY, "PATH": "/bin", "GENOFERRY_MAX_RUNNING": "2"})
    assert (unknown.name, unknown.meant) == (name, meant)
    finding = variables({name: CANARY})
    assert finding.status == "warn"
    assert name in finding.detail
    assert (meant or "settings.md") in str(finding.mend)
    assert CANARY not in str(finding)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GENOFERRY_PORT", "tcp://10.0.0.1:80"),
        ("GENOFERRY_WORKER_SERVICE_HOST", "10.0.0.1"),
        ("GENOFERRY_WORKER_SERVICE_PORT_METRICS", "9090"),
        ("GENOFERRY_PORT_9090_TCP_ADDR", "10.0.0.1"),
        ("genoferry_max_running", "2"),
        ("CLUSTER_ENV", "x"),
        ("GENOMES_FOLDER", "/x"),
        ("GENOFERY_OTHERS_OWN", "x"),
    ],
)
def test_what_others_set_is_left_alone(name: str, value: str) -> None:
    assert unknown_variables({name: value}) == []


def test_every_name_in_the_code_is_known() -> None:
    """What the code, the chart, the image and the pages name is a setting, or among the others of the one list."""
    places = [*(ROOT / "src").rglob("*.py"), *(ROOT / "infra").rglob("*.yaml"), *(ROOT / "docs").rglob("*.md")]
    texts = [path.read_text() for path in (*places, ROOT / "Dockerfile", ROOT / "Makefile")]
    named = {name for text in texts for name in re.findall(rf"{PREFIX}[A-Z0-9_]*[A-Z0-9]\b(?!…)", text)}
    known = OTHERS.union(settings_names())
    beginnings = {name for name in named if any(other.startswith(f"{name}_") for other in known)}
    assert named - known - beginnings == set()
    assert len(named) > 80


def test_doctor_warns_and_goes_on(run, monkeypatch) -> None:
    monkeypatch.setenv("GENOFERRY_LOG_LEVEL", "loud")  # so that no service is asked
    monkeypatch.setenv("GENOFERRY_MAX_RUNING", "7")
    assert "Did you mean GENOFERRY_MAX_RUNNING?" in run("doctor").stdout
