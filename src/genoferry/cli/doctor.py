"""`genoferry doctor`: what is wrong with this environment, and how to mend it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from genoferry.cli import output

if TYPE_CHECKING:
    from genoferry.cli.finding import Finding

EPILOG = """[bold]Examples[/bold]

  genoferry doctor

  genoferry doctor --json | jq '.[] | select(.status != "ok")'
"""


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False) -> None:
    """Check settings, endpoints, credentials, queues, topic, table, buckets, cluster, clock, tools; the jobs' own
    credentials, and the disk that they write to.

    Each is ok, a warning or a failure, with the way to mend it. Exit code 1 if anything fails.
    """
    from genoferry.cli.checks import examine
    from genoferry.cli.exit_codes import ExitCode

    findings = asyncio.run(examine())
    if as_json:
        output.document([finding.document() for finding in findings])
    else:
        _show(findings)
    if any(finding.status == "fail" for finding in findings):
        raise typer.Exit(ExitCode.ERROR)


def _show(findings: list[Finding]) -> None:
    console = output.answers()
    if not console.is_terminal:
        for found in findings:
            output.line("\t".join(filter(None, (found.status, found.what, found.detail, found.mend))))
        return
    from rich.table import Table
    from rich.text import Text

    marks = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "fail": ("✗", "red")}
    grid = Table.grid(padding=(0, 2))
    for found in findings:
        text = Text(found.detail, style="" if found.status != "ok" else "dim", overflow="fold")
        if found.mend:
            text.append(f"\n→ {found.mend}", "bold")
        grid.add_row(Text(*marks[found.status]), found.what, text)
    console.print(grid)
    bad = [sum(found.status == status for found in findings) for status in ("fail", "warn")]
    said = "All is well." if not any(bad) else f"{bad[0]} to mend, {bad[1]} to look at."
    console.print(f"\n{said}", style="green" if not any(bad) else "red" if bad[0] else "yellow")
