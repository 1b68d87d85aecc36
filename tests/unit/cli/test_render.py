"""`genoferry render`: exactly what would run, and nothing is overwritten."""

from __future__ import annotations

import errno
import io
import json
import shlex
import threading
import tracemalloc
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from genoferry.cli import render
from genoferry.cli.exit_codes import ExitCode
from genoferry.cli.send import read_text
from genoferry.compute.registry import RUNNERS
from genoferry.contracts.envelope import MAX_MESSAGE_BYTES, parse_request
from genoferry.contracts.pipeline import PipelineParam
from genoferry.errors import MessageTooLarge, ScorefileMissing
from genoferry.handlers.protocol import Shared, Task
from genoferry.handlers.scores import SCOREFILE, TARGET
from genoferry.handlers.scores.engines import ENGINES

PAYLOADS = Path(__file__).parents[3] / "payloads"
MANIFEST = {"local": "process.json", "kubernetes": "job.yaml", "batch": "submit-job.json", "slurm": "job.sbatch"}
EXECUTOR = {"local": "local", "kubernetes": "k8s", "batch": "awsbatch", "slurm": "slurm"}
RUNS = sorted(MANIFEST)


@pytest.fixture(autouse=True)
def site(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENOFERRY_WORKSPACES", "/workspaces")
    monkeypatch.setenv("GENOFERRY_SCORE_MIRROR", "/mirror")


def needed(monkeypatch: pytest.MonkeyPatch, runner: str) -> None:
    if runner == "kubernetes":
        monkeypatch.setenv("GENOFERRY_NEXTFLOW_STORAGE_CLAIM", "claim")
        monkeypatch.setenv("GENOFERRY_KUBERNETES_SCORES_CLAIM", "scores")
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


SCORES = ("scorefile", "pgs_id", "pgp_id", "efo_id")
SENT = "calculate_scores_s3.json"
ASKED: dict[str, dict[str, str]] = {
    "ids": {"pgs_id": "PGS000001,PGS000002"},
    "ids and a publication": {"pgs_id": "PGS000001", "pgp_id": "PGP000001"},
    "a trait": {"trait_efo": "EFO_0004214"},
    "files": {},
}


def request_for(asked: str) -> str:
    document = json.loads((PAYLOADS / (SENT if asked == "files" else "calculate_scores.json")).read_text())
    params = document["body"]["pipeline_param"]["nxf_params_file"]
    params.update({"pgs_id": None, **ASKED[asked]})
    return json.dumps(document)


def scores_of(run: Any, folder: Path, asked: str) -> set[str] | str:
    """The parameters that name scores, or what the refusal says."""
    result = run("render", "-", "--runner", "local", "--out", str(folder), stdin=request_for(asked))
    if result.exit_code:
        assert not folder.exists()
        return str(result.stderr)
    return set(SCORES) & set(json.loads(written(folder)["params.json"]))


@pytest.mark.parametrize(
    ("asked", "offline", "mirror", "expected"),
    [
        ("ids", True, True, {"scorefile"}),
        ("ids", True, False, "[scorefile-missing]"),
        ("ids", False, True, {"scorefile"}),
        ("ids", False, False, {"pgs_id"}),
        ("ids and a publication", True, True, "[not-offered]"),
        ("ids and a publication", True, False, "[not-offered]"),
        ("ids and a publication", False, True, {"scorefile", "pgp_id"}),
        ("ids and a publication", False, False, {"pgs_id", "pgp_id"}),
        ("a trait", True, True, "[not-offered]"),
        ("a trait", False, True, {"efo_id"}),
        ("files", True, False, {"scorefile"}),
        ("files", False, False, {"scorefile"}),
    ],
)
def test_scores_are_local_or_the_pipelines_as_they_are_in_the_job(
    run, monkeypatch, tmp_path, *, asked: str, offline: bool, mirror: bool, expected: Any
) -> None:
    monkeypatch.setenv("GENOFERRY_NEXTFLOW_OFFLINE", str(offline))
    mirrored(monkeypatch, tmp_path / "mirror" if mirror else None)
    found = scores_of(run, tmp_path / "out", asked)
    if isinstance(found, str):
        assert expected in found
    else:
        assert found == expected
    if expected != "[not-offered]":  # the worker makes no job of that
        assert job_has_files(monkeypatch, tmp_path, asked) == (None if isinstance(found, str) else "scorefile" in found)


def mirrored(monkeypatch: pytest.MonkeyPatch, folder: Path | None) -> None:
    monkeypatch.delenv("GENOFERRY_SCORE_MIRROR")
    if folder is not None:
        folder.mkdir()
        for name in ("PGS000001", "PGS000002"):
            (folder / f"{name}.txt.gz").touch()
        monkeypatch.setenv("GENOFERRY_SCORE_MIRROR", str(folder))


def job_has_files(monkeypatch: pytest.MonkeyPatch, folder: Path, asked: str) -> bool | None:
    """Whether the job hands scorefiles to its engine; None where it fails before that."""
    from genoferry.pgsc.nextflow import engine

    begun: list[engine.Calculation] = []
    monkeypatch.setattr(engine, "run", lambda job, **_: begun.append(job))
    body = parse_request(request_for(asked)).body
    sent = {"scores.txt.gz": folder / "scores.txt.gz"} if asked == "files" else {}
    task = Task(
        params={},
        files={TARGET: {}, SCOREFILE: sent},
        work=folder,
        out=folder,
        progress=lambda *_, **__: None,
        stop=threading.Event(),
        settings=render.known("local"),
        shared=Shared(folder, "s3://work/"),
    )
    try:
        ENGINES["nextflow"](task, PipelineParam.model_validate(body["pipeline_param"]))
    except ScorefileMissing:
        return None
    return bool(begun[0].inputs.scorefiles)


@pytest.mark.parametrize("asked", ["liftover", "run_ancestry"])
def test_what_the_deployment_does_not_offer_is_refused_as_a_worker_does(run, tmp_path, asked: str) -> None:
    document = json.loads(request_for("files"))
    document["body"]["pipeline_param"]["nxf_params_file"][asked] = True
    result = run("render", "-", "--runner", "local", "--out", str(tmp_path / "out"), stdin=json.dumps(document))
    assert result.exit_code == ExitCode.BAD_MESSAGE
    assert "[not-offered]" in result.stderr


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


def rendered_into(run: Any, folder: Path, *options: str) -> Any:
    return run("render", str(PAYLOADS / SENT), "--runner", "local", "--out", str(folder), *options)


@pytest.mark.parametrize("options", [(), ("--force",)])
def test_no_link_in_the_folder_is_followed(run, tmp_path, options: tuple[str, ...]) -> None:
    folder, elsewhere = tmp_path / "out", tmp_path / "mine"
    folder.mkdir()
    elsewhere.write_text("mine")
    (folder / "params.json").symlink_to(elsewhere)
    (folder / "command.sh").symlink_to(tmp_path / "nothing")
    refused = rendered_into(run, folder, *options)
    assert refused.exit_code == ExitCode.USAGE
    assert "params.json, command.sh" in refused.stderr
    assert (elsewhere.read_text(), (tmp_path / "nothing").exists()) == ("mine", False)
    assert sorted(path.name for path in folder.iterdir()) == ["command.sh", "params.json"]


def test_a_disk_that_fills_up_leaves_no_half_of_it(run, monkeypatch, tmp_path) -> None:
    rendered_into(run, tmp_path)
    (tmp_path / "params.json").write_text("mine")
    (tmp_path / "command.sh").unlink()
    before, write = written(tmp_path), Path.write_text

    def fills_up(path: Path, *args: Any, **how: Any) -> int:
        if path.name == "command.sh":
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, *args, **how)

    monkeypatch.setattr(Path, "write_text", fills_up)
    failed = rendered_into(run, tmp_path, "--force")
    assert failed.exit_code == ExitCode.USAGE
    assert ("No space left" in failed.stderr, failed.stdout) == (True, "")
    assert written(tmp_path) == before


def test_of_a_payload_no_more_is_read_than_a_message_may_hold(run, monkeypatch, tmp_path) -> None:
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(256 * MAX_MESSAGE_BYTES)
    tracemalloc.start()
    try:
        result = run("render", str(tmp_path / "huge"), "--runner", "local", "--out", str(tmp_path / "out"))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (result.exit_code, "[message-too-large]" in result.stderr) == (ExitCode.BAD_MESSAGE, True)
    assert most < 128 * MAX_MESSAGE_BYTES
    endless = io.BytesIO(b"\xc3" * (4 * MAX_MESSAGE_BYTES))
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=endless))
    with pytest.raises(MessageTooLarge):
        read_text("-")
    assert endless.tell() == MAX_MESSAGE_BYTES + 1


@pytest.mark.parametrize(("command", "argument"), [("send", "FILE|-"), ("render --runner local --out x", "PAYLOAD|-")])
def test_a_file_that_can_not_be_read_is_called_as_in_the_help(run, tmp_path, command: str, argument: str) -> None:
    name, *options = command.split()
    result = run(name, str(tmp_path / "none.json"), *options)
    assert result.exit_code == ExitCode.USAGE
    assert f"Invalid value for {argument}:" in result.stderr


def test_every_runner_has_an_executor() -> None:
    assert {name: entry.executor for name, entry in RUNNERS.items()} == EXECUTOR
