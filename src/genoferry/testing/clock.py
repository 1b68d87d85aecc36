"""Time that passes only when nothing else can happen: a simulation of hours takes milliseconds and never waits.

`VirtualLoop` is an asyncio event loop whose clock jumps to the next timer as soon as no task can run. Work on threads
(`asyncio.to_thread`) is real; while some is under way the clock goes on too, a timer at a time.
"""

from __future__ import annotations

import asyncio
import functools
import selectors
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, ParamSpec, TypeVar, TypeVarTuple, Unpack

P = ParamSpec("P")
T = TypeVar("T")
Ts = TypeVarTuple("Ts")

START_MILLIS = 1_790_000_000_000
"""Unix time at which a simulation begins: September 2026."""
THREAD_SECONDS = 0.02
"""Real time that threads get before the clock moves on without them."""
THREAD_WAITS = 10
"""Times in a row that they get it, before they count as waiting for the loop and get a hundredth."""
STUCK_SECONDS = 10.0
"""Real time after which a loop with no timer and no event counts as stuck."""


class _Selector(selectors.DefaultSelector):
    """Never waits for a timer: it advances the clock by as much as it was asked to wait."""

    clock = 0.0
    threads = 0
    _waited = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            return super().select(0)
        if ready := super().select(self._patience(timeout)):
            self._waited = 0
            return ready
        if timeout is None and not self.threads:
            raise RuntimeError("The simulation is stuck: no task can run, and no timer is set.")
        self.clock += timeout or 0.0
        return []

    def _patience(self, timeout: float | None) -> float:
        """Real seconds to give to threads."""
        if timeout is None:
            return STUCK_SECONDS
        self._waited += 1
        if not self.threads:
            return 0
        return THREAD_SECONDS if self._waited < THREAD_WAITS else THREAD_SECONDS / 100


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on virtual time: `time()` starts at 0 and jumps from timer to timer."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.clock

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        self._virtual.threads += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._thread_ended)
        return future

    def _thread_ended(self, _: object) -> None:
        self._virtual.threads -= 1


def simulated(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Decorates an async test: it runs in a `VirtualLoop` of its own, and what it leaves running is cancelled."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(_ended(test(*args, **kwargs)))

    return run


async def _ended(test: Coroutine[Any, Any, None]) -> None:
    """Cancels what is left until it is gone: a task may await once more while it winds up."""
    try:
        await test
    finally:
        while left := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in left:
                task.cancel()
            await asyncio.wait(left, timeout=0.01)


def monotonic() -> float:
    """Seconds of the running loop's clock: inject it where `time.monotonic` goes."""
    return asyncio.get_running_loop().time()


def millis() -> int:
    """Unix milliseconds by the running loop's clock: inject it where the wall clock goes."""
    return START_MILLIS + int(monotonic() * 1000)


async def until(condition: Callable[[], bool | Awaitable[bool]], *, within: float = 3600.0, step: float = 0.1) -> None:
    """Wait, on the running loop's clock, until the condition holds. Raises `TimeoutError` after `within` seconds."""
    async with asyncio.timeout(within):
        while True:
            held = condition()
            if await held if isinstance(held, Awaitable) else held:
                return
            await asyncio.sleep(step)
