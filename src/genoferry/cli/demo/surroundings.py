"""The demo's process environment: nothing of the caller's AWS, all of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

KEPT = ("GENOFERRY_HOME",)
"""Where the embedded AWS is installed."""


@contextmanager
def own_environment() -> Iterator[None]:
    """Without the caller's variables of AWS and genoferry, such as a profile or a session token, until the end."""
    before = dict(os.environ)
    for name in before:
        ours = name.startswith(("AWS_", "GENOFERRY_")) or name in ("WORK_QUEUE", "CLUSTER_ENV")
        if ours and name not in KEPT:
            del os.environ[name]
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
