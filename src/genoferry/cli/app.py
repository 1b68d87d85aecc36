"""The command line. Heavy imports wait until their command is called."""

from __future__ import annotations

from typing import Annotated

import typer

from genoferry.cli import (
    cancel,
    dlq,
    doctor,
    follow,
    job,
    jobs,
    local,
    preflight,
    render,
    results,
    schema,
    send,
    stage,
    status,
    worker,
)
from genoferry.cli.demo import command as demo
from genoferry.cli.groups import Command, Group

app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
RUN, WORK, TOOLS = "Run", "Requests and jobs", "Tools"

app.command("demo", cls=Command, rich_help_panel=RUN, epilog=demo.EPILOG)(demo.demo)
app.command("worker", cls=Command, rich_help_panel=RUN, epilog=worker.EPILOG)(worker.worker)
app.add_typer(local.app, name="local", rich_help_panel=RUN)
app.add_typer(job.app, name="job", rich_help_panel=RUN)
app.command("send", cls=Command, rich_help_panel=WORK, epilog=send.EPILOG)(send.send)
app.command("follow", cls=Command, rich_help_panel=WORK, epilog=follow.EPILOG)(follow.follow)
app.command("status", cls=Command, rich_help_panel=WORK, epilog=status.EPILOG)(status.status)
app.command("jobs", cls=Command, rich_help_panel=WORK, epilog=jobs.EPILOG)(jobs.jobs)
app.command("results", cls=Command, rich_help_panel=WORK, epilog=results.EPILOG)(results.results)
app.command("cancel", cls=Command, rich_help_panel=WORK, epilog=cancel.EPILOG)(cancel.cancel)
app.add_typer(dlq.app, name="dlq", rich_help_panel=WORK)
app.command("stage", cls=Command, rich_help_panel=TOOLS, epilog=stage.EPILOG)(stage.stage)
app.command("preflight", cls=Command, rich_help_panel=TOOLS, epilog=preflight.EPILOG)(preflight.preflight)
app.command("render", cls=Command, rich_help_panel=TOOLS, epilog=render.EPILOG)(render.render)
app.command("schema", cls=Command, rich_help_panel=TOOLS, epilog=schema.EPILOG)(schema.schema)
app.command("doctor", cls=Command, rich_help_panel=TOOLS, epilog=doctor.EPILOG)(doctor.doctor)


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
