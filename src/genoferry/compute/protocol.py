"""What a compute backend must do: start a command, and say what became of it (design, section 6)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

MAX_LABEL = 16
Phase = Literal["pending", "running", "succeeded", "failed", "gone"]
Cause = Literal["lost", "exit", "out-of-memory", "out-of-disk", "run-deadline", "unschedulable", "unpullable"]
"""Of a failure. `lost`: the platform took the job away, and another attempt may go well; `exit`: it ended itself;
`unschedulable`, `unpullable`: it was not started within its limit, and is still there."""


@dataclass(frozen=True)
class JobSpec:
    """One attempt to start: `genoferry job run <uri>` under a deterministic `name`. `workspace` names the one that it
    shares with the attempts that read the same inputs."""

    uuid: str
    attempt: int
    name: str
    uri: str
    workspace: str | None = None


@dataclass(frozen=True)
class Handle:
    """A submitted attempt, or one that may have been: `ref` is None where only the intent is known."""

    uuid: str
    attempt: int
    name: str
    ref: str | None


@dataclass(frozen=True)
class Leftover:
    """An attempt that the backend still has something of; `age` is in seconds, of that thing."""

    handle: Handle
    age: float = 0.0


@dataclass(frozen=True)
class Workspace:
    """What the attempts keep that read what attempt `staged_in` staged; `age` is in seconds since it last changed."""

    uuid: str
    staged_in: int
    name: str
    age: float = 0.0


@dataclass(frozen=True)
class Observation:
    """What the backend sees of one attempt. `exit_code` is negative for a signal, None where it isn't known.

    `reason` is for a person; `log_tail`, what the job printed last, for the ledger only. `cause` is that of a failure,
    None where the backend can't tell it from a loss. `since`: when this began, in unix milliseconds, where it tells.
    `suspended`: the backend holds the job back, which is no waiting of its own.
    """

    handle: Handle
    phase: Phase
    exit_code: int | None = None
    reason: str | None = None
    cause: Cause | None = None
    since: int | None = None
    suspended: bool = False
    log_tail: tuple[str, ...] = ()


class Runner(Protocol):
    """Vendor errors are raised as `ComputeError`s; `retryable` says whether the worker tries again."""

    @property
    def key(self) -> str:
        """Names the thing whose lease holder admits, looks and enforces deadlines, e.g. `local:<host>`."""
        ...

    async def submit(self, spec: JobSpec) -> str:
        """Start the job, or attach to the one of this name; returns its ref. Raises `SubmitFailed`, and where it may
        go better later `SubmitUnavailable`."""
        ...

    async def observe(self, handles: Sequence[Handle]) -> list[Observation]:
        """One batched look. A handle missing from the answer is no news."""
        ...

    def listen(self, wake: Callable[[], None]) -> None:
        """Call `wake`, from any thread, when `told` has something: never, where the backend tells nothing itself."""
        ...

    def take_changes(self) -> frozenset[str]:
        """The names of the jobs that the backend has told of since this was asked last: nobody has to wait for the next
        look at all."""
        ...

    async def cancel(self, handle: Handle) -> None:
        """End it, if it is there. Idempotent."""
        ...

    async def logs(self, handle: Handle, tail: int) -> list[str]:
        """The last lines that the job printed."""
        ...

    def advice(self, cause: Cause) -> str | None:
        """Return what an operator may set so that jobs don't end of that cause, in a sentence; None where this runner
        has no such setting."""
        ...

    async def leftovers(self, deployment: str) -> list[Leftover]:
        """Every attempt of a deployment that the backend still has something of, whoever submitted it."""
        ...

    async def clean(self, handle: Handle) -> None:
        """Remove what it left at the backend, running or not, but no workspace. Idempotent. Raises `CleanUpFailed`."""
        ...

    async def workspaces(self, deployment: str) -> list[Workspace]:
        """Every workspace of a deployment that this backend holds."""
        ...

    async def discard(self, workspace: str) -> None:
        """Remove a workspace, whose jobs have been cleaned. Idempotent. Raises `CleanUpFailed`."""
        ...


def job_name(deployment: str, uuid: str, attempt: int) -> str:
    """Deterministic, at most 63 characters, a DNS label: `gf-<deployment>-<uuid>-<attempt>`."""
    return f"gf-{_label(deployment)}-{uuid}-{attempt}"


def workspace_name(deployment: str, uuid: str, staged_in: int) -> str:
    """Of the workspace that the attempts share which read what `staged_in` staged; a DNS label too."""
    return f"gw-{_label(deployment)}-{uuid}-{staged_in}"


def parse_job_name(name: str, deployment: str) -> tuple[str, int] | None:
    """uuid and attempt of a name of `job_name`'s, None for anything else."""
    return _parse(name, f"gf-{_label(deployment)}-")


def parse_workspace_name(name: str, deployment: str) -> tuple[str, int] | None:
    """uuid and attempt of a name of `workspace_name`'s, None for anything else."""
    return _parse(name, f"gw-{_label(deployment)}-")


def _parse(name: str, prefix: str) -> tuple[str, int] | None:
    uuid, _, number = name.removeprefix(prefix).rpartition("-")
    return (uuid, int(number)) if name.startswith(prefix) and len(uuid) == 36 and number.isdecimal() else None


def _label(deployment: str) -> str:
    """The deployment's name, or one of 16 characters that stands for it: no two share it by beginning alike."""
    if len(deployment) <= MAX_LABEL:
        return deployment
    digest = hashlib.sha256(deployment.encode()).hexdigest()
    return f"{deployment[:9].rstrip('-')}-{digest[:6]}"
