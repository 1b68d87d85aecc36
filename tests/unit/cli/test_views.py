"""What is shown of a job on a terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from genoferry.cli import output
from genoferry.cli.live import LiveView, ordinal
from genoferry.cli.views import detail
from genoferry.contracts.events import ErrorInfo, ProgressInfo, Summary, Warn
from genoferry.errors import InvalidBody
from genoferry.ledger.row import Intent, Row
from genoferry.ledger.states import admit, back_off, cancel, fail, intend, progressed, submitted, succeed

NOW = 1_700_000_000_500


def terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=100, color_system=None)


def shown(row: Row) -> str:
    """The line below the events, for this row."""
    console = terminal()
    live = LiveView(console)
    live.state(row)
    console.print(live._progress)
    return str(console.file.getvalue())  # type: ignore[attr-defined]


def test_staging_shows_how_far_it_is(row: Row) -> None:
    row = admit(row, NOW, runner="local:x")
    info = ProgressInfo(phase="staging", done=1_200_000, total=4_800_000, unit="bytes")
    text = shown(progressed(row, NOW, info, attempt=1, every=0))
    assert "staging inputs" in text
    assert "1.2 MB of 4.8 MB" in text
    assert "━" in text


def test_progress_of_an_earlier_phase_is_not_shown(row: Row) -> None:
    row = admit(row, NOW, runner="local:x")
    info = ProgressInfo(phase="staging", done=1, total=2, unit="bytes")
    row = progressed(row, NOW, info, attempt=1, every=0).model_copy(update={"state": "RUNNING"})
    text = shown(row)
    assert "calculating" in text
    assert "━" not in text


def test_trouble_shows(row: Row) -> None:
    row = back_off(back_off(admit(row, NOW, runner="local:x"), NOW, 1), NOW, 1)
    assert "tried again for the 2nd time" in shown(row)


def test_the_warnings_of_the_pre_flight_are_told(row: Row) -> None:
    row = row.model_copy(update={"state": "SUBMITTING"})
    doubts = tuple(Warn(code="few-samples", message="Fewer than 50 samples.") for _ in range(12))
    row = intend(row, NOW, Intent(attempt=1, runner="local:x", name="n", nonce="n", warnings=doubts))
    created = submitted(row, NOW, attempt=1, ref="r").recent[-1]
    assert detail(created).count("few-samples: Fewer than 50 samples.") == 4


def test_events_scroll_by_above_it(row: Row) -> None:
    console = terminal()
    with LiveView(console) as live:
        for event in cancel(row, NOW).recent:
            live.event(event)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "22:13:20  Requested" in text
    assert "Cancelled  ended by request" in text


def scrolled(row: Row, *, width: int = 100) -> list[str]:
    """The lines of its events, on a terminal so wide."""
    console = Console(file=io.StringIO(), force_terminal=True, width=width, color_system=None)
    live = LiveView(console)
    for event in row.recent:
        live.event(event)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


def test_a_partial_success_says_so(row: Row) -> None:
    partial, whole = (Summary(done=done, total=3, unit="scores") for done in (2, 3))
    *_, line, _ = scrolled(succeed(row, NOW, attempt=1, results=(), verified="size", summary=partial), width=200)
    assert line.endswith("Succeeded  done, 2 of 3 scores (inputs verified by size)")
    *_, line, _ = scrolled(succeed(row, NOW, attempt=1, results=(), verified="size", summary=whole), width=200)
    assert line.endswith("Succeeded  done, 3 of 3 scores (inputs verified by size)")
    *_, line, _ = scrolled(succeed(row, NOW, attempt=1, results=(), verified="size"), width=200)
    assert line.endswith("Succeeded  done (inputs verified by size)")


@pytest.mark.parametrize("width", [40, 60, 80])
def test_long_event_lines_hang_below_themselves(row: Row, width: int) -> None:
    why = InvalidBody("The body does not fit its schema, which is described here in more words than fit on a line.")
    lines = scrolled(fail(row, NOW, ErrorInfo.of(why), attempt=1), width=width)
    first, *more = lines[next(n for n, line in enumerate(lines) if "Failed" in line) :]
    assert first.startswith("  22:13:20  Failed     invalid-body: ")
    assert more
    assert all(line.startswith(" " * 23) and line[23] != " " for line in more)
    assert max(map(len, (first, *more))) <= width


@pytest.mark.parametrize(
    ("number", "text"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (22, "22nd")]
)
def test_ordinal(number: int, text: str) -> None:
    assert ordinal(number) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (5e12, "5.0 TB")])
def test_size(count: float, text: str) -> None:
    assert output.size(count) == text
