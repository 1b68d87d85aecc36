"""The objects of a mirror, written by its thread and read by others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Object = dict[str, Any]


class Store(Generic[T]):
    """`version` is that of the newest thing in it, None before the first LIST. `last` says what is kept until the next
    LIST of what was deleted."""

    def __init__(self, parse: Callable[[Object], T], last: Callable[[Object], T | None]) -> None:
        self._parse, self._last = parse, last
        self._lock = threading.Lock()
        self._objects: dict[str, T] = {}
        self.version: str | None = None

    def replace(self, listed: Iterable[Object]) -> None:
        """By a whole LIST, whose metadata comes last (see `Api.list`)."""
        found, version = {}, None
        for one in listed:
            if "metadata" in one:
                found[_name(one)] = self._parse(one)
            else:
                version = str(one["resourceVersion"])
        with self._lock:
            self._objects, self.version = found, version

    def take(self, event: Object) -> None:
        """One event of a watch; a bookmark has a version only."""
        kind, told = event["type"], event["object"]
        read = {"ADDED": self._parse, "MODIFIED": self._parse, "DELETED": self._last}.get(kind)
        one = read(told) if read else None
        with self._lock:
            self.version = str(told["metadata"]["resourceVersion"])
            if one is not None:
                self._objects[_name(told)] = one
            elif kind == "DELETED":
                self._objects.pop(_name(told), None)

    def all(self) -> Mapping[str, T]:
        with self._lock:
            return dict(self._objects)


def _name(told: Object) -> str:
    return str(told["metadata"]["name"])
