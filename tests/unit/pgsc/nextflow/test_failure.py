from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from genoferry import errors
from genoferry.contracts.reports import LOG_BYTES, LOG_LINE, LOG_LINES, LogTail
from genoferry.errors import CalculationError
from genoferry.pgsc.exit_codes import BY_EXIT
from genoferry.pgsc.nextflow.console import Console
from genoferry.pgsc.nextflow.failure import CATALOG_TOOLS, bounded, explain
from genoferry.pgsc.nextflow.log_tail import WINDOW, clean, from_folder
from genoferry.pgsc.nextflow.trace import Task, Trace

CAPTURED = Path(__file__).parent / "captured"
SIGTERM_LOG = [
    "Nov-21 16:44:09.231 [Task submitter] INFO  nextflow.Session - [08/afbbb2] Submitted process > S",
    "Nov-21 16:44:14.662 [SIGTERM handler] DEBUG nextflow.Session - Session aborted -- Cause: SIGTERM",
    "Nov-21 16:44:14.704 [SIGTERM handler] DEBUG nextflow.Session - ",
    "Thread[pool-2-thread-1,5,main]",
    *["  java.base@17.0.15/java.lang.Object.wait(Native Method)"] * 200,
]


class Files:
    """The files of a work dir, whatever its path."""

    def __init__(self, **files: bytes) -> None:
        self.files = {f".command.{name}" if name != "exitcode" else ".exitcode": data for name, data in files.items()}
        self.asked: set[str] = set()

    def __call__(self, workdir: str, name: str) -> bytes | None:
        self.asked.add(workdir)
        return self.files.get(name)


def captured(name: str, files: Files | None = None, head_exit: int = 1, log: Sequence[str] = ()) -> CalculationError:
    console, trace = Console(), Trace()
    console.feed((CAPTURED / name / "console.txt").read_bytes())
    path = CAPTURED / name / "trace.txt"
    trace.feed(path.read_bytes() if path.exists() else b"")
    return explain(trace.tasks, console, log, head_exit, files or Files())


def failed(process: str = "W:P", code: int | None = 1, cause: str = "", **files: bytes) -> CalculationError:
    task = Task(hash="aa/000001", process=process, name=process, status="FAILED", exit=code, complete=1)
    console = Console()
    console.feed(f"ERROR ~ Error executing process > '{process}'\n\nCaused by:\n  {cause}\n".encode())
    return explain([task], console, [], 1, Files(**files))


def head(said: str, head_exit: int = 1, log: Sequence[str] = ()) -> CalculationError:
    console = Console()
    console.feed(f"N E X T F L O W  ~  version 24.10.0\n{said}\n".encode())
    return explain([], console, log, head_exit, Files())


@pytest.mark.parametrize(
    ("name", "kind", "process", "code"),
    [
        ("terminate", errors.OverlapTooLow, "W:MATCH_COMBINE", 14),
        ("retried-in-vain", errors.OutOfMemory, "BAD", 137),
        ("two-failures", errors.ToolFailed, "SECOND", 15),
        ("time-limit", errors.TimeLimit, "LONG", None),
        ("memory-ceiling", errors.MemoryCeiling, "BIG", None),
        ("cpu-ceiling", errors.PipelineConfigInvalid, "WIDE", None),
        ("bad-directive", errors.PipelineConfigInvalid, "A", None),
        ("no-output", errors.ToolFailed, "EMPTY", 0),
        ("lost", errors.NodeLost, "S", None),
        ("no-scheduler", errors.PipelineFailed, "S", None),
    ],
)
def test_a_real_runs_failed_process(name: str, kind: type[CalculationError], process: str, code: int | None) -> None:
    error = captured(name)
    assert type(error) is kind
    assert (error.trace_name, error.trace_exit) == (process, code)
    assert error.user_message == kind().user_message
    assert error.log_tail


def test_a_full_disk_leaves_an_empty_exit_file_and_no_words() -> None:
    error = captured("disk-full", Files(err=b"", log=b"", out=b"", exitcode=b""))
    assert type(error) is errors.DiskFull
    assert (error.trace_name, error.trace_exit) == ("FILL", 1)


def test_an_exit_file_that_says_something_is_no_full_disk() -> None:
    assert type(captured("disk-full", Files(exitcode=b"1"))) is errors.ToolFailed


@pytest.mark.parametrize(
    ("name", "kind", "err"),
    [
        ("plink2-memory", errors.OutOfMemory, b"Error: Out of memory.  The --memory flag may be helpful.\n"),
        ("plink2-damaged", errors.GenotypesInvalid, b"Error: x.pgen is not a .pgen file\n"),
    ],
)
def test_plink2s_own_exit_codes_are_read_by_its_words(name: str, kind: type[CalculationError], err: bytes) -> None:
    error = captured(name, Files(err=err))
    assert type(error) is kind
    assert error.log_tail == (err.decode().strip(),)


def test_the_last_try_is_the_one_that_is_shown() -> None:
    files = Files(err=b"again 3\n")
    error = captured("retried-in-vain", files)
    assert files.asked == {"/site/work/30/23282f33536610426ebb999870e9f9"}
    assert error.log_tail == ("again 3",)


@pytest.mark.parametrize("name", ["mixed", "actions"])
def test_failures_that_were_tried_again_or_ignored_are_not_to_blame(name: str) -> None:
    error = captured(name)
    assert type(error) is errors.PipelineFailed
    assert (error.trace_name, error.trace_exit) == (None, None)


def test_the_traces_own_word_of_a_retry_is_enough() -> None:
    trace = Trace()
    trace.feed((CAPTURED / "actions" / "trace.txt").read_bytes())
    assert explain(trace.tasks, Console(), [], 1, Files()).trace_name is None


@pytest.mark.parametrize("process", sorted(CATALOG_TOOLS))
@pytest.mark.parametrize("code", sorted(BY_EXIT))
def test_every_documented_exit_code_of_the_catalogs_tools(process: str, code: int) -> None:
    error = failed(f"PGSCATALOG_PGSCCALC:PGSCCALC:{process}", code)
    assert type(error) is BY_EXIT[code]
    assert error.trace_exit == code


@pytest.mark.parametrize(
    ("process", "code", "kind"),
    [
        ("FRAPOSA_PCA", 14, errors.ToolFailed),
        ("PLINK2_SCORE", 14, errors.GenotypesInvalid),
        ("PLINK2_RELABELBIM", 3, errors.GenotypesInvalid),
        ("PLINK2_SCORE", 127, errors.ToolFailed),
        ("FORMAT_SCOREFILES", 1, errors.ScorefileInvalid),
        ("FORMAT_SCOREFILES", 126, errors.ToolFailed),
        ("MATCH_COMBINE", 42, errors.ToolFailed),
        ("P", 137, errors.OutOfMemory),
        ("P", 139, errors.ToolKilled),
        ("P", 140, errors.TimeLimit),
        ("P", 143, errors.NodeLost),
        ("P", None, errors.ToolFailed),
    ],
)
def test_what_an_exit_code_says(process: str, code: int | None, kind: type[CalculationError]) -> None:
    assert type(failed(process, code)) is kind


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        ("Host EC2 (instance i-0123456789abcdef0) terminated.", errors.NodeLost),
        ("Unable to find pod nf-1 - The pod may be evicted by a node shutdown event", errors.NodeLost),
        ("K8s pod 'nf-1' execution failed - reason: Shutdown - message: Node is shutting down", errors.NodeLost),
        (
            "K8s pod 'nf-1' execution failed - reason: Evicted - message: The node was low on resource: memory.",
            errors.OutOfMemory,
        ),
        (
            "K8s pod 'nf-1' execution failed - reason: Evicted - message: The node was low on resource: "
            "ephemeral-storage.",
            errors.DiskFull,
        ),
        ("K8s pod cannot be scheduled -- 0/3 nodes are available: 3 Insufficient memory.", errors.MemoryCeiling),
        (
            "Essential container in task exited - OutOfMemoryError: Container killed due to memory usage",
            errors.OutOfMemory,
        ),
        ("Job attempt duration exceeded timeout", errors.TimeLimit),
        ("sbatch: error: Memory specification can not be satisfied", errors.MemoryCeiling),
    ],
)
def test_what_the_place_of_a_task_says(cause: str, kind: type[CalculationError]) -> None:
    assert type(failed(code=None, cause=cause)) is kind


@pytest.mark.parametrize(
    ("log", "kind"),
    [
        (
            b"slurmstepd: error: *** JOB 7 ON n1 CANCELLED AT 2026-01-01T00:00:00 DUE TO TIME LIMIT ***",
            errors.TimeLimit,
        ),
        (b"slurmstepd: error: *** JOB 7 ON n1 CANCELLED AT 2026-01-01T00:00:00 DUE TO NODE FAILURE", errors.NodeLost),
        (b"slurmstepd: error: Detected 1 oom-kill event(s) in step 7.batch cgroup.", errors.OutOfMemory),
        (b"OSError: [Errno 28] No space left on device", errors.DiskFull),
        (b"MemoryError", errors.OutOfMemory),
        (b"", errors.NodeLost),
    ],
)
def test_a_schedulers_words_in_the_log_beat_nextflows_guess(log: bytes, kind: type[CalculationError]) -> None:
    cause = "Process `W:P` terminated for an unknown reason -- Likely it has been terminated by the external system"
    error = failed(code=None, cause=cause, err=b"a tool's own last words", log=log)
    assert type(error) is kind
    assert error.log_tail == ("a tool's own last words",)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Unknown configuration profile: 'nope'", errors.PipelineConfigInvalid),
        ("ERROR ~ Unknown config attribute `foo.bar` -- check config file: c", errors.PipelineConfigInvalid),
        ("ERROR ~ No such variable: foo", errors.PipelineConfigInvalid),
        ("Nextflow version 24.10.0 does not match workflow required version: >=99.0", errors.PipelineConfigInvalid),
        ("Specified params file does not exist: nope.json", errors.PipelineConfigInvalid),
        ("Cannot parse params file: p.json - Cause: Unable to determine", errors.PipelineConfigInvalid),
        ("Unknown option: -nosuchoption -- Check the available commands", errors.PipelineConfigInvalid),
        ("The specified configuration file does not exist: nope.config", errors.PipelineConfigInvalid),
        ("Cannot find script file: /no/such/folder", errors.PipelineMissing),
        ("Unknown project `PGScatalog/pgsc_calc` -- NOTE: automatic download", errors.PipelineMissing),
        ("Missing project main script: ./empty/main.nf", errors.PipelineMissing),
        ("ERROR ~ Cannot find version for nf-schema plugin -- plugin versions MUST be", errors.PipelineMissing),
        ("ERROR ~ No such file or directory: Can't find a matching module file for", errors.PipelineMissing),
        ("ERROR: Cannot find Java or it's a wrong version", errors.NextflowMissing),
        ("2 samplesets detected! Maximum is 1.", errors.SamplesheetInvalid),
        ("Something is off", errors.PipelineFailed),
    ],
)
def test_what_nextflow_says_of_itself(said: str, kind: type[CalculationError]) -> None:
    error = head(said)
    assert type(error) is kind
    assert (error.trace_name, error.trace_exit) == (None, None)
    assert error.log_tail[-1] == said


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("locked", errors.HeadStillRuns),
        ("compile", errors.PipelineConfigInvalid),
        ("bad-config", errors.PipelineConfigInvalid),
        ("plugin", errors.PipelineMissing),
    ],
)
def test_a_real_head_that_ran_nothing(name: str, kind: type[CalculationError]) -> None:
    assert type(captured(name)) is kind


@pytest.mark.parametrize(("head_exit", "log"), [(-9, []), (137, []), (143, []), (1, SIGTERM_LOG)])
def test_a_head_that_was_ended_by_a_signal(head_exit: int, log: list[str]) -> None:
    error = captured("sigterm" if log else "sigkill", head_exit=head_exit, log=log)
    assert type(error) is errors.HeadLost
    assert error.retryable


def test_a_full_disk_may_be_told_in_nextflows_log_only() -> None:
    log = ["Caused by: java.io.IOException: No space left on device"]
    assert type(head("", log=log)) is errors.DiskFull


def test_lines_within_lines_do_not_make_the_tail_longer() -> None:
    error = head("\n".join(["a\rb\x0bc"] * 30), log=[f"line {number}" for number in range(100)])
    assert len(error.log_tail) <= LOG_LINES


def test_a_tail_is_bounded_in_bytes_too() -> None:
    lines = tuple("ä" * LOG_LINE for _ in range(LOG_LINES))
    kept = bounded(lines)
    assert 0 < sum(len(line.encode()) for line in kept) <= LOG_BYTES
    assert bounded(("a", "b")) == ("a", "b")


def test_without_a_process_the_tail_is_of_the_log_and_of_what_was_printed() -> None:
    error = head("Something is off", log=[f"line {number}" for number in range(100)])
    assert len(error.log_tail) == LOG_LINES
    assert error.log_tail[-3:] == ("line 98", "line 99", "Something is off")


def test_the_tail_falls_back_when_there_are_no_error_lines() -> None:
    assert failed(log=b"of the log\n", out=b"of the output\n").log_tail == ("of the log",)
    assert failed(err=b"\n \n", out=b"of the output\n").log_tail == ("of the output",)


def test_no_message_repeats_what_a_tool_printed() -> None:
    error = failed("MATCH_COMBINE", 1, err=b"rs123 0/1 secretive\n", cause="rs123")
    assert "rs123" not in error.user_message


@pytest.mark.parametrize(
    "line",
    [
        "key AKIA" + "Z" * 16,
        "aws_secret_access_key = hide/me+1",
        '"SessionToken": "hideme"',
        '{"SecretAccessKey":"hideme"}',
        "GET https://b.example/k?X-Amz-Security-Token=hideme&X-Amz-Signature=0123abcd",
        "Authorization: Bearer hideme",
        "cloning https://user:hideme@git.example/x",
        "token=hideme",
        "NXF_X_TOKEN: hideme",
        '{"refreshToken": "hideme"}',
        "api_key=hideme",
        "X-Api-Key: hideme",
        "Cookie: a=hideme; b=hideme",
        "Set-Cookie: hideme",
        "AWS_SECRET\x00_ACCESS_KEY=hi\x1b[31mdeme",
    ],
)
def test_secrets_stay_out_of_the_tail(line: str) -> None:
    (shown,) = clean(line)
    assert "redacted" in shown
    assert not any(secret in shown for secret in ("hide", "deme", "ZZZZ", "0123abcd"))


def test_what_is_no_secret_is_kept() -> None:
    line = "Unexpected token: } @ line 1; sha256 " + "0" * 64
    assert clean(line) == (line,)


@given(st.text(max_size=4000))
def test_a_tail_is_bounded_and_fit_to_read(raw: str) -> None:
    tail = clean(raw)
    assert TypeAdapter(LogTail).validate_python(tail) == tail
    assert len(tail) <= LOG_LINES
    assert all(line.isprintable() or all(c.isspace() or c.isprintable() for c in line) for line in tail)
    assert all(len(line) <= LOG_LINE and "\x1b" not in line and "\n" not in line for line in tail)


def test_a_long_file_is_read_from_its_end(tmp_path: Path) -> None:
    (tmp_path / ".command.err").write_bytes(b"x" * WINDOW + b"\nlast\n")
    assert from_folder(str(tmp_path), ".command.err") == b"last\n"
    assert from_folder(str(tmp_path), ".command.out") is None
    assert from_folder(str(tmp_path / ".command.err"), ".command.out") is None


def test_only_what_ran_here_is_read_from_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / ".command.err").write_bytes(b"one\ntwo\n")
    task = Task(hash="a", process="W:MATCH_COMBINE", name="n", status="FAILED", exit=15, workdir=str(folder))
    error = explain([task], Console(), [], 1)
    assert (type(error), error.log_tail) == (errors.ZeroMatches, ("one", "two"))
