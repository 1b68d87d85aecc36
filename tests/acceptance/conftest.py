"""Real workers against the embedded AWS: one for the session, with a deployment of its own for each harness."""

from __future__ import annotations

import tempfile
import uuid as uuids
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from genoferry.local.locking import locked
from genoferry.testing.harness import Harness


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


@pytest.fixture(scope="module")
def demo_cohort() -> Iterator[None]:
    """The demo's cohort where messages name it: one folder and one port of the machine, so modules take turns."""
    with locked(Path(tempfile.gettempdir()) / "genoferry-tests.lock"):
        yield
