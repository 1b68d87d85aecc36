"""The program inside the compute: `genoferry job run s3://…/job.json`, the same on every backend.

It starts nothing that another process of this attempt has started: it puts `started` with If-None-Match first, then
reads `job.json`, and reads it again before it publishes results. Where either says no it exits quietly (design,
section 4). Its exit report is in the work bucket before it reports or ends.
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import structlog
from pydantic import ValidationError

from genoferry.contracts.base import SCHEMA_VERSION
from genoferry.contracts.events import MAX_TRACE_NAME, ErrorInfo
from genoferry.contracts.jobfile import JobDocument, JobFile, StagedInput
from genoferry.contracts.keys import exit_key, job_key, started_key
from genoferry.contracts.limits import EXIT_OUT_OF_DISK
from genoferry.contracts.reports import ExitReport, OutputReport
from genoferry.errors import (
    CalculationError,
    GenoferryError,
    JobOutOfDisk,
    JobOutOfMemory,
    NewerSchema,
    NotFound,
    ServiceError,
    Superseded,
)
from genoferry.files import FULL_WORDS, is_full
from genoferry.handlers.protocol import JobHandler, Outcome, Task
from genoferry.handlers.registry import Handlers, find
from genoferry.job.attempt_guard import AttemptGuard
from genoferry.job.inputs import fetch
from genoferry.job.reporter import Reporter
from genoferry.job.storage import Storage, sha256_of
from genoferry.job.workdir import Place, scratch_folder, shared_by
from genoferry.settings import Settings

log = structlog.get_logger()
EXIT_FAILED, EXIT_SUPERSEDED, EXIT_STOPPED = 1, 3, 143
TRACEPARENT = "TRACEPARENT"
"""Variable that a trace's context has (OpenTelemetry, "Environment Variables as Context Propagation Carriers")."""


@dataclass(frozen=True)
class JobAddress:
    """Where a job's `job.json` is, and what its key says of the attempt."""

    bucket: str
    uuid: str
    attempt: int

    @classmethod
    def parse(cls, uri: str) -> JobAddress:
        """Of `s3://bucket/<uuid>/<attempt>/job.json`. Raises `NotFound` for anything else."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        parts = key.split("/")
        if not uri.startswith("s3://") or len(parts) != 3 or parts[2] != "job.json" or not parts[1].isdecimal():
            raise NotFound("This is no job's URI. It looks like s3://BUCKET/UUID/ATTEMPT/job.json.")
        return cls(bucket, parts[0], int(parts[1]))


def run(
    uri: str,
    storage: Storage,
    handlers: Handlers,
    settings: Settings,
    *,
    stop: threading.Event,
    workspace: Path | None = None,
) -> int:
    """Do the job; the process's exit code. What went wrong is in the exit report and in the log.

    `workspace`: the folder to share with other attempts, where the engine uses one.
    """
    address = JobAddress.parse(uri)
    try:
        job = begin(address, storage)
    except Superseded as error:
        log.info("stopping quietly", cause=str(error))
        return EXIT_SUPERSEDED
    except GenoferryError as error:  # without job.json there is no nonce, so no exit report would count
        log.error("could not begin", code=error.code, cause=str(error))
        return EXIT_FAILED
    _trace(job)
    reporter = Reporter(storage, job)
    reporter.report()
    try:
        with AttemptGuard(lambda: read_job(address, storage), stop) as guard, scratch_folder() as scratch:
            place = Place(settings, scratch, shared_by(job, settings, workspace, scratch), stop)
            report = work(job, storage, handlers, reporter, place)
        guard.check()
    except Superseded as error:
        log.info("stopping quietly", cause=str(error))
        return EXIT_SUPERSEDED
    except OSError as error:  # of the scratch itself
        if not is_full(error):
            raise
        report = _full(job, error)
    if stop.is_set() and report.exit_code:
        return EXIT_STOPPED
    return _leave(job, storage, reporter, report)


def _leave(job: JobFile, storage: Storage, reporter: Reporter, report: ExitReport) -> int:
    """The exit report into its bucket; then the exit code, which says what it can where that bucket is out of reach."""
    text = report.model_dump_json(exclude_none=True).encode()
    try:
        storage.put(job.work_bucket, exit_key(job.uuid, job.attempt), text)
    except ServiceError as error:
        log.error("exit report not written", code=error.code, cause=str(error), exit_code=report.exit_code)
        return report.exit_code or EXIT_FAILED
    reporter.report(final=True)
    return report.exit_code


def _trace(job: JobFile) -> None:
    """Into each line of the log, and to the tools that ask for it under the usual name."""
    if job.traceparent is not None:
        structlog.contextvars.bind_contextvars(traceparent=job.traceparent)
        os.environ[TRACEPARENT] = job.traceparent


def begin(address: JobAddress, storage: Storage) -> JobFile:
    """Claim the attempt, then read what to do. Raises `Superseded`, `NewerSchema`."""
    incarnation = str(uuid.uuid4()).encode()
    key = started_key(address.uuid, address.attempt)
    if not storage.put_new(address.bucket, key, incarnation) and storage.get(address.bucket, key) != incarnation:
        raise Superseded("Another process of this attempt has started.")
    return read_job(address, storage)


def read_job(address: JobAddress, storage: Storage) -> JobFile:
    """Raises `Superseded` where `job.json` is a tombstone or gone."""
    text = storage.get(address.bucket, job_key(address.uuid, address.attempt))
    if text is None:
        raise Superseded("There is no job.json: the attempt was given up.")
    try:
        job = JobDocument.validate_json(text)
    except ValidationError as error:
        raise NewerSchema("job.json can't be read by this version of the job program.") from error
    if not isinstance(job, JobFile):
        raise Superseded("The attempt was given up.")
    if job.schema_version > SCHEMA_VERSION:
        raise NewerSchema
    return job


def work(job: JobFile, storage: Storage, handlers: Handlers, reporter: Reporter, place: Place) -> ExitReport:
    """Fetch, run, publish; what came of it. Raises `Superseded`."""
    try:
        handler = find(handlers, job.name)
        assert handler.kind == "job"  # noqa: S101  # only such messages get a job
        return _work(job, storage, handler, reporter, place)
    except Superseded:
        raise
    except CalculationError as error:
        log.error("calculation failed", code=error.code, cause=str(error), trace=error.trace_name)
        return _failed(
            job,
            error,
            trace_name=error.trace_name and error.trace_name[:MAX_TRACE_NAME],
            trace_exit=error.trace_exit,
            scores=error.scores,
            log_tail=error.log_tail,
        )
    except GenoferryError as error:
        log.error("job failed", code=error.code, cause=str(error))
        return _failed(job, error)
    except Exception as error:
        if is_full(error):
            return _full(job, error)
        log.exception("unexpected")
        return _failed(job, JobOutOfMemory() if isinstance(error, MemoryError) else GenoferryError())


def _work(job: JobFile, storage: Storage, handler: JobHandler, reporter: Reporter, place: Place) -> ExitReport:
    files = fetch(job, storage, place.inputs(), reporter, place.stop)
    outcome = handler.run(
        Task(
            params=job.params,
            files=files,
            work=place.folder("work"),
            out=place.folder("out"),
            progress=reporter.progress,
            stop=place.stop,
            settings=place.settings,
            attempt=job.attempt,
            shared=place.shared,
        )
    )
    return _publish(job, storage, outcome)


def _publish(job: JobFile, storage: Storage, outcome: Outcome) -> ExitReport:
    """Results into their bucket, unless the attempt was given up meanwhile."""
    read_job(JobAddress(job.work_bucket, job.uuid, job.attempt), storage)
    outputs = []
    for produced in outcome.outputs:
        key = job.results_prefix + produced.path.name
        storage.upload(produced.path, job.results_bucket, key, produced.content_type)
        size = produced.path.stat().st_size
        outputs.append(
            OutputReport(key=key, content_type=produced.content_type, size=size, sha256=sha256_of(produced.path))
        )
    return ExitReport(
        uuid=job.uuid,
        attempt=job.attempt,
        nonce=job.nonce,
        exit_code=0,
        scores=tuple(outcome.scores),
        outputs=tuple(outputs),
        verified=verified(job.inputs),
        samples=outcome.samples,
    )


def verified(inputs: Sequence[StagedInput]) -> Literal["digest", "size", "none"]:
    """What was checked of every input that the request stated a size of: the weakest counts."""
    stated = [item for item in inputs if item.size_stated]
    if not stated:
        return "none"
    return "digest" if all(item.sha256 for item in stated) else "size"


def _full(job: JobFile, error: Exception) -> ExitReport:
    """The log's line is kept until there is room for it: by then the scratch is gone."""
    log.error("job failed", code=JobOutOfDisk.code, cause=FULL_WORDS[0], exc_info=error)
    return _failed(job, JobOutOfDisk())


def _failed(job: JobFile, error: GenoferryError, **more: Any) -> ExitReport:
    why, code = ErrorInfo.of(error), EXIT_OUT_OF_DISK if isinstance(error, JobOutOfDisk) else EXIT_FAILED
    return ExitReport(uuid=job.uuid, attempt=job.attempt, nonce=job.nonce, exit_code=code, error=why, **more)
