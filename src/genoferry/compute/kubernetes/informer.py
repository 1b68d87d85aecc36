"""One kind of object of a namespace, mirrored in memory: one LIST, then one WATCH that is resumed where it ended.

Source of the rules: Kubernetes API concepts, efficient detection of changes. A watch ends by itself after a period, and
a LIST is the safety net. One that breaks before is resumed from the last version seen, bookmarks included; where the
server has forgotten that (410), a LIST comes first.
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

import structlog

from genoferry.compute.kubernetes.api import Api, Kind, Object, Stream
from genoferry.compute.kubernetes.cache import Store
from genoferry.compute.kubernetes.errors import Gone, Refused

log = structlog.get_logger()
T = TypeVar("T")
MOST_BACKOFF_SECONDS = 30.0
SHORT_SECONDS = 1.0
"""A watch that ends sooner, with no word, counts as broken."""


class Mirror(Generic[T]):
    """Runs on a thread of its own from `start` to `stop`, or until it is not `wanted`; then it is done with."""

    def __init__(
        self,
        api: Api,
        kind: Kind,
        selector: str,
        parse: Callable[[Object], T],
        last: Callable[[Object], T | None],
        *,
        relist_seconds: float,
        tell: Callable[[Object], None] = lambda _: None,
        wanted: Callable[[], bool] = lambda: True,
        monotonic: Callable[[], float] = time.monotonic,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._api, self._kind, self._selector, self._wanted, self._tell = api, kind, selector, wanted, tell
        self._relist_seconds, self._monotonic, self._uniform = relist_seconds, monotonic, uniform
        self._store = Store(parse, last)
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._stream: Stream | None = None
        self._list_wanted = True
        self._failures = 0
        self.ended = False
        self.listed_at = -math.inf
        """When the last LIST was begun, by the monotonic clock."""
        self.trouble: Refused | None = None  # why no watch is open

    def start(self) -> None:
        threading.Thread(target=self._run, name=f"mirror {self._kind}", daemon=True).start()

    def stop(self) -> None:
        """Without waiting for the thread, which may be in the middle of a connection attempt and writes to nobody."""
        self._stopping.set()
        self._interrupt()

    def snapshot(self) -> Mapping[str, T] | None:
        """All objects by name. None until the first LIST is complete, and while no watch is open: then it may have
        missed something."""
        with self._lock:
            whole = self._stream is not None and not self._list_wanted
        return self._store.all() if whole else None

    def relist(self) -> None:
        """LIST as soon as may be."""
        with self._lock:
            self._list_wanted = True
        self._interrupt()

    def _interrupt(self) -> None:
        with self._lock:
            if self._stream is not None:
                self._stream.interrupt()

    def _run(self) -> None:
        while self._wanted() and not self._stopping.is_set():
            try:
                if self._list_wanted or self._is_due():
                    self._list()
                self._watch()
                self._failures = 0
            except Refused as error:
                self._trouble(error)
            except Exception:  # the thread must live: without it nothing of any job is seen any more
                log.exception("unexpected", kind=self._kind)
                self._trouble(Gone("watch", self._kind, None, "Unexpected", "see the worker's log"))
        self.ended = True

    def _is_due(self) -> bool:
        return self._monotonic() - self.listed_at >= self._relist_seconds

    def _list(self) -> None:
        began, self._list_wanted = self._monotonic(), False  # who asks from now on means another
        try:
            self._store.replace(self._api.list(self._kind, self._selector))
        except BaseException:
            self._list_wanted = True
            raise
        self.listed_at = began

    def _watch(self) -> None:
        """Until the server ends it, or it is interrupted."""
        began, version = self._monotonic(), self._store.version
        assert version is not None  # noqa: S101  # a LIST came before
        stream = self._api.watch(self._kind, self._selector, version, max(1, int(self._relist_seconds)))
        try:
            for event in stream if self._opened(stream) else ():
                self._store.take(event)
                self._tell(event)
                self._failures = 0
        except Refused:
            if not self._list_wanted:  # else that LIST was asked for, which ended it
                raise
        finally:
            with self._lock:
                self._stream = None
            stream.end()
        silent = self._store.version == version and not self._list_wanted
        if silent and self._monotonic() - began < SHORT_SECONDS:
            raise Refused("watch", self._kind, None, "Ended", "it ended at once")

    def _opened(self, stream: Stream) -> bool:
        """Whether nobody has asked for an end or a LIST meanwhile: from now on they find the stream to interrupt."""
        with self._lock:
            if self._stopping.is_set() or self._list_wanted:
                return False
            self._stream, self.trouble = stream, None
            return True

    def _trouble(self, error: Refused) -> None:
        """Live with it: what is not seen is no news."""
        if self._stopping.is_set():
            return
        self._failures, self.trouble = self._failures + 1, error
        if isinstance(error, Gone):
            self._list_wanted = True
        log.warning("watch broken", kind=self._kind, cause=error.words, failures=self._failures)
        if self._failures > 1 or not isinstance(error, Gone):
            most = min(MOST_BACKOFF_SECONDS, 0.5 * 2.0 ** min(self._failures, 16))
            self._stopping.wait(self._uniform(most / 4, most))
