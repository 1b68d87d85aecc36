from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genoferry.pgsc.nextflow.console import MAX_LINES, Console
from genoferry.pgsc.nextflow.names import process_of, short

CAPTURED = Path(__file__).parent / "captured"


def read(*pieces: bytes) -> Console:
    console = Console()
    for piece in pieces:
        console.feed(piece)
    return console


def captured(name: str) -> Console:
    return read((CAPTURED / name / "console.txt").read_bytes())


def facts(console: Console) -> dict[str, object]:
    return {name: value for name, value in vars(console).items() if name != "_lines"}


def test_tasks_that_are_submitted_tried_again_and_ignored() -> None:
    console = captured("mixed")
    assert console.submitted == {
        "60/3d9253": "IN:STORED_ONE (ds chromosome 2)",
        "db/145ec1": "IN:FLAKY ([pgs_id:PGS1,PGS2, pgp_id:])",
        "ae/a09c4e": "IN:STORED_ONE (ds chromosome 1)",
        "e9/2aa0e3": "IN:FLAKY ([pgs_id:PGS1,PGS2, pgp_id:])",
        "02/cc3c28": "IN:LAST (1)",
        "c8/2a14fe": "IN:LAST (2)",
        "29/e09f3f": "IN:WAVED (w (x) > y)",
    }
    assert (console.resubmitted, console.retried, console.ignored) == ({"e9/2aa0e3"}, {"db/145ec1"}, {"29/e09f3f"})
    assert console.last == "IN:WAVED (w (x) > y)"
    assert (console.failed, console.cause, console.error, list(console.said)) == (None, "", [], [])


def test_tasks_that_are_cached_or_stored() -> None:
    console = captured("resumed")
    assert set(console.cached) == {"c8/2a14fe", "e9/2aa0e3", "02/cc3c28"}
    assert console.stored == ["IN:STORED_ONE (1)", "IN:STORED_ONE (2)"]
    assert set(console.submitted) == {"33/adc6d8"}


@pytest.mark.parametrize(
    ("name", "failed", "cause"),
    [
        ("time-limit", "LONG", "Process exceeded running time limit (1s)"),
        ("memory-ceiling", "BIG", "Process requirement exceeds available memory -- req: 8.8 TB; avail: 23.5 GB"),
        (
            "terminate",
            "W:MATCH_COMBINE (ds)",
            "Process `W:MATCH_COMBINE (ds)` terminated with an error exit status (14)",
        ),
        ("bad-config", None, ""),
        ("sigterm", None, ""),
    ],
)
def test_the_task_of_an_error_and_its_cause(name: str, failed: str | None, cause: str) -> None:
    console = captured(name)
    assert console.failed == failed
    assert console.cause.strip() == cause


def test_an_error_of_a_task_beats_one_before_it() -> None:
    console = read(b"ERROR ~ something else\nERROR ~ Error executing process > 'A:B (1)'\n\nCaused by:\n  X\n")
    assert console.failed == "A:B (1)"
    assert console.cause.strip() == "X"


def test_what_a_run_may_print_is_bounded() -> None:
    console = read(b"ERROR ~ no\n" + b"words\n" * 10_000)
    assert len(console.error) == len(console.said) == MAX_LINES


@given(st.sampled_from(sorted(CAPTURED.glob("*/console.txt"))), st.lists(st.integers(0, 3000)))
def test_reading_in_pieces_equals_reading_whole(path: Path, cuts: list[int]) -> None:
    data = path.read_bytes()
    places = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    pieces = [data[start:end] for start, end in pairwise(places)]
    assert facts(read(*pieces)) == facts(read(data))


@given(
    st.from_regex(r"[A-Z_0-9]{1,8}(:[A-Z_0-9]{1,8}){0,3}", fullmatch=True),
    st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\n\r")),
)
def test_a_tag_may_hold_anything(process: str, tag: str) -> None:
    name = f"{process} ({tag})"
    console = read(f"[ab/cdef01] Submitted process > {name}\n".encode())
    assert console.submitted == {"ab/cdef01": name}
    assert process_of(name) == process
    assert short(name) == process.rsplit(":", maxsplit=1)[-1]
