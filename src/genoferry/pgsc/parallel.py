"""Steps that don't wait for each other, on threads: the first that fails ends the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from genoferry.errors import CalculationStopped
from genoferry.pgsc.process import Stop

T = TypeVar("T")


def together(stop: Stop, steps: Sequence[Callable[[], T]], workers: int) -> list[T]:
    """Runs `steps`, at most `workers` at once, and returns their results in order.

    Raises what the first failed step raised, after all have ended; not the `CalculationStopped` of those it ended.
    """
    with ThreadPoolExecutor(max(1, workers)) as pool:
        futures = [pool.submit(step) for step in steps]
        done, rest = wait(futures, return_when=FIRST_EXCEPTION)
        if any(future.exception() for future in done):
            stop.failed.set()
        for future in rest:
            future.cancel()
    for cause in sorted((e for f in futures if (e := _exception(f))), key=_is_stop):
        raise cause
    return [future.result() for future in futures]


def _exception(future: Future[T]) -> BaseException | None:
    return None if future.cancelled() else future.exception()


def _is_stop(error: BaseException) -> bool:
    return isinstance(error, CalculationStopped)
