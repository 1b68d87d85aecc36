"""What all tests share: quiet logs, and one embedded AWS for a whole session."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

from genoferry.local import environment

settings.register_profile("no-clocks", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("no-clocks")  # a shared machine is slow at times, and a fresh checkout at its first example


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
    """This process's environment is a worker's: nothing else of AWS's or ours is in it."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "GENOFERRY_")) or name in ("CLUSTER_ENV", "WORK_QUEUE"):
            monkeypatch.delenv(name)
    for name, value in local_aws.items():
        monkeypatch.setenv(name, value)
    return local_aws
