"""The local runner with real processes: found again, told apart, ended whole, cleaned."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psutil
import pytest

from genoferry.compute.local.runner import LocalRunner, ProcessRef
from genoferry.compute.protocol import Handle, JobSpec, Observation

SPEC = JobSpec("u", 1, "gf-test-u-1", "s3://work/u/1/job.json")
WAITS = "import sys, time; print('up', flush=True); time.sleep(600)"
HAS_CHILD = (
    "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"  # not waited for
)


class NoCredentials:
    def environment(self, uuid: str, attempt: int, folder: Path) -> Mapping[str, str]:
        return {"PATH": os.environ["PATH"]}

    def renew(self, uuid: str, attempt: int, folder: Path) -> None:
        (folder / "renewed").touch()


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition didn't come"
        time.sleep(0.02)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., LocalRunner]]:
    def runner(code: str = WAITS, **changes: str) -> LocalRunner:
        command = (sys.executable, "-c", code, "job")
        host = changes.pop("host", "here")
        made.append(LocalRunner(tmp_path, host=host, credentials=NoCredentials(), command=command))
        return made[-1]

    made: list[LocalRunner] = []
    yield runner
    for child in [child for one in made for child in one._children.values()]:
        child.kill()
        child.wait()


def start(runner: LocalRunner) -> Handle:
    ref = asyncio.run(runner.submit(SPEC))
    return Handle(SPEC.uuid, SPEC.attempt, SPEC.name, ref)


def look(runner: LocalRunner, handle: Handle) -> Observation:
    (seen,) = asyncio.run(runner.observe([handle]))
    return seen


def pid_of(handle: Handle) -> int:
    return ProcessRef.model_validate_json(handle.ref or "").pid


def test_a_new_worker_finds_the_job_again(make: Callable[..., LocalRunner]) -> None:
    handle = start(make())
    later = make()
    assert look(later, handle).phase == "running"
    assert asyncio.run(later.submit(SPEC)) == handle.ref, "submitting again attaches"


def test_a_job_without_its_record_is_found_by_its_command_line(
    make: Callable[..., LocalRunner], tmp_path: Path
) -> None:
    runner = make()
    handle = start(runner)
    until(lambda: asyncio.run(runner.logs(handle, 1)))  # before its first line it may have no command line yet
    (tmp_path / SPEC.name / "process.json").unlink()
    assert asyncio.run(make().submit(SPEC)) == handle.ref


@pytest.mark.parametrize(("code", "phase", "exit_code"), [("", "succeeded", 0), ("raise SystemExit(42)", "failed", 42)])
def test_the_exit_code_is_seen_by_parent_and_stranger(
    make: Callable[..., LocalRunner], code: str, phase: str, exit_code: int
) -> None:
    parent, stranger = make(code), make()
    handle = start(parent)
    until(lambda: look(stranger, handle).phase != "running")
    for runner in (stranger, parent):
        seen = look(runner, handle)
        assert (seen.phase, seen.exit_code) == (phase, exit_code)


def test_a_killed_job_is_a_failure_with_its_signal(make: Callable[..., LocalRunner]) -> None:
    runner = make()
    handle = start(runner)
    os.kill(pid_of(handle), signal.SIGKILL)
    until(lambda: look(runner, handle).phase == "failed")
    assert look(runner, handle).exit_code == -signal.SIGKILL


def test_clean_ends_what_a_killed_job_left_running(make: Callable[..., LocalRunner], tmp_path: Path) -> None:
    runner = make(HAS_CHILD)
    handle = start(runner)
    leader = psutil.Process(pid_of(handle))
    until(leader.children)
    (child,) = leader.children()
    leader.kill()
    until(lambda: look(runner, handle).phase == "failed")
    assert child.is_running()
    asyncio.run(runner.clean(handle))
    until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
    assert not (tmp_path / SPEC.name).exists()
    asyncio.run(runner.clean(handle))


def test_another_pid_of_the_same_number_is_not_the_job(make: Callable[..., LocalRunner]) -> None:
    runner = make()
    handle = start(runner)
    ref = json.loads(handle.ref or "")
    changed = Handle(SPEC.uuid, 1, SPEC.name, json.dumps(ref | {"started": ref["started"] - 1}))
    assert look(make(), changed).phase == "failed"
    asyncio.run(make().cancel(Handle(SPEC.uuid, 1, SPEC.name, json.dumps(ref | {"boot_id": "another boot"}))))
    assert look(runner, handle).phase == "running"


def test_only_its_host_judges_a_job(make: Callable[..., LocalRunner]) -> None:
    handle = start(make())
    assert asyncio.run(make(host="elsewhere").observe([handle])) == []


def test_cancel_and_logs(make: Callable[..., LocalRunner]) -> None:
    runner = make()
    handle = start(runner)
    until(lambda: asyncio.run(runner.logs(handle, 5)) == ["up"])
    asyncio.run(runner.cancel(handle))
    assert look(runner, handle).phase == "failed"
    assert not psutil.pid_exists(pid_of(handle))


def test_a_job_that_was_never_started_is_gone(make: Callable[..., LocalRunner]) -> None:
    assert look(make(), Handle("u", 1, "gf-test-u-1", None)).phase == "gone"
