"""What a local job may use of its machine, and what it is told where it met a limit.

The job's own watchdog measures and ends it, since a job outlives its worker; it leaves a record in the job's folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil
from pydantic import ValidationError

from genoferry.compute.protocol import Cause, Handle, Observation
from genoferry.contracts.limits import EXIT_OUT_OF_DISK, RECORD_BYTES, JobLimits, LimitRecord
from genoferry.settings import ComputeSettings

MEMORY_SHARE, DISK_SHARE = 0.8, 0.9
"""Of the machine's memory, and of the disk's free space, for all jobs together."""
LEAST_SCRATCH_MIB = 64
"""A job that gets less than this fails of a full disk anyway, and says so."""
MIB = 1024**2
RECORD = "limit.json"
ADVICE: Mapping[Cause, str] = {
    "out-of-memory": "GENOFERRY_LOCAL_MEMORY_MIB sets how much a job may use.",
    "out-of-disk": "GENOFERRY_LOCAL_SCRATCH_MIB sets how much a job may use, GENOFERRY_LOCAL_DIR the disk.",
}


@dataclass(frozen=True)
class Shares:
    """Of one job, in MiB, where they are set; else by the number of jobs at once."""

    memory_mib: int | None = None
    scratch_mib: int | None = None
    grace_seconds: float = 40.0
    jobs: int = 1

    @classmethod
    def of(cls, compute: ComputeSettings) -> Self:
        return cls(
            compute.local_memory_mib, compute.local_scratch_mib, compute.local_grace_seconds, compute.max_running
        )

    def limits(self, folder: Path, workspace: Path | None) -> JobLimits:
        """Of the job in `folder`, which is about to start. Raises `OSError`."""
        (folder / RECORD).write_bytes(b" " * RECORD_BYTES)
        folders = [path for path in (folder, workspace) if path]
        return JobLimits(
            grace_seconds=self.grace_seconds,
            memory_mib=self.memory_mib or _share(psutil.virtual_memory().total, MEMORY_SHARE, self.jobs),
            scratch_mib=self.scratch_mib or max(LEAST_SCRATCH_MIB, self._free(folder)),
            folders=tuple(str(path) for path in folders),
            record=str(folder / RECORD),
        )

    def _free(self, folder: Path) -> int:
        return _share(shutil.disk_usage(folder).free, DISK_SHARE, self.jobs)


def _share(size: int, share: float, jobs: int) -> int:
    return max(1, int(size * share / jobs / MIB))


def observe_end(handle: Handle, exit_code: int | None, folder: Path) -> Observation:
    """Return what a process came to that has ended. `exit_code` is None where nobody was left to take it."""
    if exit_code == 0:
        return Observation(handle, "succeeded", exit_code=0)
    if (record := _record(folder)) is not None:
        return Observation(handle, "failed", exit_code, reason=record.reason, cause=record.cause)
    if exit_code == EXIT_OUT_OF_DISK:
        return Observation(handle, "failed", exit_code, reason="No space left on its disk.", cause="out-of-disk")
    if exit_code is None:
        return Observation(handle, "failed", reason="the process ended while no worker was its parent")
    return Observation(handle, "failed", exit_code)


def _record(folder: Path) -> LimitRecord | None:
    try:
        return LimitRecord.model_validate_json((folder / RECORD).read_text().strip())
    except (OSError, ValidationError):
        return None  # blank, as it was made: the job met no limit
