"""How commands speak: tables and colour on a terminal, plain lines elsewhere, JSON on request.

Answers go to stdout; notes, hints and errors to stderr, so that a pipe gets answers alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from genoferry.errors import GenoferryError

STATE_STYLE: Mapping[str, str] = {
    "SUCCEEDED": "green",
    "FAILED": "red",
    "CANCELLED": "yellow",
    "EXPIRED": "yellow",
    "RUNNING": "cyan",
    "calculated": "green",
    "failed": "red",
    "ok": "green",
    "warn": "yellow",
    "fail": "red",
    "PASS": "green",
    "FAIL": "red",
}

AGAIN = "It is tried again."
"""Of errors that a worker tries again; a command has by now."""


def answers() -> Console:
    """Stdout."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=False)


def notes() -> Console:
    """Stderr."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def line(text: str) -> None:
    """One line of an answer, never wrapped or marked up."""
    typer.echo(text)


def document(value: Any) -> None:
    """An answer as JSON."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def json_line(value: Any) -> None:
    """One of several answers: a line of JSON."""
    typer.echo(json.dumps(value, ensure_ascii=False))


def hint(text: str) -> None:
    """What to do next: for people, so only on a terminal."""
    console = notes()
    if console.is_terminal:
        from rich.text import Text

        console.print(Text(text, style="dim"))


def complain(error: GenoferryError) -> None:
    """An error of ours: its message, which names cause and next step, and its code."""
    from rich.text import Text

    console = notes()
    said = str(error).replace(AGAIN, "Run `genoferry doctor` to see which, and why.")
    text = Text.assemble(("Error: ", "bold red"), said, (f"  [{error.code}]", "dim"))
    console.print(text, soft_wrap=not console.is_terminal)


def table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = (), whole: Sequence[str] = ()
) -> None:
    """A table on a terminal, else tab-separated lines under a header. Columns of `whole` are never folded."""
    console = answers()
    if not console.is_terminal:
        for row in (columns, *rows):
            line("\t".join(row))
        return
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for name in columns:
        made.add_column(name, justify="right" if name in right else "left", overflow="fold", no_wrap=name in whole)
    for row in rows:
        made.add_row(*(_styled(cell) for cell in row))
    console.print(made)


def hanging(*cells: Text) -> Table:
    """Cells on one line of a terminal; what doesn't fit of the last goes on below itself."""
    from rich.table import Table

    grid = Table.grid(padding=(0, 2, 0, 0))
    for _ in cells[:-1]:
        grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(*cells)
    return grid


def facts(pairs: Iterable[tuple[str, str | None]]) -> None:
    """Names and values, one a line; those without a value are left out."""
    known = [(name, value) for name, value in pairs if value]
    console = answers()
    if not console.is_terminal:
        for name, value in known:
            line(f"{name}: {value}")
        return
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    for name, value in known:
        grid.add_row(name, _styled(value))
    console.print(grid)


def _styled(text: str) -> Any:
    from rich.text import Text

    return Text(text, style=STATE_STYLE.get(text, ""))


def iso(millis: int | None) -> str | None:
    """A time of the ledger: ISO 8601 in UTC, to the second."""
    if millis is None:
        return None
    return datetime.fromtimestamp(millis / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def size(count: float) -> str:
    """Bytes for people, in powers of 1000: `1.2 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def amount(done: int, total: int, unit: str) -> str:
    """How far something is: `1.2 MB of 5.6 MB`, `3 of 5 steps`."""
    if unit == "bytes":
        return f"{size(done)} of {size(total)}"
    return f"{done} of {total} {unit}"
