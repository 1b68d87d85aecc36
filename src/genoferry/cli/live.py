"""A job on a terminal: its events scroll by, and what goes on now is the line below them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from genoferry.cli import output
from genoferry.cli.views import attempt, detail, summed

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, Task
    from rich.table import Table

    from genoferry.contracts.events import Event, ProgressInfo
    from genoferry.ledger.row import Row

STYLES: Mapping[str, str] = {
    "Succeeded": "bold green",
    "Failed": "bold red",
    "Cancelled": "bold yellow",
    "Expired": "bold yellow",
    "Rejected": "bold red",
}
SAYS: Mapping[str, str] = {
    "Requested": "accepted, waiting for its turn",
    "Created": "inputs are staged, the job is submitted",
    "Deployed": "the job is running",
    "Succeeded": "done",
    "Cancelled": "ended by request",
    "Expired": "its timeout passed before it ran",
    "Result": "results are in the bucket",
}
"""What an event means, for people."""
DOING: Mapping[str, str] = {
    "REQUESTED": "waiting for its turn",
    "STAGING": "staging inputs",
    "SUBMITTING": "submitting",
    "SUBMITTED": "waiting for the compute",
    "RUNNING": "calculating",
}


class LiveView:
    """Events scroll by; what goes on now is the line below them."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = _progress(console)
        self._task = self._progress.add_task("waiting for the job", total=None, amount="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.update(self._task, visible=False)
        self._progress.stop()

    def event(self, event: Event) -> None:
        if event.event != "Progress":
            self._console.print(_line(event))

    def state(self, row: Row) -> None:
        known = next((e.progress for e in reversed(row.recent) if _is_of_now(e, row)), None)
        doing = DOING.get(row.state, row.state.lower())
        if row.attempt > 1:
            doing += f" (attempt {row.attempt})"
        if row.failures:
            doing += f" (trouble, tried again for the {ordinal(row.failures)} time)"
        self._show(doing, known)

    def note(self, text: str) -> None:
        self._console.print(text, style="yellow")

    def _show(self, doing: str, known: ProgressInfo | None) -> None:
        if known is None or not known.total:
            self._progress.update(self._task, description=doing, total=None, amount="")
            return
        done = output.amount(known.done, known.total, known.unit)
        described = doing if known.phase in doing else f"{doing}: {known.phase}"
        self._progress.update(self._task, description=described, completed=known.done, total=known.total, amount=done)


def ordinal(number: int) -> str:
    """`1st`, `2nd`, `3rd`, `4th`."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _is_of_now(event: Event, row: Row) -> bool:
    """Whether a Progress event says how far the row's present state is."""
    staging = event.progress is not None and event.progress.phase == "staging"
    return event.progress is not None and event.attempt == row.attempt and staging == (row.state == "STAGING")


def _line(event: Event) -> Table:
    """Time, name, and what it means; what doesn't fit goes on below itself, not below the time."""
    from rich.text import Text

    style = "bold yellow" if _is_partial(event) else STYLES.get(event.event, "")
    text = Text(_said(event), "" if event.error or _is_partial(event) else "dim")
    text.append(f"  {attempt(event)}".rstrip(), "dim")
    return output.hanging(Text(f"  {event.utc_time[11:19]}", "dim"), Text(f"{event.event:<9}", style), text)


def _said(event: Event) -> str:
    """What an event means, for people."""
    if event.error or event.warnings:
        return detail(event)
    said = SAYS.get(event.event, "")
    if event.summary is not None:
        said += f", {summed(event.summary)}"
    return said + (f" (inputs verified by {event.verified})" if event.verified is not None else "")


def _is_partial(event: Event) -> bool:
    """Whether it came to less than what was asked for."""
    return event.summary is not None and event.summary.partial


def _progress(console: Console) -> Progress:
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    class Bar(BarColumn):
        """A bar where the end is known, else nothing: the spinner says enough."""

        def render(self, task: Task) -> Any:
            from rich.text import Text

            return super().render(task) if task.total else Text()

    return Progress(
        TextColumn(" "),
        SpinnerColumn(style="cyan"),
        TextColumn("{task.description}"),
        Bar(bar_width=30),
        TextColumn("{task.fields[amount]}", style="dim"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )
