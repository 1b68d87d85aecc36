"""What all tests share: quiet logs, and one embedded AWS for a whole session."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import boto3
import pytest
import structlog
from hypothesis import HealthCheck, settings

from genoferry.local import environment
from genoferry.local.deploy import Target, deploy, variables
from genoferry.testing.harness import Harness

HANDLERS = Path(__file__).parent / "acceptance" / "handlers"
Deployment = Callable[[Path], AbstractContextManager[Harness]]

settings.register_profile("no-clocks", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("no-clocks")  # a shared machine is slow at times, and a fresh checkout at its first example


@pytest.fixture(scope="session", autouse=True)
def ctrl_c() -> None:
    """What a shell starts in the background ignores SIGINT, and so would each program that a test interrupts."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def plain_logs() -> None:
    """One line an entry, to the standard output of the test that runs, which pytest shows when it fails."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["level", "event"]),
        ],
        cache_logger_on_first_use=False,
    )


@pytest.fixture(scope="session")
def local_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """The embedded AWS, started once: the variables that a worker exports to use it."""
    state: Path = tmp_path_factory.mktemp("local-aws")
    try:
        yield environment.up(state).variables
    finally:
        environment.down(state)


@pytest.fixture
def aws_environment(local_aws: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """This process's environment is a worker's: nothing else of AWS's or ours is in it, nor in boto3's session, which
    keeps the credentials that it found first."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    for name in list(os.environ):
        if name.startswith(("AWS_", "GENOFERRY_")) or name in ("CLUSTER_ENV", "WORK_QUEUE"):
            monkeypatch.delenv(name)
    for name, value in local_aws.items():
        monkeypatch.setenv(name, value)
    return local_aws


@pytest.fixture(scope="session")
def deployment(local_aws: Mapping[str, str]) -> Deployment:
    """Queues, topic and table of its own for each, so that no test sees another's leases or messages.

    The buckets are the session's, whose S3 server gives the job's identity no others; keys there begin with uuids.
    """
    numbers = itertools.count(1)

    @contextmanager
    def make(folder: Path) -> Iterator[Harness]:
        target = replace(Target.of(local_aws), deployment=f"acceptance-{next(numbers)}", s3_endpoint=None)
        own = variables(target, deploy(target).outputs)
        shared = {name: value for name, value in local_aws.items() if name.endswith("_BUCKET")}
        settings = {
            "PYTHONPATH": str(HANDLERS),
            "GENOFERRY_HANDLER_MODULES": "touch",
            "GENOFERRY_ALLOW_FILE_ROOTS": str(folder),
            "GENOFERRY_ALLOW_KEY_ROOTS": str(folder),
        }
        with Harness(dict(local_aws) | own | shared | settings, folder) as harness:
            assert harness.inbox.drain() == []
            yield harness

    return make


@pytest.fixture
def harness(deployment: Deployment, tmp_path: Path) -> Iterator[Harness]:
    with deployment(tmp_path) as harness:
        yield harness
