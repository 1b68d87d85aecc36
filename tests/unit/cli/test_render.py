"""`genoferry render`: exactly what would run, and nothing is overwritten."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from genoferry.cli import render
from genoferry.cli.exit_codes import ExitCode

PAYLOADS = Path(__file__).parents[3] / "payloads"
MANIFEST = {"local": "process.json", "kubernetes": "job.yaml", "batch": "submit-job.json", "slurm": "job.sbatch"}
EXECUTOR = {"local": "local", "kubernetes": "k8s", "batch": "awsbatch", "slurm": "slurm"}
RUNS = sorted(MANIFEST)


@pytest.fixture(autouse=True)
def site(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENOFERRY_WORKSPACES", "/workspaces")


def needed(monkeypatch: pytest.MonkeyPatch, runner: str) -> None:
    if runner == "kubernetes":
        monkeypatch.setenv("GENOFERRY_NEXTFLOW_STORAGE_CLAIM", "claim")
    if runner == "batch":
        monkeypatch.setenv("GENOFERRY_NEXTFLOW_QUEUE", "queue")
        monkeypatch.setenv("GENOFERRY_NEXTFLOW_BUCKET_WORKSPACES", "1")


def written(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


@pytest.mark.parametrize("runner", RUNS)
def test_it_writes_what_would_run_and_says_what_it_wrote(run, monkeypatch, tmp_path, runner: str) -> None:
    needed(monkeypatch, runner)
    result = run("render", str(PAYLOADS / "calculate_scores.json"), "--runner", runner, "--out", str(tmp_path / "out"))
    assert result.exit_code == 0, result.stderr
    names = ["params.json", "samplesheet.json", "nextflow.config", "command.sh", MANIFEST[runner]]
    assert result.stdout.splitlines() == [str(tmp_path / "out" / name) for name in names]
    assert sorted(written(tmp_path / "out")) == sorted(names)
    assert f"executor = '{EXECUTOR[runner]}'" in written(tmp_path / "out")["nextflow.config"]


def test_the_executor_follows_the_settings_where_they_name_one(run, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("GENOFERRY_NEXTFLOW_EXECUTOR", "local")
    run("render", str(PAYLOADS / "calculate_scores.json"), "--runner", "slurm", "--out", str(tmp_path))
    assert "executor = 'local'" in written(tmp_path)["nextflow.config"]


def test_scores_are_local_where_they_are_sent_or_mirrored(run, monkeypatch, tmp_path) -> None:
    def scores(name: str) -> set[str]:
        run("render", str(PAYLOADS / name), "--runner", "local", "--out", str(tmp_path), "--force")
        return {"scorefile", "pgs_id"} & set(json.loads(written(tmp_path)["params.json"]))

    assert scores("calculate_scores_s3.json") == {"scorefile"}
    assert scores("calculate_scores.json") == {"pgs_id"}
    monkeypatch.setenv("GENOFERRY_SCORE_MIRROR", "/mirror")
    assert scores("calculate_scores.json") == {"scorefile"}


def test_the_command_is_a_shell_script(run, tmp_path) -> None:
    run("render", str(PAYLOADS / "bare_job_request.json"), "--runner", "local", "--out", str(tmp_path))
    words = shlex.split(written(tmp_path)["command.sh"].removeprefix("#!/bin/sh\n"))
    assert words[words.index("exec") + 1] == "nextflow"
    assert "NXF_OFFLINE=true" in words


def test_again_gives_the_same_bytes_and_another_content_is_left_alone(run, tmp_path) -> None:
    call = ("render", str(PAYLOADS / "calculate_scores.json"), "--runner", "local", "--out", str(tmp_path))
    run(*call)
    first = written(tmp_path)
    assert run(*call).exit_code == 0
    assert written(tmp_path) == first
    (tmp_path / "params.json").write_text("mine")
    (tmp_path / "samplesheet.json").unlink()
    refused = run(*call)
    assert refused.exit_code == ExitCode.WOULD_OVERWRITE
    assert "params.json" in refused.stderr
    assert (refused.stdout, (tmp_path / "samplesheet.json").exists()) == ("", False)
    assert written(tmp_path)["params.json"] == "mine"
    assert run(*call, "--force").exit_code == 0
    assert written(tmp_path) == first


@pytest.mark.parametrize(
    ("text", "code"),
    [("{", "not-json"), ((PAYLOADS / "cancel_job.json").read_text(), "invalid-body")],
)
def test_what_calculates_no_scores_is_refused(run, tmp_path, text: str, code: str) -> None:
    result = run("render", "-", "--runner", "local", "--out", str(tmp_path / "out"), stdin=text)
    assert result.exit_code == ExitCode.BAD_MESSAGE
    assert f"[{code}]" in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_setting_that_is_missing_is_named_and_nothing_is_written(run, tmp_path) -> None:
    result = run("render", str(PAYLOADS / "calculate_scores.json"), "--runner", "batch", "--out", str(tmp_path / "out"))
    assert result.exit_code == ExitCode.SETTINGS
    assert "GENOFERRY_NEXTFLOW_QUEUE" in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_folder_that_can_not_be_written_is_a_wrong_command_line(run, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    result = run(
        "render", str(PAYLOADS / "calculate_scores.json"), "--runner", "local", "--out", str(tmp_path / "file")
    )
    assert result.exit_code == ExitCode.USAGE


def test_every_runner_has_an_executor() -> None:
    assert {kind.value: name for kind, name in render.EXECUTORS.items()} == EXECUTOR
