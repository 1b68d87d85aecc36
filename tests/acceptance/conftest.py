"""Real workers against the embedded AWS: one for the session, with a deployment of its own for each harness."""

from __future__ import annotations

import itertools
import uuid as uuids
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from genoferry.local.deploy import Target, deploy, variables
from genoferry.testing.harness import Harness

HANDLERS = Path(__file__).parent / "handlers"


@dataclass
class TouchJob:
    """A request of `handlers/touch.py`, and what its executions left."""

    harness: Harness
    uuid: str
    body: dict[str, Any]

    @property
    def executions(self) -> list[int]:
        """The attempt of each execution that there was, in order."""
        log = Path(self.body["log"])
        return [int(line) for line in log.read_text().split()] if log.exists() else []

    def open_gate(self) -> None:
        Path(self.body["gate"]).touch()

    def send(self, **envelope: Any) -> None:
        """The same request, again."""
        self.harness.send(self.body, uuid=self.uuid, **envelope)


Touch = Callable[..., TouchJob]
MakeTouch = Callable[[Harness], Touch]
Deployment = Callable[[Path], AbstractContextManager[Harness]]


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


@pytest.fixture
def touch(harness: Harness, make_touch: MakeTouch) -> Touch:
    """Send a `Touch` to the test's own harness; `gated` jobs wait for `open_gate`."""
    return make_touch(harness)


@pytest.fixture(scope="session")
def make_touch() -> MakeTouch:
    def make(harness: Harness) -> Touch:
        def send(*, gated: bool = False, envelope: dict[str, Any] | None = None, **params: Any) -> TouchJob:
            uuid = str(uuids.uuid4())
            body = {"name": "Touch", "log": str(harness.folder / f"executions-{uuid}"), **params}
            if gated:
                body["gate"] = str(harness.folder / f"gate-{uuid}")
            return TouchJob(harness, harness.send(body, uuid=uuid, **(envelope or {})), body)

        return send

    return make
