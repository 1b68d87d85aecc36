"""`genoferry worker`."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from genoferry.worker.worker import Worker

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
    asyncio.run(_run(drain=drain))


class Signals:
    """SIGTERM and Ctrl-C: the first calls `stop`, a second one ends the process at once."""

    def __init__(self, stop: Callable[[], object]) -> None:
        self.stop, self.asked = stop, False
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._on_signal)

    def _on_signal(self) -> None:
        if self.asked:
            os._exit(EXIT_NOW)  # everything that matters is in the ledger
        self.asked = True
        self.stop()


async def _run(*, drain: bool) -> None:
    """The signals first: a start may wait for AWS for minutes, and a container's first process isn't ended by a signal
    that it has no handler for."""
    import structlog

    async with AsyncExitStack() as stack:
        starting = asyncio.create_task(_started(stack, drain=drain), name="start")
        signals = Signals(starting.cancel)
        try:
            running = await starting
        except asyncio.CancelledError:
            if not signals.asked:
                raise
            structlog.get_logger().info("worker stopped", amid="its start")
            return
        signals.stop = running.stop
        if signals.asked:  # just as the start was done
            running.stop()
        await running.run()


async def _started(stack: AsyncExitStack, *, drain: bool) -> Worker:
    import structlog

    from genoferry import settings, telemetry
    from genoferry.cli.variables import unknown_variables
    from genoferry.worker.build import build
    from genoferry.worker.health import Health, serve
    from genoferry.worker.worker import Worker

    telemetry.configure()  # for an error of the settings
    known = settings.load()
    telemetry.configure(known.genoferry_log_level, known.genoferry_log_format)
    for unknown in unknown_variables(os.environ):
        structlog.get_logger().warning("variable is no setting", variable=unknown.name, advice=unknown.advice)
    running = Worker(await build(stack, known), drain=drain)
    await serve(stack, known.health, Health(running.context.liveness, lambda: running.stopping))
    return running
