"""A runner in memory, scripted by a test: it starts nothing, and says of each job what it is told to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from genoferry.compute.protocol import (
    Cause,
    Handle,
    JobSpec,
    Leftover,
    Observation,
    Phase,
    Workspace,
    parse_job_name,
    parse_workspace_name,
)


@dataclass
class MemoryRunner:
    """`submitted` counts submissions by name; `set_phase` scripts what is seen."""

    key: str = "memory"
    submitted: list[JobSpec] = field(default_factory=list)
    observations: dict[str, Observation] = field(default_factory=dict)
    cancelled: list[str] = field(default_factory=list)
    cleaned: list[str] = field(default_factory=list)
    kept: dict[str, Workspace] = field(default_factory=dict)
    discarded: list[str] = field(default_factory=list)
    printed: dict[str, list[str]] = field(default_factory=dict)
    advices: dict[Cause, str] = field(default_factory=dict)
    age: float = 0.0
    """Of every job, in seconds."""
    telling: bool = False
    """Whether it tells of what `set_phase` does by itself."""
    wake: Callable[[], None] = lambda: None
    news: set[str] = field(default_factory=set)

    async def submit(self, spec: JobSpec) -> str:
        if spec.name not in self.observations:
            self.submitted.append(spec)
            if spec.workspace:
                head, _, number = spec.workspace.rpartition("-")
                self.kept[spec.workspace] = Workspace(head[-36:], int(number), spec.workspace)
            handle = Handle(spec.uuid, spec.attempt, spec.name, spec.name)
            self.observations[spec.name] = Observation(handle, "pending")
        return spec.name

    async def observe(self, handles: Sequence[Handle]) -> list[Observation]:
        seen = [(h, self.observations.get(h.name)) for h in handles]
        return [replace(found, handle=h) if found else Observation(h, "gone") for h, found in seen]

    def listen(self, wake: Callable[[], None]) -> None:
        self.wake = wake

    def take_changes(self) -> frozenset[str]:
        told, self.news = frozenset(self.news), set()
        return told

    async def cancel(self, handle: Handle) -> None:
        self.cancelled.append(handle.name)

    async def logs(self, handle: Handle, tail: int) -> list[str]:
        return self.printed.get(handle.name, [])[-tail:]

    def advice(self, cause: Cause) -> str | None:
        return self.advices.get(cause)

    async def leftovers(self, deployment: str) -> list[Leftover]:
        handles = [seen.handle for seen in self.observations.values()]
        return [Leftover(one, self.age) for one in handles if parse_job_name(one.name, deployment)]

    async def clean(self, handle: Handle) -> None:
        self.cleaned.append(handle.name)
        self.observations.pop(handle.name, None)

    async def workspaces(self, deployment: str) -> list[Workspace]:
        return [kept for kept in self.kept.values() if parse_workspace_name(kept.name, deployment)]

    async def discard(self, workspace: str) -> None:
        """Raises `AssertionError` while a job of the same uuid isn't cleaned: it could be at work there."""
        uuid = workspace.rpartition("-")[0][-36:]
        at_work = [name for name, seen in self.observations.items() if seen.handle.uuid == uuid]
        if at_work:
            raise AssertionError(f"{workspace} was discarded before {at_work} were cleaned")
        self.discarded.append(workspace)
        self.kept.pop(workspace, None)

    def set_phase(self, name: str, phase: Phase, exit_code: int | None = None) -> None:
        """Script what the next looks see."""
        self.observations[name] = replace(self.observations[name], phase=phase, exit_code=exit_code)
        if self.telling:
            self.news.add(name)
            self.wake()
