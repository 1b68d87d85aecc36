"""A job that the kernel kills for want of memory, in a memory cgroup of 60 MB; needs root."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from genoferry.compute.local.limits import Shares
from genoferry.compute.local.runner import LocalRunner
from genoferry.compute.protocol import Handle, JobSpec
from genoferry.testing.waiting import wait_until

SPEC = JobSpec("u", 1, "gf-test-u-1", "s3://work/u/1/job.json")
JOB = """
import os, threading
from pathlib import Path
from genoferry.contracts.limits import JobLimits
from genoferry.job.watchdog import Watchdog
limits = JobLimits.model_validate_json(os.environ["GENOFERRY_JOB_LIMITS"])
with Watchdog(limits, threading.Event()):
    Path(os.environ["CGROUP"]).write_text("0")
    taken = []
    while True:
        taken.append(b"x" * 2**20)
"""


@pytest.fixture
def cgroup() -> Iterator[Path]:
    own = dict(line.split(":", 2)[1:] for line in Path("/proc/self/cgroup").read_text().splitlines())
    place, limit = ("memory", "memory.limit_in_bytes") if "memory" in own else ("", "memory.max")
    made = Path("/sys/fs/cgroup") / place / own[place].lstrip("/") / f"genoferry-test-{os.getpid()}"
    try:
        made.mkdir()
    except OSError as error:
        pytest.skip(f"no cgroup can be made here: {error.strerror}")
    try:
        (made / limit).write_text("60000000")
    except OSError as error:
        pytest.skip(f"no cgroup limits memory here: {error.strerror}")
    else:
        yield made
    finally:
        made.rmdir()


class Credentials:
    def __init__(self, cgroup: Path) -> None:
        self._cgroup = cgroup

    def environment(self, uuid: str, attempt: int, folder: Path) -> Mapping[str, str]:
        return {"PATH": os.environ["PATH"], "CGROUP": str(self._cgroup / "cgroup.procs")}

    def renew(self, uuid: str, attempt: int, folder: Path) -> None: ...


def test_what_the_kernel_killed_is_told_as_such(cgroup: Path, tmp_path: Path) -> None:
    runner = LocalRunner(
        tmp_path,
        host="here",
        credentials=Credentials(cgroup),
        shares=Shares(memory_mib=1000),
        command=(sys.executable, "-c", JOB, "job"),
    )
    handle = Handle(SPEC.uuid, 1, SPEC.name, asyncio.run(runner.submit(SPEC)))

    def cause() -> str | None:
        (seen,) = asyncio.run(runner.observe([handle]))
        return f"{seen.exit_code} {seen.reason}" if seen.cause == "out-of-memory" else None

    assert (
        wait_until(cause, what="the end of the job") == "-9 The kernel killed it, since the machine had no memory left."
    )
    asyncio.run(runner.clean(handle))
