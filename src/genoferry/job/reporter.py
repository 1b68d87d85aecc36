"""Reports: hints to the workers, on the report queue. A report that can't be sent is no reason to stop working."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from genoferry.contracts.events import ProgressInfo, StepInfo
from genoferry.contracts.jobfile import JobFile
from genoferry.contracts.reports import Report
from genoferry.errors import ServiceError
from genoferry.job.storage import Storage

log = structlog.get_logger()


@dataclass
class Reporter:
    """Progress goes out on a change of phase, and else at most once in the job's `progress_seconds`."""

    storage: Storage
    job: JobFile
    monotonic: Callable[[], float] = time.monotonic
    _last: tuple[str, float] = ("", float("-inf"))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def progress(
        self,
        phase: str,
        done: int,
        total: int,
        unit: str,
        *,
        steps: tuple[StepInfo, ...] | None = None,
        cpu_hours: float | None = None,
    ) -> None:
        now = self.monotonic()
        with self._lock:
            if phase == self._last[0] and now - self._last[1] < self.job.progress_seconds:
                return
            self._last = (phase, now)
        self.report(ProgressInfo(phase=phase, done=done, total=total, unit=unit, steps=steps, cpu_hours=cpu_hours))

    def report(self, progress: ProgressInfo | None = None, *, final: bool = False) -> None:
        job = self.job
        hint = Report(uuid=job.uuid, attempt=job.attempt, nonce=job.nonce, progress=progress, final=final)
        try:
            self.storage.send(job.report_queue, hint.model_dump_json(exclude_none=True))
        except ServiceError as error:
            log.warning("report not sent", code=error.code, cause=str(error))
