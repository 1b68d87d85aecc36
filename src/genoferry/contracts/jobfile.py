"""`job.json`: all that the job program is told, and the tombstone that ends an attempt (design, sections 4 and 6)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from genoferry.contracts.base import Contract, Versioned


class StagedInput(Contract):
    """A decrypted input in the work bucket: `key` there, plaintext `size` in bytes, `sha256` where one was stated.

    `role` is the handler's own word for what the input is, `name` the relative path it has in the job's scratch.
    """

    role: str
    name: str
    key: str
    size: int
    sha256: str | None = None
    size_stated: bool = False
    """Whether the request stated the stored size, so that staging checked it."""


class Manifest(Versioned):
    """What was staged, in the work bucket: submission and later attempts read it there."""

    inputs: tuple[StagedInput, ...]


class JobFile(Versioned):
    """One attempt. `name` picks the handler whose `run` does the work with `params`.

    `nonce` proves that a report comes from this attempt; a report is a hint all the same.
    """

    kind: Literal["job"] = "job"
    uuid: str
    attempt: int
    nonce: str
    name: str
    params: dict[str, Any]
    inputs: tuple[StagedInput, ...]
    work_bucket: str
    results_bucket: str
    report_queue: str
    staged_in: int = 1
    """The attempt that staged: what attempts share in the work bucket is below its prefix."""
    progress_seconds: float = 15
    traceparent: str | None = None

    @property
    def results_prefix(self) -> str:
        """Where this attempt's results go in the results bucket."""
        return f"{self.uuid}/{self.attempt}/"


class Tombstone(Versioned):
    """What `job.json` is overwritten with when its attempt ends: who finds it stops quietly."""

    kind: Literal["tombstone"] = "tombstone"
    uuid: str
    attempt: int
    reason: str


JobDocument: TypeAdapter[JobFile | Tombstone] = TypeAdapter(Annotated[JobFile | Tombstone, Field(discriminator="kind")])
