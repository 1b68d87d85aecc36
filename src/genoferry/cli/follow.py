"""`genoferry follow`: a job's events and progress as they come, from the ledger."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from genoferry.cli import output

if TYPE_CHECKING:
    from genoferry.cli.views import View
    from genoferry.contracts.events import Event
    from genoferry.ledger.protocol import Ledger
    from genoferry.ledger.row import Row

POLL_SECONDS = 0.7
PATIENCE_SECONDS = 15.0
"""Without a sign of the job: then people are told why that may be."""
NO_SIGN = "Nothing is known of this job yet. Is a worker running? A rejected message is in `genoferry dlq list`."
NO_ANSWER = "The ledger does not answer. It is asked again."
NEVER_KNOWN = (
    "Nothing became known of this job within the time given. Check its uuid and that a worker runs; a message that was"
    " rejected is in `genoferry dlq list`."
)
NEVER_ANSWERED = "The ledger did not answer within the time given. Run `genoferry doctor` to see why."

EPILOG = """[bold]Examples[/bold]

  genoferry follow 1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633b

  genoferry follow "$uuid" --timeout 3600 --json | jq .event
"""


def follow(
    uuid: Annotated[str, typer.Argument(metavar="UUID", help="The request's uuid.")],
    timeout: Annotated[float | None, typer.Option(min=0, metavar="S", help="Give up after S seconds.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print each event as a line of JSON.")] = False,
) -> None:
    """Show a job's events and progress until it ends; waits for a job that is not known yet.

    An event that was published again, since the request was sent again, is shown once.

    Exit codes: 0 succeeded, 10 failed, 11 cancelled, 12 expired, 13 not ended within --timeout. Ctrl-C ends the
    following, not the job (that is `genoferry cancel`).
    """
    from genoferry.cli.uuids import parsed
    from genoferry.cli.views import view

    finish(asyncio.run(_follow(parsed(uuid), timeout, view(as_json=as_json))))


def finish(row: Row) -> NoReturn:
    """End the command with the exit code of the job's state. Raises `typer.Exit`."""
    from genoferry.cli.exit_codes import BY_STATE

    if row.summary is not None and row.summary.partial:
        output.hint(f"Why not all: genoferry status {row.uuid}")
    if row.state == "SUCCEEDED":
        output.hint(f"Get its results: genoferry results {row.uuid} --out .")
    elif row.state == "FAILED":
        output.hint(f"More of it: genoferry status {row.uuid}")
    raise typer.Exit(BY_STATE[row.state])


async def _follow(uuid: str, seconds: float | None, shown: View) -> Row:
    from genoferry.cli.services import services

    async with services() as open_services:
        return await watch(open_services.ledger, uuid, shown, seconds=seconds)


@dataclass(frozen=True)
class News:
    """What a look at the ledger brought: the row, and its events that weren't seen before."""

    row: Row
    events: tuple[Event, ...]


async def watch(ledger: Ledger, uuid: str, shown: View, *, seconds: float | None = None, after: int = 0) -> Row:
    """Show a job until it ends, for so many seconds at most; its last row. What was told up to the sequence `after`
    is not news: an end among it is that of an earlier attempt. Raises `FollowTimeout`."""
    from genoferry.errors import FollowTimeout

    row: Row | None = None
    notes: list[str] = []

    def note(text: str) -> None:
        notes.append(text)
        shown.note(text)

    with shown:
        try:
            async with asyncio.timeout(seconds):
                async for news in looks(ledger, uuid, note, after=after):
                    row = news.row
                    for event in news.events:
                        shown.event(event)
                    shown.state(news.row)
                    if news.row.terminal and news.row.sequence > after:
                        return news.row
        except TimeoutError:
            raise FollowTimeout(None if row else NEVER_ANSWERED if NO_ANSWER in notes else NEVER_KNOWN) from None
    raise AssertionError("unreachable")  # looks never end by themselves


async def looks(
    ledger: Ledger,
    uuid: str,
    note: Callable[[str], None],
    *,
    monotonic: Callable[[], float] = time.monotonic,
    poll_seconds: float = POLL_SECONDS,
    after: int = 0,
) -> AsyncIterator[News]:
    """Looks at the ledger without end; a ledger that doesn't answer is asked again, and noted once."""
    from genoferry.errors import ServiceUnavailable
    from genoferry.ledger.row import Row

    seen, begun, noted, shown = after, monotonic(), set[str](), set[Moment]()

    def once(text: str) -> None:
        if text not in noted:
            noted.add(text)
            note(text)

    while True:
        try:
            row = await ledger.get(uuid)
        except ServiceUnavailable:
            once(NO_ANSWER)
        else:
            if isinstance(row, Row):
                fresh = fresh_events(row, seen)
                seen = row.sequence
                yield News(row, without_copies(fresh, shown))
            elif monotonic() - begun > PATIENCE_SECONDS:
                once(NO_SIGN)
        await asyncio.sleep(poll_seconds)


Moment = tuple[int | None, str]
"""Attempt and event: each comes once in a job's life but `Progress`, which it makes many of."""


def without_copies(events: Iterable[Event], shown: set[Moment]) -> tuple[Event, ...]:
    """Those that aren't among `shown`, to which they are added: a message that attaches has the present state
    published once more, under a new sequence."""
    kept = []
    for event in events:
        moment = (event.attempt, event.event)
        if event.event == "Progress" or moment not in shown:
            kept.append(event)
        shown.add(moment)
    return tuple(kept)


def fresh_events(row: Row, seen: int) -> tuple[Event, ...]:
    """The row's recent events past a sequence."""
    return tuple(event for event in row.recent if (event.sequence or 0) > seen)
