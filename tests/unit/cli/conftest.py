"""The command line over in-memory context."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from genoferry.aws.objects import MemoryObjects
from genoferry.cli import services
from genoferry.cli.app import app
from genoferry.ledger.due import Deadlines
from genoferry.ledger.memory import MemoryLedger
from genoferry.ledger.row import Row
from genoferry.ledger.states import requested
from genoferry.settings import Settings

PAYLOADS = Path(__file__).parents[3] / "payloads"


@dataclass
class MemoryOutgoing:
    sent: list[tuple[str, str]] = field(default_factory=list)

    async def send(self, body: str, group_id: str) -> str:
        self.sent.append((body, group_id))
        return f"message-{len(self.sent)}"


@dataclass
class Memory:
    """What the commands see as their services."""

    settings: Settings = field(default_factory=Settings)
    ledger: MemoryLedger = field(default_factory=lambda: MemoryLedger(Deadlines(3_600_000, 3_600_000)))
    work: MemoryObjects = field(default_factory=lambda: MemoryObjects("work"))
    results: MemoryObjects = field(default_factory=lambda: MemoryObjects("results"))
    outgoing: MemoryOutgoing = field(default_factory=MemoryOutgoing)


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the developer's own."""
    import os

    for name in list(os.environ):
        if name.startswith(("AWS_", "GENOFERRY_")) or name in (
            "WORK_QUEUE",
            "CLUSTER_ENV",
            "FORCE_COLOR",
            "TTY_COMPATIBLE",
        ):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Memory:
    context = Memory()

    @asynccontextmanager
    async def opened() -> AsyncIterator[Memory]:
        yield context

    monkeypatch.setattr(services, "services", opened)
    return context


Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    """Call the command line; what it raised but for exits is raised."""

    def call(*args: str, stdin: str | bytes | None = None) -> Result:
        result = CliRunner().invoke(app, list(args), input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return call


@pytest.fixture
def payload() -> Callable[[str], dict[str, Any]]:
    return lambda name: dict(json.loads((PAYLOADS / name).read_text()))


@pytest.fixture
def row() -> Row:
    """A fresh job, told of."""
    new = Row(
        uuid="5c09297e-0893-5400-90fe-c596fdac9bb9",
        experiment_id="study-7",
        name="CalculateScores",
        run_name="INTP1",
        deployment="development",
        fingerprint="f",
        request_key="k",
        message_ids=("m",),
        created_at=1_700_000_000_000,
        updated_at=1_700_000_000_000,
    )
    return requested(new, 1_700_000_000_000)
