"""When each of a worker's loops last turned: by that it is told whether the worker does what it is there for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from genoferry import metrics
from genoferry.settings import Settings

Loop = Literal["requests", "reports", "due", "lease", "watch", "beats"]
LOOPS: Mapping[Loop, str] = {
    "requests": "polls the work queue, and accepts what it gets",
    "reports": "polls the report queue",
    "due": "does what is owed",
    "lease": "takes or renews the runner's lease",
    "watch": "observes the running jobs; of the worker that holds the runner's lease",
    "beats": "renews the lease of each row that the worker is at",
}
ALWAYS: tuple[Loop, ...] = ("requests", "reports", "due", "lease")
"""Every worker's duty, as long as it runs."""


@dataclass(frozen=True)
class Pace:
    """Seconds: from one turn to the next when all is well, and how many more are still well."""

    every: float
    slack: float


def paces(settings: Settings) -> dict[Loop, Pace]:
    """Who doesn't renew a lease within its length has lost it; the others get the setting's slack."""
    timing, wait = settings.worker, settings.queue.wait_seconds
    slack = settings.health.late_seconds
    pause = max(timing.tick_seconds, timing.idle_tick_seconds, timing.watch_seconds)
    renewal = Pace(timing.lease_seconds / 3, timing.lease_seconds * 2 / 3)
    return {
        "requests": Pace(wait, slack),
        "reports": Pace(wait, slack),
        "due": Pace(pause, slack),
        "lease": renewal,
        "watch": Pace(timing.watch_seconds + pause, slack),
        "beats": renewal,
    }


class Liveness:
    """`monotonic` in seconds. A loop may have several of its kind on duty, told apart by `which`; the latest counts."""

    def __init__(self, paces: Mapping[Loop, Pace], monotonic: Callable[[], float]) -> None:
        self._paces, self._monotonic = paces, monotonic
        self._last: dict[tuple[Loop, str], float] = {(loop, ""): monotonic() for loop in ALWAYS}
        self._awaited = set(ALWAYS)

    @contextmanager
    def turn(self, loop: Loop, which: str = "") -> Iterator[None]:
        """Around one turn: it counts when it ends without an error."""
        began = self._monotonic()
        yield
        self.turned(loop, which)
        metrics.observe("loop_turn_seconds", self._monotonic() - began, loop=loop)

    def turned(self, loop: Loop, which: str = "") -> None:
        """Nothing for a loop that isn't on duty."""
        if (loop, which) in self._last:
            self._last[loop, which] = self._monotonic()
            self._awaited.discard(loop)

    def duty(self, loop: Loop, *, on: bool, which: str = "") -> None:
        """From here on it must turn, or needn't any more."""
        if on:
            self._last.setdefault((loop, which), self._monotonic())
        else:
            self._last.pop((loop, which), None)

    @contextmanager
    def on_duty(self, loop: Loop, which: str) -> Iterator[None]:
        self.duty(loop, on=True, which=which)
        try:
            yield
        finally:
            self.duty(loop, on=False, which=which)

    @property
    def awaited(self) -> list[Loop]:
        """Loops that have yet to turn for the first time."""
        return sorted(self._awaited)

    def behind(self) -> dict[Loop, float]:
        """Seconds by which each loop on duty is past its period; 0 for those in time."""
        now, found = self._monotonic(), dict[Loop, float]()
        for (loop, _), last in self._last.items():
            found[loop] = max(found.get(loop, 0.0), now - last - self._paces[loop].every)
        return found

    def late(self) -> dict[Loop, float]:
        """Of those, the loops that are past their slack, too: they stand still, or fail at every turn."""
        return {loop: seconds for loop, seconds in self.behind().items() if seconds > self._paces[loop].slack}
