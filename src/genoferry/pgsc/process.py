"""Runs one tool: in its own folder, with a bare environment, stopped with all that it started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import psutil

from genoferry.errors import CalculationStopped, ToolsMissing
from genoferry.files import end_of
from genoferry.pgsc.exit_codes import failure, trace_name

TAIL_BYTES = 8192
LOG_ROOM = 64 * 1024
"""Bytes of a tool's log that its room on the disk is taken for before it starts: that the disk got full is to be read
there, or a tool's exit code would blame the genomes."""
BEAT = 0.2
"""Seconds between two looks at the stop event while a tool runs; its end is noticed at once."""

GRACE = 5.0
"""Seconds that a tool gets between SIGTERM and SIGKILL."""


class Stop:
    """Set when the caller's event is, or when one of several steps at once has failed."""

    def __init__(self, outer: threading.Event) -> None:
        self._outer, self.failed = outer, threading.Event()

    def is_set(self) -> bool:
        return self._outer.is_set() or self.failed.is_set()

    def wait(self, seconds: float) -> None:
        """Returns when the caller's event is set, after `seconds` at the latest."""
        self._outer.wait(seconds)


@dataclass(frozen=True)
class Bench:
    """Where tools run: `scratch` is their home, temporary and log folder; `stop` ends them."""

    scratch: Path
    stop: Stop
    threads: int

    def log_of(self, process: str) -> Path:
        return self.scratch / f"{process}.log"


def tool(name: str) -> Path:
    """The console script `name` of the packages installed beside this Python. Raises `ToolsMissing`."""
    for folder in (Path(sys.executable).parent, Path(sysconfig.get_path("scripts"))):
        if (folder / name).exists():
            return folder / name
    raise ToolsMissing


def run_tool(bench: Bench, process: str, argv: Sequence[str | Path], *, label: str = "") -> str:
    """Runs `argv` as pgsc_calc's `process` and returns its last lines (`label` tells runs of one process apart).

    What it prints stays in the scratch folder, since it may quote the data. The process is left in this process's
    group, so that whoever ends the job's group ends it too. Raises a `CalculationError` of the exit code's class,
    `CalculationStopped` when `bench.stop` was set.
    """
    log = bench.log_of(process + label)
    if bench.stop.is_set():
        raise CalculationStopped(trace_name=trace_name(process))
    with (
        _log_file(log) as out,
        subprocess.Popen(
            [str(part) for part in argv],
            cwd=bench.scratch,
            env=_environment(bench),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        ) as child,
    ):
        code = _wait(child, bench.stop)
    if bench.stop.is_set():  # whatever its code: a tool may end well when its own children were ended
        raise CalculationStopped(trace_name=trace_name(process))
    if code == 0:
        return tail(log)
    raise failure(process, code, tail(log))


@contextlib.contextmanager
def _log_file(log: Path) -> Iterator[BinaryIO]:
    """With room for `LOG_ROOM`, cut at the end to what was printed: the tool's position in it is ours too."""
    with log.open("wb") as out:
        os.posix_fallocate(out.fileno(), 0, LOG_ROOM)
        try:
            yield out
        finally:
            os.ftruncate(out.fileno(), os.lseek(out.fileno(), 0, os.SEEK_CUR))


def tail(log: Path) -> str:
    """The last `TAIL_BYTES` of a tool's log: for programs to look into, never to be published."""
    return end_of(log, TAIL_BYTES)[0].decode(errors="replace")


def _environment(bench: Bench) -> dict[str, str]:
    """Nothing of the job's own environment: it may hold credentials."""
    scratch, threads = str(bench.scratch), str(bench.threads)
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": scratch,
        "TMPDIR": scratch,
        "LC_ALL": "C.UTF-8",
        "PYTHONNOUSERSITE": "1",
        "POLARS_MAX_THREADS": threads,
        "OMP_NUM_THREADS": threads,
    }


def _wait(child: subprocess.Popen[bytes], stop: Stop) -> int:
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = child.wait(BEAT)
            # The signal that ended it may have gone to the whole group: then this process is about to be told too.
            if code == -signal.SIGTERM:
                stop.wait(BEAT)
            return code
        if stop.is_set():
            _end(child.pid)


def _end(pid: int) -> None:
    """Ends a tool with its worker processes, politely first."""
    with contextlib.suppress(psutil.NoSuchProcess):
        family = _suspend(psutil.Process(pid))
        for act in (psutil.Process.terminate, psutil.Process.resume):
            for process in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    act(process)
        _, alive = psutil.wait_procs(family, timeout=GRACE)
        for process in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


def _suspend(root: psutil.Process) -> list[psutil.Process]:
    """Suspend a tool and its worker processes, the first ones first, and return all: what runs on may start another
    that nobody would end."""
    family: list[psutil.Process] = []
    while new := [process for process in (root, *root.children(recursive=True)) if process not in family]:
        for process in new:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()
        family += new
    return family
