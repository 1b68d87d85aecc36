"""How a tool is started, watched and ended, with real processes."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from genoferry import errors
from genoferry.pgsc.parallel import together
from genoferry.pgsc.process import LOG_ROOM, Bench, Stop, run_tool, tool
from genoferry.testing.waiting import wait_until


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


@pytest.fixture
def bench(tmp_path: Path, stop: threading.Event) -> Bench:
    return Bench(tmp_path, Stop(stop), 1)


def test_nothing_of_the_jobs_environment_gets_in(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    monkeypatch.setenv("GENOFERRY_ANYTHING", "canary")
    printed = run_tool(bench, "X", ["/usr/bin/env"])
    assert "canary" not in printed
    names = {line.split("=", 1)[0] for line in printed.splitlines()}
    assert names == {
        "PATH",
        "HOME",
        "TMPDIR",
        "LC_ALL",
        "PYTHONNOUSERSITE",
        "POLARS_MAX_THREADS",
        "OMP_NUM_THREADS",
    }
    assert f"HOME={bench.scratch}" in printed


def test_a_tool_runs_in_its_scratch_folder_and_its_output_stays_there(bench: Bench) -> None:
    assert run_tool(bench, "X", ["/bin/sh", "-c", "pwd; echo loud >&2"]).splitlines() == [str(bench.scratch), "loud"]
    assert "loud" in bench.log_of("X").read_text()


@pytest.mark.parametrize(
    ("script", "kind", "code"),
    [
        ("exit 15", errors.ZeroMatches, 15),
        ("exit 3", errors.ToolFailed, 3),
        ("kill -9 $$", errors.ToolKilled, -9),
        ("echo OSError: [Errno 28] No space left on device; exit 15", errors.DiskFull, 15),
    ],
)
def test_the_end_of_a_tool_is_named(bench: Bench, script: str, kind: type[errors.CalculationError], code: int) -> None:
    with pytest.raises(kind) as raised:
        run_tool(bench, "MATCH_COMBINE", ["/bin/sh", "-c", script])
    assert raised.value.trace_exit == code


def test_a_tool_has_room_for_its_last_words(bench: Bench) -> None:
    script = "import os; print(os.fstat(1).st_blocks * 512, flush=True)"
    room = run_tool(bench, "X", [sys.executable, "-c", script])
    assert int(room) >= LOG_ROOM
    assert bench.log_of("X").read_text() == room, "and nothing but its words is left"


def test_a_stop_ends_a_tool_with_all_that_it_started(bench: Bench, stop: threading.Event) -> None:
    pids = bench.scratch / "pids"
    script = "sleep 300 & echo $! $$ > pids.new; mv pids.new pids; wait"

    def stop_when_started() -> None:
        while not pids.exists():
            time.sleep(0.01)
        stop.set()

    watcher = threading.Thread(target=stop_when_started)
    watcher.start()
    with pytest.raises(errors.CalculationStopped):
        run_tool(bench, "X", ["/bin/sh", "-c", script])
    watcher.join()
    for pid in map(int, pids.read_text().split()):
        assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_the_first_failure_of_several_ends_the_others(bench: Bench) -> None:
    def slow() -> None:
        run_tool(bench, "X", ["/bin/sleep", "300"], label=".slow")

    def bad() -> None:
        run_tool(bench, "X", ["/bin/sh", "-c", "exit 9"], label=".bad")

    with pytest.raises(errors.ScorefileInvalid):
        together(bench.stop, [slow, bad], 2)


def test_a_tool_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert os.access(tool("pgscatalog-match"), os.X_OK)
    with pytest.raises(errors.ToolsMissing):
        tool("pgscatalog-nothing")


def test_what_a_tool_starts_while_it_ends_ends_too(bench: Bench, stop: threading.Event) -> None:
    """A pool of workers may be growing: one that nobody ended would wait for work forever."""
    mark = f"600.{os.getpid()}"
    script = f"i=0; while [ $i -lt 400 ]; do sleep {mark} & i=$((i + 1)); [ $i -lt 20 ] || : > started; done; wait"

    def stop_when_some_are_there() -> None:
        wait_until((bench.scratch / "started").exists, what="twenty processes")
        stop.set()

    watch = threading.Thread(target=stop_when_some_are_there)
    watch.start()
    with pytest.raises(errors.CalculationStopped):
        run_tool(bench, "X", ["/bin/sh", "-c", script])
    watch.join()
    left = [process for process in psutil.process_iter(["cmdline"]) if mark in (process.info["cmdline"] or [])]
    for process in left:
        process.kill()
    assert left == []
