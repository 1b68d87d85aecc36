"""The command line. Heavy imports wait until their command is called."""

from __future__ import annotations

import typer

from genoferry.cli import job, worker

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", pretty_exceptions_enable=False)
app.add_typer(job.app, name="job")
app.command("worker")(worker.worker)


def main() -> None:
    """The entry point: errors of ours end with their message and an exit code, not a traceback."""
    app()
