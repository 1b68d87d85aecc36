"""`genoferry worker`."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from genoferry.settings import Settings

EXIT_NOW = 130
EPILOG = """[bold]Examples[/bold]

  genoferry worker

  genoferry worker --drain    (do what there is, then stop)
"""


def worker(
    drain: Annotated[bool, typer.Option(help="Stop when the queue is empty and nothing is owed to any job.")] = False,
) -> None:
    """Run a worker: accept requests, stage, submit, watch, publish. Any number may run; none keeps state.

    SIGTERM or Ctrl-C drains: no new work, a grace period, leases released. A second one stops at once, without loss.
    """
    from genoferry import settings, telemetry

    known = settings.load()
    telemetry.configure(known.genoferry_log_level, known.genoferry_log_format)
    asyncio.run(_run(known, drain=drain))


async def _run(known: Settings, *, drain: bool) -> None:
    from genoferry.worker.build import build
    from genoferry.worker.health import Health, serve
    from genoferry.worker.loops import Worker

    async with AsyncExitStack() as stack:
        running = Worker(await build(stack, known), drain=drain)
        await serve(stack, known.health, Health(running.rooms.turns, lambda: running.stopping))
        asked = False

        def on_signal() -> None:
            nonlocal asked
            if asked:
                os._exit(EXIT_NOW)  # everything that matters is in the ledger
            asked = True
            running.stop()

        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, on_signal)
        await running.run()
