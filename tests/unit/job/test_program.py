"""The program inside the compute, over buckets in memory: what it starts, what it stops at, what it leaves."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
import structlog
from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import ClientError
from pydantic import BaseModel

from genoferry.aws.objects import MemoryObjects
from genoferry.contracts.base import SCHEMA_VERSION
from genoferry.contracts.jobfile import JobFile, StagedInput, Tombstone
from genoferry.contracts.limits import EXIT_OUT_OF_DISK
from genoferry.contracts.reports import ExitReport, OutputReport, ScoreReport
from genoferry.errors import CalculationStopped, JobOutOfDisk, NotFound, ServiceUnavailable, SizeMismatch, ZeroMatches
from genoferry.handlers.protocol import Outcome, Produced, Shared
from genoferry.job import program, reporter
from genoferry.job.storage import Storage
from genoferry.settings import Settings
from genoferry.testing.storage import MemoryStorage

UUID = "0d5c1a52-5a3c-4b1e-9a0e-2a5f0c7b8d11"
URI = f"s3://work/{UUID}/1/job.json"


class Echo:
    """Its result is its input; `act` is what a test has it do."""

    kind, name, body, may_inline = "job", "Echo", BaseModel, False

    def __init__(self) -> None:
        self.tasks = []
        self.act = lambda task: None

    def plan(self, body):
        raise NotImplementedError

    def run(self, task):
        self.tasks.append(task)
        task.progress("echo", 1, 2, "steps")
        self.act(task)
        path = task.out / "echo.txt"
        path.write_bytes(task.files["target"]["a/b.txt"].read_bytes())
        return Outcome([Produced(path, "text/plain")], (ScoreReport(id="PGS000001", status="calculated"),), 3)

    def results(self, report: ExitReport) -> list[OutputReport]:
        return list(report.outputs)


class Place:
    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self.work, self.results = MemoryObjects("work"), MemoryObjects("results")
        self.storage = MemoryStorage({"work": self.work, "results": self.results})
        self.handler = Echo()
        self.stop = threading.Event()
        self.put_job()

    def put_job(self, **over) -> None:
        data = b"plaintext"
        self.work.content[f"{UUID}/1/inputs/0000"] = data
        known = {
            "uuid": UUID,
            "attempt": 1,
            "nonce": "nonce",
            "name": "Echo",
            "params": {"p": 1},
            "inputs": (
                StagedInput(
                    role="target",
                    name="a/b.txt",
                    key=f"{UUID}/1/inputs/0000",
                    size=len(data),
                    sha256=hashlib.sha256(data).hexdigest(),
                    size_stated=True,
                ),
            ),
            "work_bucket": "work",
            "results_bucket": "results",
            "report_queue": "reports-url",
        }
        self.work.content[f"{UUID}/1/job.json"] = JobFile(**(known | over)).model_dump_json().encode()

    def put_tombstone(self) -> None:
        self.work.content[f"{UUID}/1/job.json"] = (
            Tombstone(uuid=UUID, attempt=1, reason="CANCELLED").model_dump_json().encode()
        )

    def run(self, uri: str = URI, workspace: Path | None = None) -> int:
        code = program.run(uri, self.storage, {"Echo": self.handler}, Settings(), stop=self.stop, workspace=workspace)
        assert list(self.scratch.iterdir()) == [], "the scratch, which is plaintext, is gone"
        return code

    @property
    def report(self) -> ExitReport | None:
        text = self.work.content.get(f"{UUID}/1/exit.json")
        return ExitReport.model_validate_json(text) if text else None

    @property
    def hints(self) -> list[dict]:
        assert {queue for queue, _ in self.storage.sent} <= {"reports-url"}
        return [json.loads(body) for _, body in self.storage.sent]


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("GENOFERRY_SCRATCH", str(tmp_path))
    return Place(tmp_path)


def test_done(place):
    assert place.run() == 0
    assert place.results.content == {f"{UUID}/1/echo.txt": b"plaintext"}
    report = place.report
    assert (report.uuid, report.attempt, report.nonce, report.exit_code) == (UUID, 1, "nonce", 0)
    assert report.scores[0].status == "calculated"
    assert (report.verified, report.samples) == ("digest", 3)
    (output,) = report.outputs
    assert output == OutputReport(
        key=f"{UUID}/1/echo.txt", content_type="text/plain", size=9, sha256=hashlib.sha256(b"plaintext").hexdigest()
    )
    assert place.hints[0] | {"final": False} == place.hints[0]
    assert place.hints[-1]["final"] is True
    assert {h["nonce"] for h in place.hints} == {"nonce"}
    assert [h["progress"]["phase"] for h in place.hints if "progress" in h] == ["fetch", "echo"]
    (task,) = place.handler.tasks
    assert task.params == {"p": 1}
    assert task.stop is place.stop


def test_the_requests_trace_is_in_its_environment_and_its_log(place, monkeypatch):
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    monkeypatch.setenv("TRACEPARENT", "of whoever started it")
    seen = []
    place.handler.act = lambda _: seen.append((os.environ["TRACEPARENT"], structlog.contextvars.get_contextvars()))
    place.put_job(traceparent=trace)
    with structlog.contextvars.bound_contextvars(traceparent=None):
        place.run()
    assert seen == [(trace, {"traceparent": trace})]


def test_what_attempts_share_outlives_one_and_spares_the_next_the_fetching(place, tmp_path_factory):
    workspace = tmp_path_factory.mktemp("shared") / "gw-test"
    assert place.run(workspace=workspace) == 0
    (found,) = [path for path in workspace.rglob("*") if path.is_file()]
    assert found.read_bytes() == b"plaintext"
    assert workspace.stat().st_mode & 0o077 == 0, "its owner's alone"
    before = found.stat()
    data = place.work.content.pop(f"{UUID}/1/inputs/0000")
    second = json.loads(place.work.content.pop(f"{UUID}/1/job.json")) | {"attempt": 2, "staged_in": 1}
    place.work.content[f"{UUID}/2/job.json"] = json.dumps(second).encode()
    assert place.run(f"s3://work/{UUID}/2/job.json", workspace=workspace) == 0
    assert place.results.content[f"{UUID}/2/echo.txt"] == data
    assert (found.stat().st_ino, found.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert place.handler.tasks[-1].shared == Shared(workspace, f"s3://work/{UUID}/1/workspace/")


def test_telling_how_far_it_is_reads_no_bucket(place, monkeypatch):
    reads = []
    for name in ("get", "fetch"):
        real = getattr(place.storage, name)
        monkeypatch.setattr(
            place.storage, name, lambda *a, _real=real, _name=name, **k: reads.append(_name) or _real(*a, **k)
        )

    def act(task):
        before = list(reads)
        for done in range(100):
            task.progress(f"step {done}", done, 100, "processes")
        assert reads == before

    place.handler.act = act
    assert place.run() == 0
    assert len(place.hints) > 100
    assert reads == ["get", "fetch", "get"], "job.json, the input, and job.json again before anything is published"


def test_an_attempt_that_is_given_up_while_it_works_stops_by_itself(place, monkeypatch):
    monkeypatch.setattr(program.AttemptGuard.__init__, "__defaults__", (0.01,))

    def act(task):
        place.put_tombstone()
        assert task.stop.wait(10)
        raise CalculationStopped

    place.handler.act = act
    assert place.run() == program.EXIT_SUPERSEDED
    assert place.report is None
    assert place.results.content == {}


def test_without_a_runners_workspace_the_engine_gets_one_of_the_attempts_own(place, monkeypatch):
    monkeypatch.setenv("GENOFERRY_ENGINE", "nextflow")
    assert place.run() == 0
    assert place.handler.tasks[0].shared.folder.is_relative_to(place.scratch)


def test_a_workspace_that_is_a_link_is_refused(place, tmp_path_factory):
    there = tmp_path_factory.mktemp("elsewhere")
    link = tmp_path_factory.mktemp("shared") / "gw-test"
    link.symlink_to(there)
    assert place.run(workspace=link) == program.EXIT_FAILED
    assert place.report.error.code == "workspace-taken"
    assert list(there.iterdir()) == []


def test_an_input_that_was_changed_on_the_disk_is_fetched_again(place, tmp_path_factory):
    workspace = tmp_path_factory.mktemp("shared")
    (workspace / "inputs/target/a").mkdir(parents=True)
    (workspace / "inputs/target/a/b.txt").write_bytes(b"plaintexT")
    assert place.run(workspace=workspace) == 0
    assert place.results.content[f"{UUID}/1/echo.txt"] == b"plaintext"


def test_half_an_input_that_a_killed_attempt_left_is_not_taken_for_a_whole_one(place, tmp_path_factory):
    workspace = tmp_path_factory.mktemp("shared")
    (workspace / "inputs/target/a").mkdir(parents=True)
    (workspace / "inputs/target/a/b.txt").write_bytes(b"plain")
    assert place.run(workspace=workspace) == 0
    assert place.results.content[f"{UUID}/1/echo.txt"] == b"plaintext"


def test_the_exit_report_is_there_before_the_last_hint(place):
    seen = []
    place.storage.on_send = lambda body: seen.append((json.loads(body)["final"], place.report is not None))
    place.run()
    assert seen[-1] == (True, True)
    assert all(not there for final, there in seen if not final)


def test_started_twice_works_once(place):
    assert place.run() == 0
    before = dict(place.work.content)
    assert place.run() == program.EXIT_SUPERSEDED
    assert len(place.handler.tasks) == 1
    assert place.work.content == before


def test_the_same_incarnation_may_see_its_own_marker(place, monkeypatch):
    """A put whose answer was lost is sent again by the SDK and then finds itself."""
    real = place.storage.put_new

    def lost(bucket, key, body):
        assert real(bucket, key, body)
        return False

    monkeypatch.setattr(place.storage, "put_new", lost)
    assert place.run() == 0


def test_two_at_once_work_once(place):
    codes = []
    threads = [
        threading.Thread(
            target=lambda: codes.append(
                program.run(URI, place.storage, {"Echo": place.handler}, Settings(), stop=threading.Event())
            )
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [0, 3, 3, 3]
    assert len(place.handler.tasks) == 1


def test_a_tombstone_before_the_start(place):
    place.put_tombstone()
    assert place.run() == program.EXIT_SUPERSEDED
    assert not place.handler.tasks
    assert place.report is None
    assert place.hints == []
    assert f"{UUID}/1/started" in place.work.content, "no later start of this attempt finds the way free"


def test_a_tombstone_while_it_runs_keeps_its_results_from_being_published(place):
    place.handler.act = lambda task: place.put_tombstone()
    assert place.run() == program.EXIT_SUPERSEDED
    assert place.results.content == {}
    assert place.report is None
    assert not any(h["final"] for h in place.hints)


def test_job_json_that_is_gone(place):
    del place.work.content[f"{UUID}/1/job.json"]
    assert place.run() == program.EXIT_SUPERSEDED
    assert place.report is None


@pytest.mark.parametrize("text", [b"{", b"{}", b'{"kind": "other"}', b"\xff"])
def test_job_json_of_another_version(place, text):
    place.work.content[f"{UUID}/1/job.json"] = text
    assert place.run() == program.EXIT_FAILED
    assert place.report is None


def test_job_json_of_a_newer_schema(place):
    place.put_job(schema_version=SCHEMA_VERSION + 1)
    assert place.run() == program.EXIT_FAILED
    assert not place.handler.tasks


def _wrong_digest(place):
    place.work.content[f"{UUID}/1/inputs/0000"] = b"plainteXt"


def _short(place):
    place.work.content[f"{UUID}/1/inputs/0000"] = b"plain"


def _gone(place):
    del place.work.content[f"{UUID}/1/inputs/0000"]


def _unknown_name(place):
    place.put_job(name="Nobody")


def _bucket_trouble(place):
    def trouble(*_):
        raise ServiceUnavailable

    place.storage.upload = trouble


def raising(error):
    def act(task):
        raise error

    return lambda place: setattr(place.handler, "act", act)


@pytest.mark.parametrize(
    ("break_it", "code", "retryable"),
    [
        (_wrong_digest, "digest-mismatch", False),
        (_short, "size-mismatch", False),
        (_gone, "not-found", False),
        (_unknown_name, "unknown-name", False),
        (_bucket_trouble, "service-unavailable", True),
        (raising(ZeroMatches(trace_name="MATCH", trace_exit=15)), "zero-matches", False),
        (raising(ZeroDivisionError("secret-of-the-sender")), "internal-error", False),
        (raising(MemoryError()), "job-out-of-memory", False),
    ],
)
def test_every_failure_is_in_an_exit_report(place, break_it, code, retryable):
    break_it(place)
    assert place.run() == program.EXIT_FAILED
    report = place.report
    assert (report.exit_code, report.error.code, report.error.retryable) == (1, code, retryable)
    assert (report.nonce, report.outputs) == ("nonce", ())
    assert "secret-of-the-sender" not in report.model_dump_json()
    assert place.hints[-1]["final"] is True
    if code == "zero-matches":
        assert (report.trace_name, report.trace_exit) == ("MATCH", 15)
    assert place.results.content == {}


def _wrapped(number):
    """As libraries raise it."""
    error = RuntimeError("could not write")
    error.__cause__ = OSError(number, os.strerror(number))
    return error


@pytest.mark.parametrize(
    "break_it",
    [
        raising(OSError(errno.ENOSPC, "No space left on device")),
        raising(OSError(errno.EDQUOT, "Disk quota exceeded")),
        raising(_wrapped(errno.ENOSPC)),
        raising(JobOutOfDisk()),
    ],
)
def test_a_full_disk_is_reported_as_such(place, break_it):
    break_it(place)
    assert place.run() == EXIT_OUT_OF_DISK
    error = place.report.error
    assert (place.report.exit_code, error.code, error.retryable) == (EXIT_OUT_OF_DISK, "job-out-of-disk", False)


def test_a_scratch_that_stays_costs_no_report(place, monkeypatch):
    """A tool's folder that its own user may not change: the runner, which cleans up anyway, opens it up."""

    def refuse(_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(shutil, "rmtree", refuse)
    assert program.run(URI, place.storage, {"Echo": place.handler}, Settings(), stop=place.stop) == 0
    assert place.report.exit_code == 0


def test_no_room_for_the_scratch_is_a_full_disk(place, monkeypatch):
    def full(**_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "mkdtemp", full)
    assert place.run() == EXIT_OUT_OF_DISK
    assert place.report.error.code == "job-out-of-disk"


def test_the_exit_code_tells_what_no_report_can(place):
    """Its disk is full, and its bucket out of reach."""
    raising(OSError(errno.ENOSPC, "No space left on device"))(place)
    put = place.storage.put

    def trouble(bucket, key, body):
        if key.endswith("exit.json"):
            raise ServiceUnavailable
        put(bucket, key, body)

    place.storage.put = trouble
    assert place.run() == EXIT_OUT_OF_DISK
    assert place.hints[-1].get("final") is not True


def test_the_scores_of_a_failed_calculation_are_reported(place):
    error = ZeroMatches()
    error.scores = (ScoreReport(id="PGS000001", status="failed", reason="no overlap"),)
    raising(error)(place)
    place.run()
    assert place.report.scores[0].reason == "no overlap"


def test_stopped_while_it_fetches_it_leaves_no_report(place):
    """Then the attempt is lost, not failed: another is made."""
    place.stop.set()
    assert place.run() == program.EXIT_STOPPED
    assert place.report is None
    assert not place.handler.tasks


def test_stopped_while_it_calculates(place):
    def act(task):
        place.stop.set()
        raise ZeroMatches

    place.handler.act = act
    assert place.run() == program.EXIT_STOPPED
    assert place.report is None


def test_stopped_when_all_is_done_it_is_done(place):
    place.handler.act = lambda task: place.stop.set()
    assert place.run() == 0
    assert place.report.exit_code == 0


def test_a_report_queue_that_is_down_stops_nothing(place):
    def down(url, body):
        raise ServiceUnavailable

    place.storage.send = down
    assert place.run() == 0


def test_a_bucket_that_is_down_at_the_start(place):
    def down(*_):
        raise ServiceUnavailable

    place.storage.put_new = down
    assert place.run() == program.EXIT_FAILED


@pytest.mark.parametrize(
    "uri",
    ["", "s3://work", f"s3://work/{UUID}/1/other.json", f"https://work/{UUID}/1/job.json", f"s3://w/{UUID}/x/job.json"],
)
def test_no_jobs_uri(place, uri):
    with pytest.raises(NotFound):
        place.run(uri)


@pytest.mark.parametrize(
    ("inputs", "found"),
    [
        ([], "none"),
        ([(False, None)], "none"),
        ([(True, "d"), (False, None)], "digest"),
        ([(True, "d"), (True, None)], "size"),
        ([(True, None)], "size"),
    ],
)
def test_what_was_verified_is_the_weakest(inputs, found):
    staged = [
        StagedInput(role="r", name="n", key="k", size=1, size_stated=stated, sha256=digest) for stated, digest in inputs
    ]
    assert program.verified(staged) == found


def test_progress_is_told_on_a_change_of_phase_and_else_seldom(place):
    clock = [0.0]
    job = JobFile.model_validate_json(place.work.content[f"{UUID}/1/job.json"])
    told = reporter.Reporter(place.storage, job, monotonic=lambda: clock[0])
    for second in range(31):
        clock[0] = float(second)
        told.progress("match", second, 100, "steps")
    assert [h["progress"]["done"] for h in place.hints] == [0, 15, 30]
    told.progress("score", 0, 10, "steps")
    assert place.hints[-1]["progress"]["phase"] == "score"


def client_error(code, status):
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "PutObject")


class S3:
    def __init__(self, *errors):
        self.errors, self.calls = list(errors), 0

    def put_object(self, **_):
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)

    def upload_file(self, *_, **__):
        try:
            raise self.errors.pop(0)
        except ClientError as error:
            raise S3UploadFailedError("Failed to upload") from error


def real_storage(s3):
    storage = object.__new__(Storage)
    storage._s3 = s3
    return storage


def test_a_conditional_put_that_answers_409_is_tried_again():
    s3 = S3(client_error("ConditionalRequestConflict", 409))
    assert real_storage(s3).put_new("b", "k", b"") is True
    assert s3.calls == 2
    s3 = S3(client_error("ConditionalRequestConflict", 409), client_error("PreconditionFailed", 412))
    assert real_storage(s3).put_new("b", "k", b"") is False


def test_an_upload_that_fails_is_an_error_of_ours(tmp_path):
    storage = real_storage(S3(client_error("SlowDown", 503)))
    with pytest.raises(ServiceUnavailable):
        storage.upload(tmp_path / "x", "b", "k", "text/plain")


def test_a_fetch_is_checked(tmp_path):
    body = SimpleNamespace(iter_chunks=lambda _: iter([b"ab", b"c"]))
    storage = real_storage(SimpleNamespace(get_object=lambda **_: {"Body": body}))
    moved = []
    storage.fetch("b", "k", tmp_path / "1", size=3, sha256=hashlib.sha256(b"abc").hexdigest(), moved=moved.append)
    assert (tmp_path / "1").read_bytes() == b"abc"
    assert moved == [2, 1]
    with pytest.raises(SizeMismatch):
        storage.fetch("b", "k", tmp_path / "2", size=4, sha256=None, moved=moved.append)
