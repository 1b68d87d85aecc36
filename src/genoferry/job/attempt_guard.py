"""While a job works, it looks now and then whether it still should: an attempt that was given up stops by itself.

Its compute may be out of everyone's reach (a node that doesn't answer), and another attempt is at work by then.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

import structlog

from genoferry.errors import GenoferryError, Superseded

log = structlog.get_logger()
SECONDS = 30.0
"""Between two reads of job.json: one object, well under a read in 15 s."""
JOIN_SECONDS = 5.0
"""That a read in progress may hold up the job's end."""


class AttemptGuard:
    """A context manager. `read` raises `Superseded` once the attempt was given up; then `stop` is set."""

    def __init__(self, read: Callable[[], object], stop: threading.Event, seconds: float = SECONDS) -> None:
        self._read, self._stop, self._seconds = read, stop, seconds
        self._superseded: Superseded | None = None
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="guard", daemon=True)

    def check(self) -> None:
        """Raises `Superseded` where the attempt was given up."""
        if self._superseded is not None:
            raise self._superseded

    def _watch(self) -> None:
        while not self._done.wait(self._seconds):
            try:
                self._read()
            except Superseded as error:
                self._superseded = error
                self._stop.set()
                return
            except GenoferryError as error:  # the bucket's trouble: another look may go better
                log.warning("could not look at job.json", code=error.code, cause=str(error))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join(JOIN_SECONDS)
