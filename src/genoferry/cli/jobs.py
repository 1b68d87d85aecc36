"""`genoferry jobs`: all jobs of the ledger."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from genoferry.cli import output

if TYPE_CHECKING:
    from genoferry.ledger.row import Row, State

EPILOG = """[bold]Examples[/bold]

  genoferry jobs

  genoferry jobs --state failed --json | jq -r '.[].uuid'
"""

COLUMNS = {
    "uuid": "uuid",
    "state": "state",
    "attempt": "attempt",
    "run_name": "run",
    "experimentId": "experiment",
    "created": "created",
    "ended": "ended",
    "error": "error",
}
WIDE, WIDE_ONLY = 150, frozenset({"attempt", "experimentId", "ended"})
"""A terminal narrower than this many columns shows fewer; pipes and `--json` get all."""


def jobs(
    state: Annotated[str | None, typer.Option(help="Only jobs in this state, such as RUNNING or FAILED.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """List jobs, newest first. It reads the whole table, so don't call it in a loop."""
    rows = asyncio.run(_jobs(_state(state)))
    rows.sort(key=lambda row: row.created_at, reverse=True)
    if as_json:
        output.document([_short(row) for row in rows])
        return
    if not rows:
        output.hint("No jobs. Send one: genoferry send payloads/calculate_scores.json")
        return
    wide = output.answers().width >= WIDE or not output.answers().is_terminal
    columns = COLUMNS if wide else {name: column for name, column in COLUMNS.items() if name not in WIDE_ONLY}
    cells = [tuple(str(_short(row)[name] or "") for name in columns) for row in rows]
    output.table(tuple(columns.values()), cells, right=("attempt",), whole=("uuid", "state", "created"))


def _state(text: str | None) -> State | None:
    from typing import get_args

    from genoferry.ledger.row import State

    found: State | None = next((name for name in get_args(State) if text and name == text.upper()), None)
    if text and found is None:
        raise typer.BadParameter(f"one of {', '.join(get_args(State))}.", param_hint="--state")
    return found


async def _jobs(state: State | None) -> list[Row]:
    from genoferry.cli.services import services

    async with services() as open_services:
        return [row async for row in open_services.ledger.jobs(state=state)]


def _short(row: Row) -> dict[str, str | int | None]:
    return {
        "uuid": row.uuid,
        "state": row.state,
        "attempt": row.attempt,
        "name": row.name,
        "run_name": row.run_name,
        "experimentId": row.experiment_id,
        "created": output.iso(row.created_at),
        "ended": output.iso(row.ended_at),
        "error": row.error.code if row.error else None,
    }
