"""What a runner lets a job use, and what is left on record where a job met one of these limits."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from genoferry.contracts.base import Contract, Versioned

VARIABLE = "GENOFERRY_JOB_LIMITS"
"""Variable that a runner gives a job its limits by, as JSON; a runner whose platform sets limits gives none."""
EXIT_OUT_OF_DISK = 28
"""Exit code of a job that found its disk full: ENOSPC (errno(3)). It needs no disk, unlike all that is written down."""
RECORD_BYTES = 1024
"""Of a record: its room is taken when the job starts, so that it can be written on a full disk."""

MiB = Annotated[int, Field(ge=1)]


class JobLimits(Contract):
    """What one job may use.

    `grace_seconds`: from SIGTERM to SIGKILL. `folders`: the job's own, whose sizes together count as scratch. `record`:
    the file that says which limit the job met.
    """

    grace_seconds: Annotated[float, Field(gt=0)] = 120.0
    memory_mib: MiB | None = None
    scratch_mib: MiB | None = None
    folders: tuple[str, ...] = ()
    record: str | None = None


class LimitRecord(Versioned):
    """Why the job was ended, for its runner: `reason` is for a person."""

    cause: Literal["out-of-memory", "out-of-disk"]
    reason: str
