"""`genoferry job`: what runs inside the compute."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from genoferry.cli.groups import Command

app = typer.Typer(no_args_is_help=True, help="The program inside the compute; a backend starts it.")


@app.callback()
def _group() -> None:
    """A group with one command keeps its name."""


@app.command(
    "run", cls=Command, epilog="[bold]Example[/bold]\n\n  genoferry job run s3://development-work/UUID/1/job.json"
)
def run(uri: Annotated[str, typer.Argument(help="s3://BUCKET/UUID/ATTEMPT/job.json")]) -> None:
    """Do one attempt of one job.

    Exit codes: 0 done, 1 failed (its exit report says why), 3 given up or another process's, 28 its disk is full, 143
    stopped by SIGTERM.
    """
    from genoferry import telemetry
    from genoferry.contracts.limits import VARIABLE, JobLimits
    from genoferry.job.watchdog import Watchdog

    telemetry.configure()  # for an error of the settings, or of the watchdog's start
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    limits = JobLimits.model_validate_json(os.environ.get(VARIABLE) or "{}")
    with Watchdog(limits, stop):
        code = _run(uri, stop)
    try:
        sys.stderr.flush()
    except OSError:  # Python would end with a code of its own for what its log could not take
        os._exit(code)
    raise typer.Exit(code)


def _run(uri: str, stop: threading.Event) -> int:
    from genoferry import settings, telemetry
    from genoferry.handlers import registry
    from genoferry.job.program import run as run_job
    from genoferry.job.storage import Storage

    known = settings.load()
    telemetry.configure(known.genoferry_log_level, known.genoferry_log_format)
    handlers = registry.load(known.compute.handler_modules)
    named = os.environ.get("GENOFERRY_WORKSPACE")
    workspace = Path(named) if named and known.compute.engine == "nextflow" else None
    return run_job(uri, Storage(), handlers, known, stop=stop, workspace=workspace)
