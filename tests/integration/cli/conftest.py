"""The command line against the embedded AWS: one for the session, seeded with the demo's cohort."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest

from genoferry.cli.demo.seed import seed, unseed
from genoferry.local.environment import down, up


@dataclass(frozen=True)
class Seeded:
    """`variables`: the whole environment of a worker. `folder`: where the cohort is."""

    state: Path
    folder: Path
    variables: Mapping[str, str] = field(repr=False)

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
        return {**kept, "COLUMNS": "200", **self.variables}

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.variables["AWS_ENDPOINT_URL_S3" if service == "s3" else "AWS_ENDPOINT_URL"],
            aws_access_key_id=self.variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.variables["AWS_SECRET_ACCESS_KEY"],
            region_name=self.variables["AWS_REGION"],
        )


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    state, folder = tmp_path_factory.mktemp("aws"), tmp_path_factory.mktemp("cohort")
    try:
        environment = up(state)
        more = seed(state, environment.variables, folder=folder, web_port=0)
        yield Seeded(state, folder, {**environment.variables, **more})
    finally:
        unseed(state)
        down(state)


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(seeded: Seeded) -> Run:
    """`genoferry ARGS`, as a process of its own."""

    def call(*args: str, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "genoferry", *args]
        return subprocess.run(
            command, env={**seeded.environment, **more}, input=stdin, capture_output=True, text=True, check=False
        )

    return call


@pytest.fixture
def queues(seeded: Seeded) -> Iterator[Mapping[str, str]]:
    """URLs by name; empty again afterwards."""
    sqs = seeded.client("sqs")
    base = seeded.variables["WORK_QUEUE"].rsplit("/", 1)[0]
    names = ("queue.fifo", "queue", "queue-dlq.fifo", "queue-dlq")
    urls = {name: f"{base}/development-{name}" for name in names}
    yield urls
    for url in urls.values():
        sqs.purge_queue(QueueUrl=url)
