"""Every command says what it does and shows an example, and the program starts light."""

from __future__ import annotations

import subprocess
import sys

import pytest

COMMANDS = (
    "demo", "worker", "local up", "local down", "local status", "local env", "local seed", "job run", "send", "follow",
    "status", "jobs", "results", "cancel", "dlq list", "dlq show", "stage", "schema", "doctor", "render", "preflight",
)  # fmt: skip
HEAVY = ("boto3", "botocore", "aioboto3", "numpy", "pydantic", "cryptography", "structlog", "psutil")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(run, command: str) -> None:
    result = run(*command.split(), "--help")
    assert result.exit_code == 0
    assert "Example" in result.output
    assert f"genoferry {command}" in result.output


def test_the_overview_names_every_command(run) -> None:
    overview = run("--help").output
    assert all(command.split()[0] in overview for command in COMMANDS)


def test_no_command_is_left_out_here() -> None:
    from genoferry.cli import dlq, job, local
    from genoferry.cli.app import app

    groups = {"dlq": dlq.app, "job": job.app, "local": local.app}
    own = [str(command.name) for command in app.registered_commands]
    nested = [f"{name} {command.name}" for name, group in groups.items() for command in group.registered_commands]
    assert sorted(own + nested) == sorted(COMMANDS)


def test_starting_imports_nothing_heavy() -> None:
    code = f"import sys, genoferry.cli.app; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_version(run) -> None:
    from genoferry import __version__

    assert run("--version").output.strip() == f"genoferry {__version__}"
