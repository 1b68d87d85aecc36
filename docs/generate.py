"""Writes the reference pages that come from the code: settings, error codes, exit codes, fault points, odd files.

`python docs/generate.py` writes them; a test fails when they are stale.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

from pydantic import SecretStr
from pydantic_settings import BaseSettings

from genoferry import errors, faults
from genoferry.cli import exit_codes
from genoferry.settings import Settings
from genoferry.testing import odd_genotypes, odd_scorefiles

REFERENCE = Path(__file__).parent / "reference"


def settings_page() -> str:
    lines = [
        "# Settings",
        "",
        "Environment variables; all are optional but `GENOFERRY_TOPIC_ARN`. Endpoints, region and credentials of AWS",
        "are the SDK's own variables (`AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_S3`, `AWS_REGION` or else",
        "`AWS_DEFAULT_REGION`, `AWS_PROFILE`, …).",
        "Lists are comma-separated. `genoferry doctor` checks them.",
        "",
    ]
    lines += _table("The deployment", Settings)
    for field in Settings.model_fields.values():
        section = field.default_factory
        if isinstance(section, type) and issubclass(section, BaseSettings):
            lines += _table((section.__doc__ or section.__name__.removesuffix("Settings")).strip(), section)
    return "\n".join(lines)


def _table(title: str, model: type[BaseSettings]) -> list[str]:
    prefix = model.model_config.get("env_prefix", "")
    heading = "The deployment" if model is Settings else model.__name__.removesuffix("Settings")
    summary = " ".join(title.split("\n\n", maxsplit=1)[0].split())
    rows = [f"## {heading}", "", *([] if title == heading else [summary, ""])]
    rows += ["| variable | default | what it is |", "|---|---|---|"]
    for name, field in model.model_fields.items():
        if field.default_factory is None:
            rows.append(f"| `{(prefix + name).upper()}` | {_default(field.default)} | {field.description} |")
    return [*rows, ""]


def _default(value: Any) -> str:
    if value in (None, ()):
        return "" if value is None else "(empty)"
    if isinstance(value, dict):  # as the variable has it
        value = json.dumps(value)
    return "(secret)" if isinstance(value, SecretStr) else f"`{value}`"


def errors_page() -> str:
    lines = [
        "# Error codes",
        "",
        "The `code` of an event's `error`, of a dead letter's cause, and of the command line's errors. Codes are",
        "stable; messages may be more specific than the ones here. *retried*: genoferry itself tries again.",
        "",
        "| code | retried | meaning, and what to do |",
        "|---|---|---|",
    ]
    for kind in _kinds(errors.GenoferryError):
        text = " ".join((kind.__doc__ or "").split("\n\n")[0].split())
        lines.append(f"| `{kind.code}` | {'yes' if kind.retryable else 'no'} | {text} |")
    return "\n".join([*lines, ""])


def _kinds(kind: type[errors.GenoferryError]) -> Iterator[type[errors.GenoferryError]]:
    yield kind
    for below in kind.__subclasses__():
        if below.__module__.startswith(errors.__name__):
            yield from _kinds(below)


def faults_page() -> str:
    rows = [f"| `{name}` | {text} |" for name, text in faults.POINTS.items()]
    own = [f"| `{name}` | {text} |" for name, text in faults.KUBERNETES_POINTS.items()]
    head = ["| point | the moment |", "|---|---|"]
    return "\n".join(
        [
            "# Fault points",
            "",
            "`GENOFERRY_FAULT=<point>` makes a worker kill itself with SIGKILL when it passes that point. The",
            "acceptance tests use them to show that another worker finishes the job (`tests/acceptance/`).",
            "",
            *head,
            *rows,
            "",
            "Only of the Kubernetes runner with `GENOFERRY_KUBERNETES_CREDENTIALS=secret`, between `intent` and",
            "`submit` (`tests/e2e/kubernetes/`):",
            "",
            *head,
            *own,
            "",
        ]
    )


def exit_codes_page() -> str:
    own = [f"| {code.value} | {text} |" for code, text in exit_codes.MEANING.items()]
    job = [f"| {code} | {text} |" for code, text in exit_codes.JOB_RUN.items()]
    head = ["| code | meaning |", "|---|---|"]
    lines = ["# Exit codes", "", "## The command line", "", *head, *own, ""]
    return "\n".join([*lines, "## The job program (`genoferry job run`)", "", *head, *job, ""])


class OddFile(Protocol):
    """A row of a table of odd files."""

    @property
    def name(self) -> str: ...
    @property
    def odd(self) -> str: ...
    @property
    def expected(self) -> str: ...
    @property
    def why(self) -> str: ...


def odd_files_page(title: str, intro: str, rows: Iterable[OddFile]) -> str:
    """A table of odd files and what comes of each, from the rows that the tests run."""
    lines = [f"# {title}", "", intro, "", "| file | what is odd | outcome | why |", "|---|---|---|---|"]
    for row in rows:
        cells = (row.name, row.odd, row.expected if row.expected == "calculated" else f"`{row.expected}`", row.why)
        lines.append("| " + " | ".join(cell.replace("|", "\\|").replace("<", "&lt;") for cell in cells) + " |")
    return "\n".join([*lines, ""])


ODD_GENOTYPES = """\
What comes of genotype files that aren't as one would expect. `calculated`: the sums are those of a routine that shares
no code with the engine (`genoferry.testing.expected`); else the code of the refusal. `make test` runs every row
through the embedded engine; `make test-e2e` does so with plink2 too."""


def odd_genotypes_page() -> str:
    return odd_files_page("Odd genotype files", ODD_GENOTYPES, odd_genotypes.ROWS)


ODD_SCOREFILES = """\
What comes of scorefiles that are odd in one way. `calculated`: the sums are those of a routine that shares no code
with the engine (`genoferry.testing.expected`), with the odd row in it or left out, as *why* says; the report counts
rows that are left out. Else the code of the refusal, whose message names the score, and line and column where there
is one. Where other scores are asked for too, one with `effect-type-unsupported`, `zero-matches` or repeated rows fails
alone, and the others are calculated; every other refusal comes before any tool runs. The pre-flight refuses the same
files, as far as it reads them (rows without a place as `scorefile-invalid`).

The rule: what pgsc_calc would calculate is calculated; refused is what is ill-formed or ambiguous. `make test` runs
every row through the embedded engine and the pre-flight (`tests/integration/pgsc/test_odd_scorefiles.py`);
`make test-e2e` does so with plink2 too."""


def odd_scorefiles_page() -> str:
    return odd_files_page("Odd scorefiles", ODD_SCOREFILES, odd_scorefiles.ROWS)


PAGES = {
    "exit-codes.md": exit_codes_page,
    "settings.md": settings_page,
    "errors.md": errors_page,
    "fault-points.md": faults_page,
    "odd-genotypes.md": odd_genotypes_page,
    "odd-scorefiles.md": odd_scorefiles_page,
}


def main() -> None:
    REFERENCE.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page())


if __name__ == "__main__":
    main()
