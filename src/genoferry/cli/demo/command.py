"""`genoferry demo`: the whole main job, once, on a bare machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EPILOG = """[bold]Examples[/bold]

  genoferry demo

  genoferry demo --keep && eval "$(genoferry local env --state .genoferry/demo/aws)" && genoferry jobs
"""


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave the embedded AWS up, to look around.")] = False,
    state: Annotated[Path, typer.Option(metavar="DIR", help="Folder for servers, logs and results.")] = Path(
        ".genoferry/demo"
    ),
    samples: Annotated[int, typer.Option(min=50, help="Of the made-up cohort.")] = 200,
    variants: Annotated[int, typer.Option(min=500, help="Of the made-up cohort.")] = 5000,
    timeout: Annotated[float, typer.Option(min=1, metavar="S", help="Most that the job may take.")] = 300,
) -> None:
    """Make a cohort, encrypt it, send the message, show the events as they come, and print the scores.

    It starts the embedded AWS, doubles of a Globus collection and of the key service, and a worker, and ends all of
    them when it is done, also on Ctrl-C. Nothing goes to the internet. Exit code 15 if any score differs from an
    independent calculation by more than 1e-5.
    """
    from genoferry.cli.demo.run import run

    run(state.absolute(), keep=keep, samples=samples, variants=variants, timeout=timeout)
