"""The command line. Heavy imports wait until their command is called."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from genoferry.cli import (
    cancel,
    dlq,
    doctor,
    follow,
    job,
    jobs,
    local,
    results,
    schema,
    send,
    stage,
    status,
    worker,
)
from genoferry.cli.demo import command as demo
from genoferry.errors import GenoferryError


class Group(TyperGroup):
    """Ends a command with the message and exit code of its error, not with a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except GenoferryError as error:
            from genoferry.cli.exit_codes import of_error
            from genoferry.cli.output import complain

            complain(error)
            raise typer.Exit(of_error(error)) from error


app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
RUN, WORK, TOOLS = "Run", "Requests and jobs", "Tools"

app.command("demo", rich_help_panel=RUN)(demo.demo)
app.command("worker", rich_help_panel=RUN)(worker.worker)
app.add_typer(local.app, name="local", rich_help_panel=RUN)
app.add_typer(job.app, name="job", rich_help_panel=RUN)
app.command("send", rich_help_panel=WORK)(send.send)
app.command("follow", rich_help_panel=WORK)(follow.follow)
app.command("status", rich_help_panel=WORK)(status.status)
app.command("jobs", rich_help_panel=WORK)(jobs.jobs)
app.command("results", rich_help_panel=WORK)(results.results)
app.command("cancel", rich_help_panel=WORK)(cancel.cancel)
app.add_typer(dlq.app, name="dlq", rich_help_panel=WORK)
app.command("stage", rich_help_panel=TOOLS)(stage.stage)
app.command("schema", rich_help_panel=TOOLS)(schema.schema)
app.command("doctor", rich_help_panel=TOOLS)(doctor.doctor)


def _version(wanted: bool) -> None:
    if wanted:
        from genoferry import __version__

        typer.echo(f"genoferry {__version__}")
        raise typer.Exit


@app.callback()
def genoferry(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Ferries encrypted genomes to compute and brings polygenic scores back.

    Settings come from the environment: [bold]eval "$(genoferry local env)"[/bold] for the embedded AWS. Every error
    names its cause and the next step; what the exit codes mean is in docs/reference/exit-codes.md.
    """


def main() -> None:
    """The entry point."""
    app()
