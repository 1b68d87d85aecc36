"""What the servers of the embedded AWS have in common: how to start one and how to know that it serves."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from genoferry.errors import LocalError
from genoferry.local.processes import Process, alive, spawn

READY_SECONDS = 60.0
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Server:
    """A server's command line, its whole environment, its folder, and how to ask whether it serves."""

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    ready: Callable[[], bool]

    @property
    def log(self) -> Path:
        return self.folder / "log"


def start(server: Server) -> Process:
    """Raises `LocalError` where it ends at once."""
    process = spawn(server.argv, environment=server.environment, cwd=server.folder, log=server.log)
    if process is None:
        raise _ended(server)
    return process


def await_ready(server: Server, process: Process) -> None:
    """Raises `LocalError` where the server ends or doesn't serve in time."""
    deadline = time.monotonic() + READY_SECONDS
    while not server.ready():
        if not alive(process):
            raise _ended(server)
        if time.monotonic() > deadline:
            raise LocalError(f"{server.name} does not answer after {READY_SECONDS:.0f} s. See its log: {server.log}")
        time.sleep(POLL_SECONDS)


def fetch(url: str) -> bytes | None:
    """The body of a 200 answer of a loopback server; None for anything else."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as answer:
            body: bytes = answer.read()
            return body if answer.status == 200 else None
    except urllib.error.HTTPError as error:
        error.close()
        return None
    except OSError:
        return None


def _ended(server: Server) -> LocalError:
    return LocalError(
        f"{server.name} ended while it started. Its log says why: {server.log}. If a port is taken, run "
        "`genoferry local down`, then `genoferry local up` again."
    )
