"""`payloads/` is what the models and the seeded cohort say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from genoferry.cli.demo.payloads import payloads
from genoferry.cli.demo.prepared import prepare, seeded
from genoferry.cli.exit_codes import ExitCode
from genoferry.cli.schemas import file_name, schemas
from genoferry.contracts.envelope import MAX_MESSAGE_BYTES
from genoferry.handlers.registry import load

FOLDER = Path(__file__).parents[3] / "payloads"
HANDLERS = load()


def test_the_schemas_in_the_repository_are_not_stale() -> None:
    fresh = {file_name(name): document for name, document in schemas(HANDLERS).items()}
    kept = {path.name: json.loads(path.read_text()) for path in (FOLDER / "schemas").glob("*.json")}
    assert kept == fresh, "run: genoferry schema --all --out payloads/schemas"


def test_the_payloads_in_the_repository_are_not_stale(tmp_path: Path) -> None:
    fresh = payloads(prepare(tmp_path, rand=seeded()))
    kept = {path.name: json.loads(path.read_text()) for path in FOLDER.glob("*.json")}
    assert kept == fresh, "run: python -m genoferry.cli.demo.payloads payloads"
    assert all(len(json.dumps(document)) < MAX_MESSAGE_BYTES for document in fresh.values())


def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    made = [prepare(tmp_path / name, rand=seeded(), samples=50, variants=500) for name in "ab"]
    first, second = (
        {path.relative_to(each.folder): path.read_bytes() for path in each.folder.rglob("*") if path.is_file()}
        for each in made
    )
    assert first == second
    assert repr(made[0].private_key) not in repr(made[0])


def test_every_message_name_has_a_payload_and_a_schema() -> None:
    names = {json.loads(path.read_text()).get("body", {}).get("name") for path in FOLDER.glob("*.json")}
    assert set(HANDLERS) <= names
    assert set(HANDLERS) <= set(schemas(HANDLERS))


def test_a_schema_is_printed_by_name(run) -> None:
    printed = json.loads(run("schema", "CalculateScores").stdout)
    assert printed["properties"]["body"]["properties"]["name"]["const"] == "CalculateScores"
    assert "name" not in json.loads(run("schema", "bare-job-request").stdout)["properties"]


def test_list_names_them(run) -> None:
    assert run("schema", "--list").stdout.split() == list(schemas(HANDLERS))


def test_all_are_written(run, tmp_path: Path) -> None:
    run("schema", "--all", "--out", str(tmp_path / "new"))
    assert {path.name for path in (tmp_path / "new").iterdir()} == {file_name(name) for name in schemas(HANDLERS)}


def test_an_unknown_name(run) -> None:
    result = run("schema", "Nope")
    assert result.exit_code == ExitCode.NOT_FOUND
    assert "CalculateScores" in result.stderr


@pytest.mark.parametrize("args", [(), ("--all",), ("event", "--list"), ("--out", "x"), ("event", "--out", "x")])
def test_a_wrong_command_line(run, args: tuple[str, ...]) -> None:
    assert run("schema", *args).exit_code == ExitCode.USAGE


@pytest.mark.parametrize(
    ("name", "file"), [("CalculateScores", "calculate_scores.json"), ("bare-job-request", "bare_job_request.json")]
)
def test_file_names(name: str, file: str) -> None:
    assert file_name(name) == file
