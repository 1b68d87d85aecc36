"""The threads that the blocking client is called on: a server that hangs must not hold up what else runs on threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Threads:
    def __init__(self, most: int) -> None:
        self._pool = ThreadPoolExecutor(most, thread_name_prefix="kubernetes")

    async def run(self, call: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, partial(call, *args, **options))

    def close(self) -> None:
        """Nothing new; what runs ends by its own time limit."""
        self._pool.shutdown(wait=False, cancel_futures=True)
