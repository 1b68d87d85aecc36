from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from genoferry.contracts.events import MAX_EVENT_BYTES, Event, ProgressInfo, StepInfo
from genoferry.pgsc.nextflow.console import Console
from genoferry.pgsc.nextflow.progress import MAX_NAME, MAX_STEPS, OTHERS, progress
from genoferry.pgsc.nextflow.steps import ORDER
from genoferry.pgsc.nextflow.trace import Task
from genoferry.pgsc.nextflow.watch import Watch

CAPTURED = Path(__file__).parent / "captured"


def look(name: str, **expected: int) -> ProgressInfo:
    return Watch(CAPTURED / name / "trace.txt", CAPTURED / name / "console.txt", expected).look()


def counts(info: ProgressInfo) -> dict[str, tuple[int, int, int]]:
    return {step.name: (step.done, step.running, step.pending) for step in info.steps or ()}


def printed(*lines: str) -> Console:
    console = Console()
    console.feed("".join(f"{line}\n" for line in lines).encode())
    return console


def test_nothing_yet(tmp_path: Path) -> None:
    info = Watch(tmp_path / "trace.txt", tmp_path / "console.txt", {"MATCH_VARIANTS": 2, "MATCH_COMBINE": 1}).look()
    assert (info.phase, info.done, info.total, info.cpu_hours) == ("STARTING", 0, 3, 0)
    assert counts(info) == {"MATCH_VARIANTS": (0, 0, 2), "MATCH_COMBINE": (0, 0, 1)}


def test_a_run_with_a_task_tried_again_and_one_ignored() -> None:
    info = look("mixed", STORED_ONE=2, FLAKY=1, NEVER=3)
    assert counts(info) == {
        "STORED_ONE": (2, 0, 0),
        "FLAKY": (1, 0, 0),
        "NEVER": (0, 0, 3),
        "LAST": (2, 0, 0),
        "WAVED": (0, 0, 0),
    }
    assert (info.phase, info.done, info.total, info.unit) == ("WAVED", 5, 9, "processes")


def test_a_resumed_run_counts_what_is_cached_and_stored_as_done_and_free() -> None:
    info = look("resumed", STORED_ONE=2, FLAKY=1, LAST=2, WAVED=1)
    assert counts(info) == {"STORED_ONE": (2, 0, 0), "FLAKY": (1, 0, 0), "LAST": (2, 0, 0), "WAVED": (0, 0, 0)}
    assert (info.done, info.total) == (5, 6)
    assert info.cpu_hours == 0


def test_a_head_that_was_killed_left_its_task_running() -> None:
    info = look("sigkill")
    assert counts(info) == {"S": (0, 1, 0)}
    assert info.phase == "S"


def test_the_memory_is_the_most_of_a_step() -> None:
    info = look("terminate")
    assert {step.name: step.peak_memory for step in info.steps or ()}["OK"] == 5193728


def test_a_task_that_waits_for_its_next_try_is_still_to_come() -> None:
    task = Task(hash="aa/000001", process="W:A", name="W:A (1)", status="FAILED", exit=137)
    lines = ["[aa/000001] Submitted process > W:A (1)", "[bb/000002] Submitted process > W:A (2)"]
    note = "[aa/000001] NOTE: Process `W:A (1)` terminated with an error exit status (137) -- Execution is retried (1)"
    assert counts(progress([task], printed(*lines, note), {"A": 2})) == {"A": (0, 1, 1)}
    again = "[cc/000003] Re-submitted process > W:A (1)"
    assert counts(progress([task], printed(*lines, note, again), {"A": 2})) == {"A": (0, 2, 0)}


def test_chromosomes_without_a_match_are_not_waited_for_once_scores_are_aggregated() -> None:
    scored = [Task(hash="aa/000001", process="PLINK2_SCORE", name="PLINK2_SCORE (1)", status="COMPLETED")]
    lines = ["[aa/000001] Submitted process > PLINK2_SCORE (1)"]
    expected = {"PLINK2_SCORE": 22, "SCORE_AGGREGATE": 1}
    assert progress(scored, printed(*lines), expected).total == 23
    lines.append("[bb/000002] Submitted process > SCORE_AGGREGATE (c)")
    assert progress(scored, printed(*lines), expected).total == 2


def test_watching_in_pieces_ends_as_reading_once(tmp_path: Path) -> None:
    trace, console = tmp_path / "trace.txt", tmp_path / "console.txt"
    watch = Watch(trace, console, {"LAST": 2})
    for at in range(0, 2000, 37):
        trace.write_bytes((CAPTURED / "mixed" / "trace.txt").read_bytes()[:at])
        console.write_bytes((CAPTURED / "mixed" / "console.txt").read_bytes()[:at])
        info = watch.look()
    assert info == look("mixed", LAST=2)


def test_steps_beyond_the_most_that_an_event_holds_are_one() -> None:
    info = progress([], Console(), {f"P{number}": 1 for number in range(MAX_STEPS + 5)})
    assert len(info.steps or ()) == MAX_STEPS
    assert info.steps is not None
    assert info.steps[-1] == StepInfo(name=OTHERS, done=0, running=0, pending=6)
    assert info.total == MAX_STEPS + 5


def event(info: ProgressInfo) -> Event:
    return Event(
        uuid="f" * 36,
        event_id="f" * 36,
        sequence=10**6,
        attempt=999,
        run_name="r" * 128,
        utc_time="2026-01-01T00:00:00.000Z",
        event="Progress",
        progress=info,
        socket_id="s" * 64,
    )


def test_an_event_with_everything_at_its_most_stays_under_its_limit() -> None:
    name, count = "N" * MAX_NAME, 10**5
    steps = tuple(
        StepInfo(name=name, done=count, running=count, pending=count, peak_memory=10**15) for _ in range(MAX_STEPS)
    )
    info = ProgressInfo(phase=name, done=10**8, total=10**8, unit="processes", steps=steps, cpu_hours=123456789.1234)
    assert len(event(info).model_dump_json().encode()) <= MAX_EVENT_BYTES


def test_an_event_with_every_step_of_the_pipeline_and_some_stays_under_its_limit() -> None:
    tasks = [
        Task(hash=f"{n % 256:02x}/{n:06x}", process=f"A:B:{'Q' * 60}{n}", name="x", status="COMPLETED", peak_rss=10**14)
        for n in range(1000)
    ]
    info = progress(tasks, Console(), dict.fromkeys(ORDER, 32))
    assert len(event(info).model_dump_json().encode()) <= MAX_EVENT_BYTES


@given(
    st.lists(
        st.tuples(
            st.integers(0, 9), st.sampled_from(["A", "B", "C"]), st.sampled_from(["COMPLETED", "CACHED", "FAILED"])
        ),
        unique_by=lambda row: row[0],
    ),
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["A", "B", "C"]))),
    st.dictionaries(st.sampled_from(["A", "B", "D"]), st.integers(0, 9)),
)
def test_no_count_is_ever_negative_and_the_parts_make_the_whole(
    ended: list[tuple[int, str, str]], started: list[tuple[int, str]], expected: dict[str, int]
) -> None:
    tasks = [Task(hash=f"aa/00000{n}", process=process, name=process, status=status) for n, process, status in ended]
    console = printed(*(f"[aa/00000{n}] Submitted process > {process}" for n, process in started))
    info = progress(tasks, console, expected)
    steps = info.steps or ()
    assert info.done == sum(step.done for step in steps)
    assert info.total >= sum(step.done + step.running + step.pending for step in steps)
