"""Nextflow's trace file: a line for each task that has ended.

Source: Nextflow's documentation, "Trace file", and `nextflow.trace.TraceRecord` (its FIELDS), with `raw = true`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from genoferry.pgsc.nextflow.file_tail import Lines
from genoferry.pgsc.nextflow.names import short

DONE = frozenset({"COMPLETED", "CACHED"})
FORGIVEN = frozenset({"RETRY", "IGNORE"})
"""What `error_action` says of a failure that did not end the run."""
_MS_PER_HOUR = 3_600_000


@dataclass(frozen=True, slots=True)
class Task:
    """One try of one task. Times are Unix times in ms, `realtime` in ms, memory in bytes; None where the trace says
    nothing. `action` is what Nextflow did about a failure: RETRY, IGNORE, FINISH, TERMINATE; None where the trace
    has no such column."""

    hash: str
    process: str
    name: str
    status: str
    exit: int | None = None
    attempt: int = 1
    submit: int | None = None
    start: int | None = None
    complete: int | None = None
    realtime: int | None = None
    cpus: int | None = None
    cpu_percent: float | None = None
    memory: int | None = None
    peak_rss: int | None = None
    workdir: str = ""
    action: str | None = None

    @property
    def done(self) -> bool:
        return self.status in DONE


class Trace:
    """The tasks of a trace file, fed in pieces."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []
        self._lines = Lines()
        self._columns: list[str] | None = None

    def feed(self, data: bytes) -> None:
        for line in self._lines.feed(data):
            self._row(line.split("\t"))

    def workdir(self, process: str) -> str | None:
        """Of the last task of that process (its short name) that is done, in this run or in an earlier one."""
        return next((t.workdir for t in reversed(self.tasks) if t.done and short(t.process) == process), None)

    def _row(self, values: list[str]) -> None:
        if self._columns is None:
            self._columns = values
        elif len(values) == len(self._columns):  # a tag may hold a tab: which column is which can't be known then
            self.tasks.append(_task(dict(zip(self._columns, values, strict=True))))


def cpu_hours(tasks: Iterable[Task]) -> float:
    """What the tasks of this run cost: wall time times CPUs kept busy (`realtime` x `%cpu`), retries included.

    A task that was killed leaves no `%cpu`: its CPUs count as busy. What is CACHED was paid for by an earlier run.
    """
    return sum(_busy_ms(task) for task in tasks if task.status != "CACHED") / _MS_PER_HOUR


def peak_memory(tasks: Iterable[Task]) -> dict[str, int]:
    """The most memory that a task of each process (its short name) had resident, in bytes. Nextflow writes 0 for a
    task that was over before it was looked at: that says nothing and is left out."""
    peaks: dict[str, int] = {}
    for task in tasks:
        if task.peak_rss:
            peaks[short(task.process)] = max(task.peak_rss, peaks.get(short(task.process), 0))
    return peaks


def _busy_ms(task: Task) -> float:
    cpus = task.cpus or 1 if task.cpu_percent is None else task.cpu_percent / 100
    return max(0, task.realtime or 0) * cpus  # a clock that is set back makes it negative


def _task(row: Mapping[str, str]) -> Task:
    return Task(
        hash=row.get("hash", ""),
        process=row.get("process", ""),
        name=row.get("name", ""),
        status=row.get("status", ""),
        exit=_whole(row.get("exit")),
        attempt=_whole(row.get("attempt")) or 1,
        submit=_time(row.get("submit")),
        start=_time(row.get("start")),
        complete=_time(row.get("complete")),
        realtime=_whole(row.get("realtime")),
        cpus=_whole(row.get("cpus")),
        cpu_percent=_number(row.get("%cpu")),
        memory=_whole(row.get("memory")),
        peak_rss=_whole(row.get("peak_rss")),
        workdir=row.get("workdir", ""),
        action=_said(row.get("error_action")),
    )


def _said(value: str | None) -> str | None:
    return None if value in (None, "", "-") else value


def _number(value: str | None) -> float | None:
    try:
        number = float(value or "-")
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _time(value: str | None) -> int | None:
    return _whole(value) or None  # of what did not come to be, some are 0


def _whole(value: str | None) -> int | None:
    try:
        return int(value or "-")
    except ValueError:
        return None
