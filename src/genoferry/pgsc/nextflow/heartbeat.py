"""Whether a head still runs in the workspace, told over a disk that several machines may share.

As with leases: what counts is not a time of day but that a token stands unchanged, on the watcher's own clock.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from genoferry.errors import CalculationStopped, HeadStillRuns

SILENCE = 60.0
"""Seconds without a beat after which a head elsewhere counts as dead: twelve beats at their usual pace."""
POLL = 1.0
BOOT_ID, PID_NAMESPACE = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")


def here() -> str:
    """Where this process can see and end other processes: its boot and its pid namespace."""
    return f"{BOOT_ID.read_text().strip()}:{PID_NAMESPACE.readlink()}"


@dataclass
class Heart:
    """The file that a head's job changes while it runs. Removed at its end, be it good or bad; a kill leaves it."""

    path: Path
    stop: threading.Event
    silence: float = SILENCE
    poll: float = POLL
    _beats: int = field(default=0, init=False)

    def beat(self) -> None:
        scratch = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        scratch.write_text(f"{here()}\n{os.getpid()} {self._beats}\n")
        scratch.rename(self.path)
        self._beats += 1

    def end(self) -> None:
        self.path.unlink(missing_ok=True)

    def await_silence(self) -> None:
        """Till no head runs elsewhere: at once where none was, or it was here and so was ended.

        Raises `HeadStillRuns` when one beats, `CalculationStopped` when `stop` is set.
        """
        first = self._read()
        if first is None or first.partition("\n")[0] == here():
            return
        until = time.monotonic() + self.silence
        while time.monotonic() < until:
            if self.stop.wait(self.poll):
                raise CalculationStopped
            if (now := self._read()) != first:
                if now is None:
                    return  # it ended meanwhile
                raise HeadStillRuns

    def _read(self) -> str | None:
        try:
            return self.path.read_text()
        except FileNotFoundError:
            return None
