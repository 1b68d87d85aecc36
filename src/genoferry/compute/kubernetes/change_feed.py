"""Which jobs a watch has told of, for who doesn't want to wait for the next look."""

from __future__ import annotations

import threading
from collections.abc import Callable

from genoferry.compute.kubernetes.api import Object
from genoferry.compute.kubernetes.listing import JOB_NAME


class News:
    """Written by the mirrors' threads, read by others."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: set[str] = set()
        self._wake: Callable[[], None] | None = None

    def listen(self, wake: Callable[[], None]) -> None:
        """Call it, from any thread, once something is told; again only when that was taken."""
        self._wake = wake

    def tell(self, event: Object) -> None:
        """One event of a watch, of a Job or of a pod. What comes or goes has nobody wait for it."""
        meta = event["object"]["metadata"]
        if event["type"] != "MODIFIED" or "deletionTimestamp" in meta:
            return
        with self._lock:
            first = not self._names
            self._names.add((meta.get("labels") or {}).get(JOB_NAME, meta["name"]))
        if first and self._wake is not None:
            self._wake()

    def take(self) -> frozenset[str]:
        """The jobs' names, each once."""
        with self._lock:
            names, self._names = frozenset(self._names), set()
        return names
