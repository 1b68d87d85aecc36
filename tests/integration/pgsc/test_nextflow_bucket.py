"""What the engine reads from buckets, from the embedded S3."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from genoferry.aws.clients import sync_client
from genoferry.errors import PipelineMissing
from genoferry.pgsc.nextflow.bucket import fetch_pipeline, read_tail
from genoferry.pgsc.nextflow.log_tail import WINDOW


@pytest.fixture
def put(aws_environment: Mapping[str, str]) -> Any:
    bucket = aws_environment["GENOFERRY_WORK_BUCKET"]

    def put(key: str, body: bytes) -> str:
        sync_client("s3").put_object(Bucket=bucket, Key=key, Body=body)
        return f"s3://{bucket}"

    return put


def test_a_pipeline_is_fetched_once_and_whole(put: Any, tmp_path: Path) -> None:
    for name in ("main.nf", "modules/match.nf", "bin/report.py"):
        base = put(f"fetched/pipeline/{name}", name.encode())
    folder = tmp_path / "pipeline"
    fetch_pipeline(f"{base}/fetched/pipeline", folder)
    found = {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}
    assert found == {name: name for name in ("main.nf", "modules/match.nf", "bin/report.py")}
    assert (folder / "bin/report.py").stat().st_mode & 0o100
    before = (folder / "main.nf").stat().st_mtime_ns
    put("fetched/pipeline/main.nf", b"another")
    fetch_pipeline(f"{base}/fetched/pipeline/", folder)
    assert (folder / "main.nf").stat().st_mtime_ns == before, "the next attempt goes on with the same"


def test_a_folder_without_a_pipeline(put: Any, tmp_path: Path) -> None:
    base = put("other/README.md", b"none")
    with pytest.raises(PipelineMissing):
        fetch_pipeline(f"{base}/other", tmp_path / "pipeline")
    assert not (tmp_path / "pipeline").exists()


def test_the_end_of_a_tasks_file(put: Any, tmp_path: Path) -> None:
    long = b"x" * WINDOW + b"\nthe last line\n"
    base = put("tails/ab/cdef/.command.err", long)
    put("tails/ab/cdef/.exitcode", b"")
    workdir = f"{base}/tails/ab/cdef"
    assert read_tail(workdir, ".command.err") == b"the last line\n"
    assert read_tail(workdir, ".exitcode") == b""
    assert read_tail(workdir, ".command.log") is None
    (tmp_path / ".command.err").write_bytes(b"here")
    assert read_tail(str(tmp_path), ".command.err") == b"here"
