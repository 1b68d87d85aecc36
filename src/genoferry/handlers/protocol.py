"""What a handler is: one module per message name that holds its body's model, its plan, its work and its results.

A module of this package (or one named in `GENOFERRY_HANDLER_MODULES`) that has a `HANDLER` is found by itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Literal, Protocol, runtime_checkable

from pydantic import BaseModel

from genoferry.contracts.events import StepInfo, Summary, Warn
from genoferry.contracts.reports import ExitReport, OutputReport, ScoreReport
from genoferry.contracts.sources import Key, Location
from genoferry.settings import Settings


@dataclass(frozen=True)
class PlannedInput:
    """A file to stage: where it is, and the `role` and `name` that the job will know it by.

    `key` decrypts it (None: it is no Crypt4GH file); `size` is in bytes as stored, `sha256` of the plaintext.
    """

    role: str
    name: str
    location: Location
    key: Key | None = None
    size: int | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class Plan:
    """What a request comes to: the name of its run, the files to stage, and the parameters of its job."""

    run_name: str
    inputs: tuple[PlannedInput, ...]
    params: Mapping[str, Any]
    needs: frozenset[str] = frozenset()
    """What the deployment must offer for it (`Settings.offers`)."""


class Progress(Protocol):
    """Tells how far a phase is: `done` of `total`, counted in `unit`."""

    def __call__(
        self,
        phase: str,
        done: int,
        total: int,
        unit: str,
        *,
        steps: tuple[StepInfo, ...] | None = None,
        cpu_hours: float | None = None,
    ) -> None: ...


@dataclass(frozen=True)
class Shared:
    """What an attempt shares with those that read the same inputs: a folder that all of them see under one path, and
    the `s3://` prefix of the same in the work bucket. Both are deleted when the job has ended."""

    folder: Path
    prefix: str


@dataclass(frozen=True)
class Task:
    """What a handler's `run` gets, inside the compute. `files` maps role to name to path.

    `work` and `out` are this attempt's, in the job's scratch; `shared` is there where the deployment's engine uses it.
    """

    params: Mapping[str, Any]
    files: Mapping[str, Mapping[str, Path]]
    work: Path
    out: Path
    progress: Progress
    stop: threading.Event
    settings: Settings
    attempt: int = 1
    shared: Shared | None = None


@dataclass(frozen=True)
class Produced:
    """A file of a job's results, in its `out` folder."""

    path: Path
    content_type: str


@dataclass(frozen=True)
class Outcome:
    """What a job came to."""

    outputs: Sequence[Produced]
    scores: Sequence[ScoreReport] = ()
    samples: int | None = None


Opener = Callable[[], BinaryIO]
"""Opens a file anew, to be read from front to back."""


@dataclass(frozen=True)
class PreflightInput:
    """What a handler may look into before its job runs.

    `params` are the plan's. `files` maps role to name to a function that opens the staged plaintext as a stream. `stop`
    is set when the worker ends.
    """

    params: Mapping[str, Any]
    files: Mapping[str, Mapping[str, Opener]]
    settings: Settings
    stop: threading.Event


@runtime_checkable
class SupportsPreflight(Protocol):
    """A handler that looks at what was staged before it is submitted."""

    def preflight(self, inputs: PreflightInput) -> Sequence[Warn]:
        """What is doubtful: `Created` tells of it. On a worker's thread: no heavy imports, nothing on disk, seconds.
        Raises a `CalculationError` for what can't go well."""
        ...


@runtime_checkable
class Summarizes(Protocol):
    """A handler whose jobs may succeed with less than all that was asked for."""

    def summary(self, report: ExitReport) -> Summary | None:
        """How much of it there is: `Succeeded` tells of it. None where the report doesn't say."""
        ...


class JobHandler(Protocol):
    """A message that becomes a job."""

    kind: ClassVar[Literal["job"]]
    name: ClassVar[str]
    body: ClassVar[type[BaseModel]]
    may_inline: ClassVar[bool]
    """Whether results may go inline in a Result message: never for what derives from genotypes."""

    def plan(self, body: Any) -> Plan:
        """Pure. Raises `BadMessage` for what the model can't express."""
        ...

    def run(self, task: Task) -> Outcome:
        """Inside the compute, with the heavy imports. Raises `GenoferryError`s."""
        ...

    def results(self, report: ExitReport) -> Sequence[OutputReport]:
        """Which outputs the Result message names, in order."""
        ...


@dataclass(frozen=True)
class Command:
    """A message that is no job of its own but acts on one: its name, its body's model, and what it does."""

    kind: ClassVar[Literal["command"]] = "command"
    name: str
    body: type[BaseModel]
    apply: Callable[..., Any]


Handler = JobHandler | Command
