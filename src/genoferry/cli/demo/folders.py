"""Where the demo keeps what."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from genoferry.errors import DemoFailed


@dataclass(frozen=True)
class Folders:
    state: Path

    @property
    def aws(self) -> Path:
        return self.state / "aws"

    @property
    def cohort(self) -> Path:
        return self.state / "cohort"

    @property
    def jobs(self) -> Path:
        return self.state / "jobs"

    @property
    def worker_log(self) -> Path:
        return self.state / "worker.log"

    def results(self, run_uuid: str) -> Path:
        return self.state / "results" / run_uuid


@contextmanager
def alone(state: Path) -> Iterator[None]:
    """One demo in a folder at a time."""
    with (state / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoFailed(f"Another demo runs in {short(state)}. Wait for it, or give another --state.") from None
        yield


def short(path: Path) -> str:
    """Relative to here, where that is shorter."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
