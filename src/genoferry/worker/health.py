"""`/healthz`, `/readyz`, `/metrics`: the worker's own event loop answers, so that one that hangs gives no answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from genoferry import __version__, metrics
from genoferry.errors import SettingsError
from genoferry.settings import HealthSettings
from genoferry.worker.liveness import LOOPS, Liveness

if TYPE_CHECKING:
    from aiohttp import web

log = structlog.get_logger()
JSON = "application/json"
CLOSE_SECONDS = 1.0
"""What open connections get at the end."""


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    content_type: str = JSON


@dataclass(frozen=True)
class Health:
    """The answers, as they are at the moment. `stopping`: whether the worker takes no new work any more."""

    turns: Liveness
    stopping: Callable[[], bool]

    def alive(self) -> Answer:
        """That it is given says it all."""
        return _answer(200, {"alive": True, "version": __version__})

    def ready(self) -> Answer:
        """200 while every loop on duty turns and no stop was asked for, else 503. `late` is in seconds past the period;
        `awaited` has yet to turn for the first time."""
        late = {loop: round(seconds, 1) for loop, seconds in self.turns.late().items()}
        stopping, awaited = self.stopping(), self.turns.awaited
        ready = not (stopping or late or awaited)
        document = {"ready": ready, "draining": stopping, "late": late, "awaited": awaited}
        return _answer(200 if ready else 503, document)

    def metrics(self) -> Answer:
        behind = self.turns.behind()
        for loop in LOOPS:
            metrics.put("loop_late_seconds", behind.get(loop, 0.0), loop=loop)
        metrics.put("ready", float(self.ready().status == 200))
        metrics.put("build_info", 1, version=__version__)
        return Answer(200, *metrics.page())


def _answer(status: int, document: dict[str, Any]) -> Answer:
    return Answer(status, json.dumps(document).encode())


async def serve(stack: AsyncExitStack, settings: HealthSettings, health: Health) -> None:
    """Answer until the stack is closed, where a port is set. Raises `SettingsError` where it can't be had."""
    if settings.port is None:
        return
    from aiohttp import web

    metrics.switch_on()
    app = web.Application()
    for path, give in {"/healthz": health.alive, "/readyz": health.ready, "/metrics": health.metrics}.items():
        app.router.add_get(path, _handler(give))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=CLOSE_SECONDS)
    stack.push_async_callback(runner.cleanup)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
    except OSError as error:
        raise SettingsError(
            f"GENOFERRY_HEALTH_HOST, GENOFERRY_HEALTH_PORT: can't listen there ({error.strerror}). Is the port taken?"
            " Each worker of a machine needs one of its own; 0 takes a free one, which the log names."
        ) from error
    log.info("health", host=runner.addresses[0][0], port=runner.addresses[0][1])


def _handler(give: Callable[[], Answer]) -> Callable[[web.Request], Any]:
    from aiohttp import web

    async def handle(_: web.Request) -> web.Response:
        answer = give()
        return web.Response(status=answer.status, body=answer.body, headers={"Content-Type": answer.content_type})

    return handle
