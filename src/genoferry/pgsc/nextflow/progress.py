"""How far a run is: what was expected of it, and what its trace file and its console have shown so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from genoferry.contracts.events import ProgressInfo, StepInfo
from genoferry.pgsc.nextflow.console import Console
from genoferry.pgsc.nextflow.names import short
from genoferry.pgsc.nextflow.steps import SETTLED_BY
from genoferry.pgsc.nextflow.trace import Task, cpu_hours, peak_memory

MAX_STEPS = 24
MAX_NAME = 32
"""Of a step, so that an event with every step stays under its limit; pgsc_calc's longest has 21 characters."""
OTHERS = "OTHERS"
"""The last step, of all that are beyond `MAX_STEPS`."""
STARTING = "STARTING"


@dataclass(frozen=True)
class _Counts:
    """Processes by step: `lost` ended and count as neither done nor still to come; `total` is of all."""

    done: Counter[str]
    running: Counter[str]
    lost: Counter[str]
    total: Counter[str]


def progress(tasks: Sequence[Task], console: Console, expected: Mapping[str, int]) -> ProgressInfo:
    """`phase` is the step that started last. A task that is tried again counts once, and as still to come until then;
    one that failed for good, or whose failure was ignored, is neither done nor still to come."""
    counts = _bounded(_counts(tasks, console, expected))
    peaks = {_name(process): peak for process, peak in peak_memory(tasks).items()}
    return ProgressInfo(
        phase=_name(console.last) if console.last else STARTING,
        done=counts.done.total(),
        total=counts.total.total(),
        unit="processes",
        steps=tuple(_step(name, counts, peaks) for name in counts.total),
        cpu_hours=round(cpu_hours(tasks), 4),
    )


def _counts(tasks: Sequence[Task], console: Console, expected: Mapping[str, int]) -> _Counts:
    ended = {task.hash for task in tasks}
    seen = _seen(console)
    done = Counter([_name(task.process) for task in tasks if task.done] + [_name(name) for name in console.stored])
    running = Counter(_name(name) for task, name in console.submitted.items() if task not in ended)
    lost = Counter(_name(task.process) for task in tasks if not task.done and not _tried_again(task, console))
    ever = done + running + lost
    needed = {name: 0 if seen[SETTLED_BY.get(name, "")] else count for name, count in expected.items()}
    names = dict.fromkeys([*needed, *seen, *ever])
    return _Counts(done, running, lost, Counter({n: max(needed.get(n, 0), seen[n], ever[n]) for n in names}))


def _bounded(counts: _Counts) -> _Counts:
    names = list(counts.total)
    if len(names) <= MAX_STEPS:
        return counts
    kept = set(names[: MAX_STEPS - 1])
    return _Counts(*(_merged(part, kept) for part in (counts.done, counts.running, counts.lost, counts.total)))


def _merged(counter: Counter[str], kept: set[str]) -> Counter[str]:
    merged: Counter[str] = Counter()
    for name, count in counter.items():
        merged[name if name in kept else OTHERS] += count
    return merged


def _step(name: str, counts: _Counts, peaks: Mapping[str, int]) -> StepInfo:
    done, running, lost = counts.done[name], counts.running[name], counts.lost[name]
    pending = counts.total[name] - done - running - lost
    return StepInfo(name=name, done=done, running=running, pending=pending, peak_memory=peaks.get(name))


def _seen(console: Console) -> Counter[str]:
    """Tasks by step: each once, however often it was tried."""
    first = [name for task, name in console.submitted.items() if task not in console.resubmitted]
    return Counter(_name(name) for name in [*first, *console.cached.values(), *console.stored])


def _tried_again(task: Task, console: Console) -> bool:
    return task.action == "RETRY" or task.hash in console.retried


def _name(name: str) -> str:
    return short(name)[:MAX_NAME]
