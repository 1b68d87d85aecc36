"""The local runner's ends and starts where things are in the way: links, lost records, strangers, full machines."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import psutil
import pytest

from genoferry.compute.local.limits import Shares
from genoferry.compute.local.runner import LocalRunner, ProcessRef
from genoferry.compute.protocol import Handle, JobSpec, Workspace
from genoferry.contracts.limits import JobLimits
from genoferry.errors import CleanUpFailed, SubmitFailed, SubmitUnavailable
from genoferry.testing.waiting import wait_until

UUID = "5e0c5d3c-0000-4000-8000-000000000001"
NAME = f"gf-test-{UUID}-1"
SPEC = JobSpec(UUID, 1, NAME, f"s3://work/{UUID}/1/job.json")
COMMAND = (sys.executable, "-c", "import time; time.sleep(600)", "job")


class NoCredentials:
    error: OSError | None = None

    def environment(self, uuid: str, attempt: int, folder: Path) -> Mapping[str, str]:
        if self.error is not None:
            raise self.error
        return {"PATH": os.environ["PATH"]}

    def renew(self, uuid: str, attempt: int, folder: Path) -> None:
        if self.error is not None:
            raise self.error


@pytest.fixture
def make() -> Iterator[Callable[..., LocalRunner]]:
    made: list[LocalRunner] = []

    def runner(
        root: Path,
        credentials: NoCredentials | None = None,
        shares: Shares | None = None,
        command: Sequence[str] = COMMAND,
    ) -> LocalRunner:
        own = credentials or NoCredentials()
        made.append(LocalRunner(root, host="here", credentials=own, shares=shares or Shares(), command=command))
        return made[-1]

    yield runner
    for child in [child for one in made for child in one._children.values()]:
        child.kill()
        child.wait()


def start(runner: LocalRunner, spec: JobSpec = SPEC) -> Handle:
    return Handle(spec.uuid, spec.attempt, spec.name, asyncio.run(runner.submit(spec)))


def process(handle: Handle) -> psutil.Process:
    return psutil.Process(ProcessRef.model_validate_json(handle.ref or "").pid)


def ended(found: psutil.Process) -> bool:
    return not found.is_running() or found.status() == psutil.STATUS_ZOMBIE


UNKNOWN = Handle(UUID, 1, NAME, None)
"""What a worker has of a job whose submitter died before it recorded anything."""


def test_a_folder_behind_a_link(make: Callable[..., LocalRunner], tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    handle = start(make(tmp_path / "link"))
    found = process(handle)
    asyncio.run(make(tmp_path / "link").clean(handle))
    assert ended(found)
    assert not (tmp_path / "real" / NAME).exists()


def test_a_folder_stays_while_its_process_lives(
    make: Callable[..., LocalRunner], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = make(tmp_path)
    handle = start(runner)
    with monkeypatch.context() as patch:
        patch.setattr(psutil.Process, "terminate", lambda _: None)
        patch.setattr(psutil.Process, "kill", lambda _: None)
        with pytest.raises(CleanUpFailed) as caught:
            asyncio.run(make(tmp_path, shares=Shares(grace_seconds=0.1)).clean(handle))
    assert caught.value.retryable
    assert (tmp_path / NAME / "scratch").exists()
    asyncio.run(runner.clean(handle))
    assert not (tmp_path / NAME).exists()


def test_a_job_of_which_nothing_is_recorded_is_ended(make: Callable[..., LocalRunner], tmp_path: Path) -> None:
    found = process(start(make(tmp_path)))
    (tmp_path / NAME / "process.json").unlink()
    asyncio.run(make(tmp_path).clean(UNKNOWN))
    assert ended(found)
    assert not (tmp_path / NAME).exists()


def test_a_record_older_than_the_process_does_not_hide_it(make: Callable[..., LocalRunner], tmp_path: Path) -> None:
    handle = start(make(tmp_path))
    record = tmp_path / NAME / "process.json"
    ref = ProcessRef.model_validate_json(record.read_text())
    record.write_text(ref.model_copy(update={"boot_id": "the boot before"}).model_dump_json())
    found = process(handle)
    asyncio.run(make(tmp_path).clean(UNKNOWN))
    assert ended(found)


def test_the_same_job_of_another_deployment_is_not_ours(make: Callable[..., LocalRunner], tmp_path: Path) -> None:
    handle = start(make(tmp_path / "theirs"))
    ours = make(tmp_path / "ours")
    asyncio.run(ours.clean(UNKNOWN))
    assert not ended(process(handle)), "nothing of theirs is ended"
    assert start(ours).ref != handle.ref, "nor attached to"


def test_a_process_of_another_user_is_not_ours(
    make: Callable[..., LocalRunner], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = start(make(tmp_path))
    (tmp_path / NAME / "process.json").unlink()
    with monkeypatch.context() as patch:
        patch.setattr(os, "getuid", lambda: 4711)
        asyncio.run(make(tmp_path).cancel(UNKNOWN))
    assert not ended(process(handle))


def test_one_folder_is_not_shared_by_two_deployments(make: Callable[..., LocalRunner], tmp_path: Path) -> None:
    handle = start(make(tmp_path))
    with pytest.raises(SubmitFailed, match="GENOFERRY_LOCAL_DIR"):
        start(make(tmp_path), JobSpec(UUID, 1, NAME, f"s3://other/{UUID}/1/job.json"))
    assert not ended(process(handle))


def test_a_folder_goes_whole_though_files_vanish_meanwhile(
    make: Callable[..., LocalRunner], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / NAME
    for name in "abcdef":
        (folder / "scratch" / name).mkdir(parents=True)
        (folder / "scratch" / name / "x").touch()
    real, gone = os.unlink, list[object]()

    def unlink(path: str, *, dir_fd: int | None = None) -> None:
        real(path, dir_fd=dir_fd)
        if len(gone) < 2:  # another worker was faster
            gone.append(path)
            raise FileNotFoundError(errno.ENOENT, "gone")

    monkeypatch.setattr(os, "unlink", unlink)
    asyncio.run(make(tmp_path).clean(UNKNOWN))
    assert len(gone) == 2
    assert not folder.exists()


def test_a_folder_that_cannot_be_removed_is_said_and_tried_again(
    make: Callable[..., LocalRunner], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> None:
        raise OSError(errno.ENOTEMPTY, "Directory not empty")

    (tmp_path / NAME).mkdir()
    monkeypatch.setattr(shutil, "rmtree", refuse)
    with pytest.raises(CleanUpFailed, match="not empty"):
        asyncio.run(make(tmp_path).clean(UNKNOWN))


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.EAGAIN, SubmitUnavailable),
        (errno.ENOMEM, SubmitUnavailable),
        (errno.ENOSPC, SubmitUnavailable),
        (errno.EMFILE, SubmitUnavailable),
        (errno.ENOENT, SubmitFailed),
        (errno.EACCES, SubmitFailed),
    ],
)
def test_a_machine_that_is_full_for_now_fails_no_job(
    make: Callable[..., LocalRunner],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    kind: type[SubmitFailed],
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(subprocess, "Popen", full)
    with pytest.raises(SubmitFailed) as caught:
        start(make(tmp_path))
    assert type(caught.value) is kind
    assert caught.value.retryable == (kind is SubmitUnavailable)


def test_a_full_disk_does_not_end_the_look(make: Callable[..., LocalRunner], tmp_path: Path) -> None:
    credentials = NoCredentials()
    runner = make(tmp_path, credentials)
    handle = start(runner)
    credentials.error = OSError(errno.ENOSPC, "No space left on device")
    (seen,) = asyncio.run(runner.observe([handle]))
    assert seen.phase == "running"


RECORD = """
import json, os, sys
limits = json.loads(os.environ["GENOFERRY_JOB_LIMITS"])
open(limits["record"], "r+").write(json.dumps({"cause": "out-of-memory", "reason": "It used too much."}))
sys.exit(143)
"""


@pytest.mark.parametrize(
    ("code", "cause", "reason"),
    [
        (RECORD, "out-of-memory", "It used too much."),
        ("raise SystemExit(28)", "out-of-disk", "No space left on its disk."),
        ("raise SystemExit(1)", None, None),
    ],
)
def test_why_a_job_ended_is_seen(
    make: Callable[..., LocalRunner], tmp_path: Path, code: str, cause: str | None, reason: str | None
) -> None:
    runner = make(tmp_path, command=(sys.executable, "-c", code, "job"))
    handle = start(runner)
    wait_until(lambda: ended(process(handle)), what="the job to end")
    (seen,) = asyncio.run(runner.observe([handle]))
    assert (seen.phase, seen.cause, seen.reason) == ("failed", cause, reason)


def test_its_record_outlives_its_worker(make: Callable[..., LocalRunner], tmp_path: Path) -> None:
    parent = make(tmp_path, command=(sys.executable, "-c", RECORD, "job"))
    handle = start(parent)
    wait_until(lambda: ended(process(handle)), what="the job to end")
    parent._children[NAME].wait()  # nobody can ask for its exit code any more
    (seen,) = asyncio.run(make(tmp_path).observe([handle]))
    assert (seen.phase, seen.exit_code, seen.cause) == ("failed", None, "out-of-memory")


def test_a_job_is_told_its_limits(make: Callable[..., LocalRunner], tmp_path: Path) -> None:
    shares = Shares(memory_mib=100, scratch_mib=200, grace_seconds=3)
    prints = "import os; print(os.environ['GENOFERRY_JOB_LIMITS'], flush=True)"
    runner = make(tmp_path, shares=shares, command=(sys.executable, "-c", prints, "job"))
    handle = start(runner, JobSpec(UUID, 1, NAME, SPEC.uri, WORKSPACE))
    wait_until(lambda: ended(process(handle)), what="the job to end")
    (line,) = asyncio.run(runner.logs(handle, 1))
    assert JobLimits.model_validate_json(line) == JobLimits(
        grace_seconds=3,
        memory_mib=100,
        scratch_mib=200,
        folders=(str(tmp_path / NAME), str(tmp_path / WORKSPACE)),
        record=str(tmp_path / NAME / "limit.json"),
    )


def test_jobs_share_the_machine_where_nothing_is_set(tmp_path: Path) -> None:
    both, one = (Shares(jobs=jobs).limits(tmp_path, None) for jobs in (2, 1))
    total = psutil.virtual_memory().total / 1024**2
    assert both.memory_mib is not None
    assert one.memory_mib is not None
    assert one.memory_mib < total
    assert both.memory_mib * 2 == pytest.approx(one.memory_mib, abs=2)
    assert one.scratch_mib


WORKSPACE = f"gw-test-{UUID}-1"
WORKER = "import os, sys, time; os.makedirs(w := os.environ['GENOFERRY_WORKSPACE']); os.chdir(w); time.sleep(600)"


def test_what_works_in_the_workspace_is_ended_and_the_workspace_is_kept_until_it_is_discarded(
    make: Callable[..., LocalRunner], tmp_path: Path
) -> None:
    runner = LocalRunner(
        tmp_path, host="here", credentials=NoCredentials(), command=(sys.executable, "-c", WORKER, "job")
    )
    handle = start(runner, JobSpec(UUID, 1, NAME, f"s3://work/{UUID}/1/job.json", WORKSPACE))
    found = process(handle)
    wait_until(lambda: found.cwd() == str(tmp_path / WORKSPACE), what="the job to work in its workspace")
    asyncio.run(runner.clean(handle))
    assert ended(found)
    assert not (tmp_path / NAME).exists()
    (kept,) = asyncio.run(make(tmp_path).workspaces("test"))
    assert kept == Workspace(UUID, 1, WORKSPACE, kept.age)
    assert asyncio.run(make(tmp_path).workspaces("another")) == []
    assert asyncio.run(make(tmp_path).leftovers("test")) == []
    for _ in range(2):
        asyncio.run(make(tmp_path).discard(WORKSPACE))
    assert list(tmp_path.iterdir()) == []


def test_nothing_works_in_a_workspace_any_more_when_it_is_removed(
    make: Callable[..., LocalRunner], tmp_path: Path
) -> None:
    """Not even what left the job's session, as a daemon does."""
    workspace = tmp_path / WORKSPACE
    workspace.mkdir()
    daemon = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"], cwd=workspace, start_new_session=True
    )
    asyncio.run(make(tmp_path).discard(WORKSPACE))
    assert daemon.wait() < 0
    assert not workspace.exists()


def test_what_a_tool_made_read_only_is_removed_all_the_same(make: Callable[..., LocalRunner], tmp_path: Path) -> None:
    folder = tmp_path / WORKSPACE / "work" / "env"
    folder.mkdir(parents=True)
    (folder / "library").write_text("x")
    (folder / "library").chmod(0o400)
    folder.chmod(0o500)
    folder.parent.chmod(0o500)
    asyncio.run(make(tmp_path).discard(WORKSPACE))
    assert list(tmp_path.iterdir()) == []
