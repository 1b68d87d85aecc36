"""Waiting for a condition with a deadline: what tests do in place of sleeping."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
POLL_SECONDS = 0.1


def wait_until(condition: Callable[[], T | None], *, what: str, seconds: float = 60) -> T:
    """The first truthy value of `condition`. Raises `AssertionError`, which says what was waited for."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() >= deadline:
            raise AssertionError(f"waited {seconds:g} s for {what}")
        time.sleep(POLL_SECONDS)
