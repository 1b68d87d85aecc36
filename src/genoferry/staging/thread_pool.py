"""The threads of one staging: several parts at once, the first error ends the rest, a stop is heeded soon."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from genoferry.errors import StagingStopped
from genoferry.staging.cancellation import Halt

LOOK = 0.1
"""Seconds between two looks at the caller's `stop`: an event and futures can't be waited for at once."""

T = TypeVar("T")
R = TypeVar("R")


class Crew:
    """`size` threads, and what stops them. A context manager; leaving it waits for them."""

    def __init__(self, size: int, stop: threading.Event) -> None:
        self.halt = Halt()
        self._stop = stop
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="staging")

    def each(self, work: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """`work` for all items, in any order; its results in theirs.

        Raises what the first `work` to fail raised, or `StagingStopped`, after all have ended.
        """
        futures = [self._threads.submit(self._heeding, work, item) for item in items]
        pending: set[Future[R]] = set(futures)
        while pending and not self._stop.is_set():
            done, pending = wait(pending, timeout=LOOK, return_when=FIRST_EXCEPTION)
            if any(future.exception() for future in done):
                break
        if pending:
            self._end(pending)
        return self._results(futures)

    def one(self, work: Callable[[], R]) -> R:
        """`work` on a thread of the crew, so that it can be stopped. Raises as `each` does."""
        return self.each(lambda _: work(), [None])[0]

    def _heeding(self, work: Callable[[T], R], item: T) -> R:
        try:
            self.halt.check()
            return work(item)
        except BaseException:
            self.halt.set()  # here, or this thread would begin the next item before the caller hears of it
            raise

    def _end(self, pending: set[Future[R]]) -> None:
        self.halt.set()
        for future in pending:
            future.cancel()
        wait(pending)

    def _results(self, futures: list[Future[R]]) -> list[R]:
        errors = [error for future in futures if not future.cancelled() and (error := future.exception())]
        causes = [error for error in errors if not isinstance(error, StagingStopped)]
        if self._stop.is_set() and errors:
            raise StagingStopped from errors[0]
        for error in (*causes, *errors):
            raise error
        if any(future.cancelled() for future in futures):
            raise StagingStopped
        return [future.result() for future in futures]

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)
