"""A handler for the acceptance tests: its jobs count their executions, wait at a gate, and end as they are told."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from genoferry.contracts.base import Contract
from genoferry.contracts.names import RunId
from genoferry.contracts.reports import ExitReport, OutputReport
from genoferry.contracts.sources import Key, Source
from genoferry.errors import CalculationStopped, ZeroMatches
from genoferry.handlers.calculate_scores import source_location
from genoferry.handlers.protocol import Outcome, Plan, PlannedInput, Produced, Task

MIB = 1024**2


def _exit_silently(_: Task) -> None:
    os._exit(0)


def _kill_itself(_: Task) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _fail(_: Task) -> None:
    raise ZeroMatches(trace_name="PGSCATALOG:MATCH", trace_exit=15)


def _crash(task: Task) -> None:
    """As parsers do: the message quotes what could not be parsed."""
    raise ValueError([path.read_bytes()[:200] for files in task.files.values() for path in files.values()])


def _sleep_through_all() -> None:
    while True:
        time.sleep(600)


def _stick(_: Task) -> None:
    """Hold Python's lock for ever, as a regular expression may: no other thread of this process runs on."""
    re.match(r"(a+)+$", "a" * 64 + "b")


def _take_memory(task: Task) -> None:
    """More than its limit, which the watchdog ends; it ignores that it is to stop, as a runaway does."""
    taken = []
    while True:
        taken.append(b"x" * MIB)
        time.sleep(0.001)


def _fill(task: Task) -> None:
    """As `_take_memory`, on the disk."""
    with (task.work / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * MIB)


ENDS: Mapping[str, Callable[[Task], None]] = {
    "ok": lambda _: None,
    "exit": _exit_silently,
    "kill": _kill_itself,
    "fail": _fail,
    "crash": _crash,
    "deaf": lambda _: _sleep_through_all(),
    "stuck": _stick,
    "memory": _take_memory,
    "disk": _fill,
}


class TouchBody(Contract):
    """`log`: a file that every execution adds its attempt to; `gate`: a file to wait for before it ends.

    `ends`: what the first execution comes to, the second, and so on; `ok` from there on. Its output is `text`, so many
    times, in `file`.
    """

    name: Literal["Touch"]
    run_id: RunId = "touch"
    log: str
    gate: str | None = None
    ends: tuple[Literal["ok", "exit", "kill", "fail", "crash", "deaf", "stuck", "memory", "disk"], ...] = ()
    file: Literal["touched.txt", "report.json"] = "touched.txt"
    text: str = "touched"
    times: int = 1
    source: Source | None = None
    key: Key | None = None


class Touch:
    kind: ClassVar[Literal["job"]] = "job"
    name: ClassVar[str] = "Touch"
    body: ClassVar[type[TouchBody]] = TouchBody
    may_inline: ClassVar[bool] = True

    def plan(self, body: Any) -> Plan:
        assert isinstance(body, TouchBody)
        inputs = tuple(
            PlannedInput("file", file.target, source_location(body.source, file.path), body.key, file.size, file.sha256)
            for file in (body.source.files if body.source else ())
        )
        own = {"log", "gate", "ends", "file", "text", "times"}
        return Plan(body.run_id, inputs, body.model_dump(mode="json", include=own))

    def run(self, task: Task) -> Outcome:
        before = _note_execution(Path(task.params["log"]))
        if task.params["gate"]:
            _wait_for(Path(task.params["gate"]), task)
        ends = [*task.params["ends"], "ok"]
        ENDS[ends[min(before, len(ends) - 1)]](task)
        written = task.out / task.params["file"]
        written.write_text(task.params["text"] * task.params["times"])
        return Outcome([Produced(written, "text/plain")])

    def results(self, report: ExitReport) -> Sequence[OutputReport]:
        return report.outputs


def _note_execution(log: Path) -> int:
    """One more line, in one write; how many were there."""
    before = len(log.read_text().splitlines()) if log.exists() else 0
    with log.open("a") as file:
        file.write(f"{_attempt()}\n")
    return before


def _attempt() -> str:
    """The local runner's folder for a job, its HOME, ends with the attempt."""
    return Path(os.environ["HOME"]).name.rpartition("-")[2]


def _wait_for(gate: Path, task: Task) -> None:
    while not gate.exists():
        if task.stop.wait(0.02):
            raise CalculationStopped


HANDLER = Touch()
