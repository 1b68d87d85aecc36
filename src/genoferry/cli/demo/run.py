"""The demo's course: everything is started in order, and ended in reverse whatever happens."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from genoferry.cli import output
from genoferry.cli.demo.display import Scene
from genoferry.cli.demo.doubles import Doubles
from genoferry.cli.demo.folders import Folders, alone, short
from genoferry.cli.demo.outcome import outcome, times_of
from genoferry.cli.demo.payloads import envelope, globus_body
from genoferry.cli.demo.prepared import COHORT, Prepared, prepare
from genoferry.cli.demo.surroundings import own_environment
from genoferry.cli.demo.worker_process import WorkerProcess
from genoferry.cli.views import View, view
from genoferry.errors import DemoFailed, FollowTimeout, ScoresDiffer
from genoferry.ledger.row import Row
from genoferry.local import environment

PACE = {
    "GENOFERRY_WORKER_WATCH_SECONDS": "1",
    "GENOFERRY_WORKER_TICK_SECONDS": "0.25",
    "GENOFERRY_WORKER_IDLE_TICK_SECONDS": "1",
    "GENOFERRY_WORKER_PROGRESS_SECONDS": "0.5",
    "GENOFERRY_WORKER_GRACE_SECONDS": "3",
}
"""Looks more often than a deployment does, for the eye."""
CHECK_SECONDS = 0.5


def run(state: Path, *, keep: bool, samples: int, variants: int, timeout: float) -> None:
    """Raises `ScoresDiffer`, `DemoFailed`, and what the steps raise."""
    folders, scene = Folders(state), Scene()
    scene.title()
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: sys.exit(128 + received))
    with ExitStack() as started:
        started.enter_context(alone(state))
        started.enter_context(own_environment())
        variables = _aws(folders, scene, started, keep=keep)
        prepared = _cohort(folders, scene, samples, variants)
        with scene.step("Starting collection and key service", "Collection and key service serve") as step:
            doubles = started.enter_context(Doubles(folders.cohort, prepared.private_key))
            step.detail = f"{doubles.collection.host}, {doubles.keys.host}"
        variables = {**variables, **doubles.variables, **PACE}
        os.environ.update(variables)
        with scene.step("Starting a worker", "Worker is started") as step:
            worker = started.enter_context(WorkerProcess(variables, jobs=folders.jobs, log=folders.worker_log))
            step.detail = f"pid {worker.pid}, log {short(folders.worker_log)}"
        ready = time.monotonic() - scene.begun
        with _time_limit(timeout, keep=keep):
            row = _job(scene, prepared, worker.check, timeout)
        verdicts, sums, report = outcome(
            folders.results(row.uuid), prepared, row, variables["GENOFERRY_RESULTS_BUCKET"]
        )
        scene.scores(row.summary, verdicts, sums, prepared)
        scene.report(short(report))
        scene.times({"set-up": ready, **times_of(row)})
        scene.say()
        with scene.step("Ending what was started", "Worker is ended" if keep else "Worker and embedded AWS are ended"):
            started.close()
    if keep:
        scene.say(f'Still up: eval "$(genoferry local env --state {short(folders.aws)})"', "dim")
    scene.verdict(verdicts)
    if not all(verdict.passed for verdict in verdicts):
        raise ScoresDiffer


def _aws(folders: Folders, scene: Scene, started: ExitStack, *, keep: bool) -> dict[str, str]:
    """Up, and fresh unless it was up already; down again at the end if it was started here."""
    was_up = environment.status(folders.aws).up
    with scene.step("Starting the embedded AWS (the first time it is installed)", "Embedded AWS is up") as step:
        if not was_up:
            environment.down(folders.aws)
            shutil.rmtree(folders.aws, ignore_errors=True)  # what an earlier demo left unfinished would run again
            if not keep:
                started.callback(environment.down, folders.aws)
        aws = environment.up(folders.aws)
        step.detail = f"{aws.endpoint}, S3 {aws.s3_endpoint}"
    return dict(aws.variables)


def _cohort(folders: Folders, scene: Scene, samples: int, variants: int) -> Prepared:
    with scene.step("Making and encrypting a cohort", "Cohort is made and encrypted") as step:
        shutil.rmtree(folders.cohort, ignore_errors=True)
        prepared = prepare(folders.cohort, rand=os.urandom, samples=samples, variants=variants)
        total = sum((folders.cohort / COHORT / file.name).stat().st_size for file in prepared.files)
        step.detail = (
            f"{samples} samples × {variants} variants, {len(prepared.expected)} scores;"
            f" {len(prepared.files)} Crypt4GH files, {output.size(total)}"
        )
    return prepared


@contextmanager
def _time_limit(seconds: float, *, keep: bool) -> Iterator[None]:
    """A job that isn't done in time is ended with the worker. Raises `FollowTimeout`, in words that are true here."""
    try:
        yield
    except FollowTimeout:
        left = "its worker; the embedded AWS is still up" if keep else "all else that it had started"
        raise FollowTimeout(
            f"The job has not ended within {seconds:g} s. The demo has ended it, and {left}. Give it longer: --timeout."
        ) from None


def _job(scene: Scene, prepared: Prepared, check: Callable[[], None], timeout: float) -> Row:
    """Send the message and follow the job to its end."""
    body = globus_body(prepared, "DEMO0001")
    message = envelope("demo", {"name": "CalculateScores", **body}) | {"uuid": str(uuid.uuid4())}
    scene.say(f"\nMessage {message['uuid']}", "bold")
    row = asyncio.run(_send_and_follow(json.dumps(message), view(), check, timeout))
    if row.state != "SUCCEEDED":
        raise DemoFailed(f"The job ended as {row.state}. {row.error.user_message if row.error else ''}".strip())
    return row


async def _send_and_follow(text: str, shown: View, check: Callable[[], None], seconds: float) -> Row:
    from genoferry.cli.follow import watch
    from genoferry.cli.send import validate
    from genoferry.cli.services import services

    request = validate(text)
    async with services() as open_services:
        await open_services.outgoing.send(text, request.experiment_id)
        following = asyncio.create_task(watch(open_services.ledger, request.uuid, shown, seconds=seconds))
        try:
            while not (await asyncio.wait({following}, timeout=CHECK_SECONDS))[0]:
                check()
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
        return following.result()
