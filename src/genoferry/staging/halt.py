"""One way to stop all threads of a staging, soon: those that wait for the network too."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from genoferry.errors import StagingStopped
from genoferry.staging.source import Body


class Halt:
    """Set once. `event` is for waits that it should end."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self._bodies: set[Body] = set()
        self._lock = threading.Lock()

    def check(self) -> None:
        """Raises `StagingStopped` once it is set."""
        if self.event.is_set():
            raise StagingStopped

    def set(self) -> None:
        self.event.set()
        with self._lock:
            for body in self._bodies:
                body.abort()

    @contextmanager
    def aborting(self, body: Body) -> Iterator[None]:
        """While a body is read: `set` aborts it."""
        with self._lock:
            self._bodies.add(body)
        try:
            self.check()
            yield
        finally:
            with self._lock:
                self._bodies.discard(body)
