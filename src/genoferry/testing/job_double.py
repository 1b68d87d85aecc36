"""A scripted job: it leaves in the buckets and on the report queue what the job program would, when told to."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from genoferry.aws.objects import MemoryObjects
from genoferry.compute.memory import MemoryRunner
from genoferry.contracts.events import ErrorInfo, ProgressInfo
from genoferry.contracts.jobfile import JobDocument, JobFile
from genoferry.contracts.keys import exit_key, job_key, started_key
from genoferry.contracts.reports import ExitReport, OutputReport, Report, ScoreReport
from genoferry.errors import GenoferryError
from genoferry.queue.memory import MemoryQueue

CALCULATED = ScoreReport(id="PGS000001", status="calculated")


@dataclass
class JobDouble:
    """The attempt of one submitted name: what happens to it is what the test calls."""

    name: str
    uuid: str
    attempt: int
    runner: MemoryRunner
    work: MemoryObjects
    results: MemoryObjects
    reports: MemoryQueue

    def file(self) -> JobFile:
        """Its job.json. Raises `AssertionError` where there is a tombstone or nothing."""
        found = JobDocument.validate_json(self.work.content[job_key(self.uuid, self.attempt)])
        assert isinstance(found, JobFile), "the attempt has a tombstone"  # noqa: S101
        return found

    def run(self) -> None:
        """It starts."""
        self.work.content.setdefault(started_key(self.uuid, self.attempt), self.name.encode())
        self.runner.set_phase(self.name, "running")

    def report(self, progress: ProgressInfo | None = None, *, final: bool = False, nonce: str | None = None) -> None:
        """A hint on the report queue."""
        hint = Report(
            uuid=self.uuid, attempt=self.attempt, nonce=nonce or self.file().nonce, progress=progress, final=final
        )
        self.reports.send(hint.model_dump_json())

    def succeed(
        self, *, body: bytes = b"scores", hint: bool = True, scores: Sequence[ScoreReport] = (CALCULATED,)
    ) -> None:
        """It ends well: results, exit report, hint, exit code 0."""
        key = f"{self.uuid}/{self.attempt}/aggregated_scores.txt.gz"
        self.results.content[key] = body
        digest = hashlib.sha256(body).hexdigest()
        self._exit(
            exit_code=0,
            outputs=(OutputReport(key=key, content_type="application/gzip", size=len(body), sha256=digest),),
            scores=tuple(scores),
            verified="size",
            hint=hint,
        )
        self.runner.set_phase(self.name, "succeeded", 0)

    def fail(
        self,
        error: GenoferryError,
        *,
        trace_name: str | None = None,
        trace_exit: int | None = None,
        log_tail: tuple[str, ...] = (),
    ) -> None:
        """It ends with an exit report that says why."""
        why = ErrorInfo.of(error)
        self._exit(exit_code=1, error=why, trace_name=trace_name, trace_exit=trace_exit, log_tail=log_tail)
        self.runner.set_phase(self.name, "failed", 1)

    def die(self) -> None:
        """It is killed: no exit report."""
        self.runner.set_phase(self.name, "failed", -9)

    def vanish(self) -> None:
        """Its backend forgets it."""
        self.runner.observations.pop(self.name, None)

    def write_exit(self, report: ExitReport) -> None:
        self.work.content[exit_key(self.uuid, self.attempt)] = report.model_dump_json().encode()

    def _exit(self, *, hint: bool = True, **fields: object) -> None:
        file = self.file()
        known = {"uuid": self.uuid, "attempt": self.attempt, "nonce": file.nonce} | fields
        self.write_exit(ExitReport.model_validate(known))
        if hint:
            self.report(final=True)
