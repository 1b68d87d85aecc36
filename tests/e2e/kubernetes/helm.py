"""The chart, rendered. `python -m tests.e2e.kubernetes.helm` writes the expected renderings anew."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import yaml
from tests.e2e.kubernetes.places import tool

CHART = Path(__file__).parents[3] / "infra" / "helm" / "genoferry"
VALUES = Path(__file__).with_name("chart")
NAMES = ("keda", "nextflow", "plain")
"""Of the values files."""
RELEASE, NAMESPACE = "genoferry", "ferries"
KUBERNETES = "1.34.0"

Object = dict[str, Any]


def helm(*arguments: str | Path, fails: bool = False) -> str:
    """What helm says: to the standard error where it is meant to fail, else to the standard output."""
    done = subprocess.run([tool("helm"), *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode != 0) is fails, done.stderr + done.stdout
    return done.stderr if fails else done.stdout


def template(name: str, *arguments: str, fails: bool = False) -> str:
    """The rendering with one of the values files, and further arguments such as `--set`."""
    values = VALUES / f"{name}.yaml"
    options = ("--namespace", NAMESPACE, "--kube-version", KUBERNETES, "--values", values)
    return helm("template", RELEASE, CHART, *options, *arguments, fails=fails)


def objects(name: str, *arguments: str) -> list[Object]:
    return [found for found in yaml.safe_load_all(template(name, *arguments)) if found]


def of_kind(found: list[Object], kind: str) -> list[Object]:
    return [one for one in found if one["kind"] == kind]


def golden(name: str) -> Path:
    return VALUES / "expected" / f"{name}.yaml"


if __name__ == "__main__":
    for chosen in NAMES:
        golden(chosen).parent.mkdir(exist_ok=True)
        golden(chosen).write_text(template(chosen))
