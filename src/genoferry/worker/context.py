"""What a worker is made of: the providers below it, injected, with clock, randomness and ids."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from genoferry.aws.objects import Objects
from genoferry.compute.protocol import Runner
from genoferry.contracts.events import Warn
from genoferry.contracts.jobfile import StagedInput
from genoferry.handlers.protocol import Plan, PlannedInput, SupportsPreflight
from genoferry.handlers.registry import Handlers
from genoferry.ledger.due import Deadlines
from genoferry.ledger.leases import Leases
from genoferry.ledger.protocol import Ledger
from genoferry.ledger.row import FileState
from genoferry.publisher import Publisher
from genoferry.queue.protocol import Queue
from genoferry.settings import Settings
from genoferry.worker.liveness import Liveness, paces


@dataclass(frozen=True)
class Staged:
    """A staged input: its ETag in the work bucket and its plaintext size in bytes."""

    etag: str
    size: int


class Stager(Protocol):
    """Staging as the worker sees it. Blocking: it is called on a thread."""

    def check(self, item: PlannedInput) -> None:
        """Raises `SourceNotAllowed` for a source or key that the allow-lists don't hold."""
        ...

    def stage(
        self,
        item: PlannedInput,
        key: str,
        known: FileState,
        *,
        on_state: Callable[[FileState], None],
        on_progress: Callable[[int], None],
        stop: threading.Event,
    ) -> Staged:
        """One input into the work bucket under `key`, resumed from what is `known`.

        `on_state` is called, and must return, before the first part is sent; `on_progress` gets plaintext bytes
        done. Raises `StagingError`s, `StagingStopped` when `stop` is set.
        """
        ...


class Checks(Protocol):
    """The pre-flight as the worker sees it (`worker.preflight.Preflight`)."""

    async def check(
        self, handler: SupportsPreflight, plan: Plan, inputs: Sequence[StagedInput], *, stop: threading.Event
    ) -> tuple[Warn, ...]: ...


def unix_millis() -> int:
    return time.time_ns() // 1_000_000


def new_id() -> str:
    return str(uuid.uuid4())


@dataclass(frozen=True)
class WorkerContext:
    settings: Settings
    ledger: Ledger
    leases: Leases
    deadlines: Deadlines
    work: Objects
    results: Objects
    queue: Queue
    reports: Queue
    publisher: Publisher
    runner: Runner
    stager: Stager
    handlers: Handlers
    report_queue_url: str
    preflight: Checks | None = None
    now: Callable[[], int] = unix_millis
    monotonic: Callable[[], float] = time.monotonic
    new_id: Callable[[], str] = new_id
    random: random.Random = field(default_factory=random.Random)

    @cached_property
    def liveness(self) -> Liveness:
        """Of this worker's loops."""
        return Liveness(paces(self.settings), self.monotonic)

    def backoff_millis(self, failures: int) -> int:
        """Full jitter, doubling from one second up to the setting's most."""
        most = min(self.settings.worker.backoff_seconds, 2.0**failures)
        return int(self.random.uniform(0.1, 1.0) * most * 1000)
