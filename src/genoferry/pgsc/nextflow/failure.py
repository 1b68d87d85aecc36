"""Why a run failed: the process to blame, its exit code, its last lines, and the error that this is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from genoferry import errors
from genoferry.contracts.events import MAX_TRACE_NAME
from genoferry.contracts.reports import LOG_LINES, bounded
from genoferry.errors import CalculationError
from genoferry.pgsc.exit_codes import BY_EXIT, by_words
from genoferry.pgsc.nextflow import error_patterns
from genoferry.pgsc.nextflow.console import Console
from genoferry.pgsc.nextflow.log_tail import Read, clean, from_folder, text
from genoferry.pgsc.nextflow.names import process_of, short
from genoferry.pgsc.nextflow.trace import FORGIVEN, Task

CATALOG_TOOLS = frozenset(
    {
        "DOWNLOAD_SCOREFILES",
        "FORMAT_SCOREFILES",
        "MATCH_VARIANTS",
        "MATCH_COMBINE",
        "SCORE_AGGREGATE",
        "INTERSECT_VARIANTS",
        "RELABEL_IDS",
        "RELABEL_SCOREFILES",
        "RELABEL_AFREQ",
        "ANCESTRY_ANALYSIS",
    }
)
"""The processes whose exit codes are those of the PGS Catalog's tools (pgsc_calc 2.2.0: label `pgscatalog_utils`)."""

SIGNALS: dict[int, type[CalculationError]] = {
    137: errors.OutOfMemory,  # SIGKILL: the kernel's, Kubernetes' and ECS's end for want of memory
    140: errors.TimeLimit,  # SIGUSR2: a grid's warning before the time limit
    143: errors.NodeLost,  # SIGTERM: a machine that is shut down or taken back asks first
}
_BY_SIGNAL = range(130, 146)
_NOT_STARTED = (126, 127)  # a shell's, POSIX: the command can't be run, or isn't there: nothing of the data
_HEAD_SIGNALS = frozenset({129, 130, 137, 143})
_PRINTED = (".command.err", ".command.log", ".command.out")


def explain(
    tasks: Sequence[Task],
    console: Console,
    log_lines: Sequence[str],
    head_exit: int,
    read: Read = from_folder,
) -> CalculationError:
    """The error for a run that failed, with `trace_name`, `trace_exit` and `log_tail` set.

    `log_lines`: the end of Nextflow's own log, a few thousand lines (a signal that ended it stands before a dump of
    all its threads); `head_exit`: Nextflow's own exit code, negative for a signal; `read` reads a task's files. What
    was printed only chooses the class: no message quotes it.
    """
    task = first_failed(tasks, console)
    if task is not None:
        return _of_task(task, console, read)
    if console.failed is not None:  # refused before it was a task of the trace file
        kind = error_patterns.kind(error_patterns.CAUSES, console.cause) or errors.PipelineFailed
        return _error(kind, process_of(console.failed), None, clean("\n".join(console.error)))
    return _of_head(console, log_lines, head_exit)


def first_failed(tasks: Sequence[Task], console: Console) -> Task | None:
    """The first task, by the time of its end, that failed for good; one refused before it started comes first."""
    forgiven = console.retried | console.ignored
    failed = (t for t in tasks if t.status == "FAILED" and t.action not in FORGIVEN and t.hash not in forgiven)
    return min(failed, key=lambda task: task.complete or 0, default=None)


def _of_task(task: Task, console: Console, read: Read) -> CalculationError:
    printed = [text(read(task.workdir, name)) for name in _PRINTED]
    report = "\n".join(console.error) if console.failed == task.name else ""
    cause = console.cause if console.failed == task.name else ""
    lost_exit = read(task.workdir, ".exitcode") == b""
    kind = error_patterns.first(_kinds(task, cause, "\n".join(printed), lost_exit))
    tail = next((lines for lines in map(clean, [*printed, report]) if lines), ())
    return _error(kind, task.process, task.exit, tail)


def _kinds(task: Task, cause: str, printed: str, lost_exit: bool) -> Iterator[type[CalculationError] | None]:
    """What each source says, the most certain first. `lost_exit`: the file of the exit code is there and empty, which
    is how a full disk ends a task: there is no room for its last words either."""
    process = short(task.process)
    yield error_patterns.kind(error_patterns.CAUSES, cause)
    yield errors.DiskFull if lost_exit else None
    yield error_patterns.kind(error_patterns.PRINTED, printed)
    yield BY_EXIT.get(task.exit or 0) if process in CATALOG_TOOLS else None
    yield SIGNALS.get(task.exit or 0)
    yield errors.ToolKilled if task.exit in _BY_SIGNAL else None
    yield error_patterns.kind(error_patterns.UNKNOWN_END, cause)
    yield by_words(process, printed) if task.exit and task.exit not in _NOT_STARTED else errors.ToolFailed


def _of_head(console: Console, log_lines: Sequence[str], head_exit: int) -> CalculationError:
    said = [*console.error, *console.said]
    signalled = head_exit < 0 or head_exit in _HEAD_SIGNALS
    kind = error_patterns.first(
        (
            error_patterns.kind(error_patterns.HEAD, "\n".join(said)),
            error_patterns.kind(error_patterns.LOG, "\n".join(log_lines)),
            errors.HeadLost if signalled else errors.PipelineFailed,
        )
    )
    half = LOG_LINES // 2
    shown = clean("\n".join(console.error[:half] or list(console.said)[-half:]))[-half:]
    return _error(kind, None, None, (*clean("\n".join(log_lines))[len(shown) - LOG_LINES :], *shown))


def _error(kind: type[CalculationError], name: str | None, code: int | None, tail: tuple[str, ...]) -> CalculationError:
    error = kind(trace_name=name and name[:MAX_TRACE_NAME], trace_exit=code)
    error.log_tail = bounded(tail)
    return error
