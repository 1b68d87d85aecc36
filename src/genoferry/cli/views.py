"""How `follow` and `demo` show a job: live on a terminal, plain lines elsewhere, or JSON lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

from genoferry.cli import output

if TYPE_CHECKING:
    from genoferry.contracts.events import Event, Summary
    from genoferry.ledger.row import Row


class View(Protocol):
    """A context manager that shows one job."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...
    def event(self, event: Event) -> None: ...
    def state(self, row: Row) -> None: ...
    def note(self, text: str) -> None: ...


def view(*, as_json: bool = False) -> View:
    """The view that suits stdout."""
    if as_json:
        return JsonView()
    console = output.answers()
    if not console.is_terminal:
        return PlainView()
    from genoferry.cli.live import LiveView

    return LiveView(console)


class PlainView:
    """A line for each event."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing was opened."""

    def event(self, event: Event) -> None:
        output.line(f"{event.utc_time} {event.event} {attempt(event)}{detail(event)}".rstrip())

    def state(self, row: Row) -> None:
        """Lines are for events."""

    def note(self, text: str) -> None:
        output.notes().print(text, soft_wrap=True)


class JsonView(PlainView):
    """A line of JSON for each event, as it is published."""

    def event(self, event: Event) -> None:
        output.json_line(event.wire())


def attempt(event: Event) -> str:
    """Which attempt an event is of, where it isn't the first."""
    return f"attempt {event.attempt} " if (event.attempt or 1) > 1 else ""


def detail(event: Event) -> str:
    """What an event has to say beside its name."""
    if event.progress is not None:
        return f"{event.progress.phase} {event.progress.done}/{event.progress.total} {event.progress.unit}"
    if event.error is not None:
        trace = f" ({event.trace_name}, exit {event.trace_exit})" if event.trace_name else ""
        return f"{event.error.code}: {event.error.user_message}{trace}"
    if event.warnings:
        return "; ".join(f"{warning.code}: {warning.message}" for warning in event.warnings)
    counts = [summed(event.summary)] if event.summary is not None else []
    return "; ".join(counts + ([f"verified: {event.verified}"] if event.verified is not None else []))


def summed(summary: Summary) -> str:
    """`2 of 3 scores`."""
    return output.amount(summary.done, summary.total, summary.unit)
