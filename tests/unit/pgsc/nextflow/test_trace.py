from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genoferry.pgsc.nextflow.file_tail import Growing, Lines
from genoferry.pgsc.nextflow.trace import Task, Trace, cpu_hours, peak_memory

CAPTURED = Path(__file__).parent / "captured"
COLUMNS = "hash\tprocess\tname\tstatus\texit\trealtime\tcpus\t%cpu\tpeak_rss"


def read(data: bytes) -> list[Task]:
    trace = Trace()
    trace.feed(data)
    return trace.tasks


def rows(*lines: str) -> list[Task]:
    return read("\n".join([COLUMNS, *lines, ""]).encode())


def test_a_real_trace_with_a_task_tried_again_and_one_ignored() -> None:
    tasks = read((CAPTURED / "mixed" / "trace.txt").read_bytes())
    assert [(task.process, task.status, task.exit, task.attempt) for task in tasks] == [
        ("IN:FLAKY", "FAILED", 137, 1),
        ("IN:STORED_ONE", "COMPLETED", 0, 1),
        ("IN:STORED_ONE", "COMPLETED", 0, 1),
        ("IN:FLAKY", "COMPLETED", 0, 2),
        ("IN:LAST", "COMPLETED", 0, 1),
        ("IN:LAST", "COMPLETED", 0, 1),
        ("IN:WAVED", "FAILED", 3, 1),
    ]
    flaky = tasks[0]
    assert (flaky.hash, flaky.name) == ("db/145ec1", "IN:FLAKY ([pgs_id:PGS1,PGS2, pgp_id:])")
    assert (flaky.submit, flaky.start, flaky.complete) == (1795279079239, 1795279079312, 1795279079359)
    assert (flaky.realtime, flaky.cpus, flaky.cpu_percent, flaky.memory, flaky.peak_rss) == (47, 1, None, None, None)
    assert flaky.workdir == "/site/work/db/145ec1d9ebb53771f24b4c442acd1d"
    assert flaky.action is None


def test_a_column_more_says_what_became_of_a_failure() -> None:
    tasks = read((CAPTURED / "actions" / "trace.txt").read_bytes())
    assert [task.action for task in tasks if task.status == "FAILED"] == ["RETRY", "IGNORE"]
    assert all(task.action is None for task in tasks if task.done)


def test_a_task_that_never_started_has_no_times() -> None:
    (task,) = read((CAPTURED / "memory-ceiling" / "trace.txt").read_bytes())
    assert (task.exit, task.start, task.complete, task.realtime) == (None, None, None, None)
    assert task.memory == 9_663_676_416_000


def test_a_last_line_without_its_end_waits() -> None:
    data = (CAPTURED / "mixed" / "trace.txt").read_bytes()
    trace = Trace()
    trace.feed(data[:-1])
    assert len(trace.tasks) == 6
    trace.feed(data[-1:])
    assert len(trace.tasks) == 7


def test_a_row_that_does_not_fit_its_header_is_left_out() -> None:
    assert [task.hash for task in rows("a\tb", "aa/1\tP\tP\tCOMPLETED\t0\t1\t1\t1\t1")] == ["aa/1"]


@given(st.sampled_from(sorted(CAPTURED.glob("*/trace.txt"))), st.lists(st.integers(0, 4000)))
def test_reading_in_pieces_equals_reading_whole(path: Path, cuts: list[int]) -> None:
    data = path.read_bytes()
    places = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    trace = Trace()
    for start, end in pairwise(places):
        trace.feed(data[start:end])
    assert trace.tasks == read(data)


@given(st.lists(st.binary(max_size=12)))
def test_lines_are_the_same_however_they_were_cut(pieces: list[bytes]) -> None:
    whole, cut = Lines(), Lines()
    assert [line for piece in pieces for line in cut.feed(piece)] == whole.feed(b"".join(pieces))


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=300))
def test_no_trace_file_stops_its_reader(text: str) -> None:
    Trace().feed(text.encode())
    rows(text)


def test_a_file_that_grows(tmp_path: Path) -> None:
    path = tmp_path / "trace.txt"
    growing = Growing(path)
    assert growing.read() == b""
    path.write_bytes(b"one\ntw")
    assert growing.read() == b"one\ntw"
    with path.open("ab") as file:
        file.write(b"o\n")
    assert (growing.read(), growing.read()) == (b"o\n", b"")


def test_cpu_hours_are_of_busy_cpus_and_count_nothing_twice() -> None:
    hour = 3_600_000
    tasks = rows(
        f"a\tP\tP\tCOMPLETED\t0\t{hour}\t4\t250.0\t1",
        f"b\tP\tP\tCACHED\t0\t{hour}\t4\t400.0\t1",
        f"c\tP\tP\tFAILED\t137\t{hour}\t2\t-\t-",
        "d\tP\tP\tABORTED\t-\t-\t8\t-\t-",
    )
    assert cpu_hours(tasks) == pytest.approx(2.5 + 2)


def test_peak_memory_is_of_each_process_and_0_says_nothing() -> None:
    line = "a\t{}\tP\tCOMPLETED\t0\t1\t1\t1\t{}"
    tasks = rows(line.format("A:P", 5), line.format("A:P", 9), line.format("A:P", 7), line.format("Q", 0))
    assert peak_memory(tasks) == {"P": 9}
