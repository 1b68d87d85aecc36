"""One way to stop all threads of a staging, soon: those that wait for the network too."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from genoferry.errors import StagingStopped


class Abortable(Protocol):
    """Something that one thread waits for and another can make it stop waiting for."""

    def abort(self) -> None: ...


class Halt:
    """Set once. `event` is for waits that it should end."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self._waits: set[Abortable] = set()
        self._lock = threading.Lock()

    def check(self) -> None:
        """Raises `StagingStopped` once it is set."""
        if self.event.is_set():
            raise StagingStopped

    def set(self) -> None:
        self.event.set()
        with self._lock:
            for wait in self._waits:
                wait.abort()

    @contextmanager
    def aborting(self, wait: Abortable) -> Iterator[None]:
        """While `wait` is waited for: `set` aborts it. Raises `StagingStopped` where it is set already."""
        with self._lock:
            self._waits.add(wait)
        try:
            self.check()
            yield
        finally:
            with self._lock:
                self._waits.discard(wait)
