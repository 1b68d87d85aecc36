"""Names of jobs, and the runner in memory."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from genoferry.compute.memory import MemoryRunner
from genoferry.compute.protocol import Handle, JobSpec, job_name

SPEC = JobSpec("u", 1, "n", "s3://b/u/1/job.json")


@given(st.from_regex(r"[a-z0-9][a-z0-9-]{0,31}", fullmatch=True), st.uuids(), st.integers(1, 16))
def test_a_name_is_a_dns_label_and_says_which_attempt(deployment, uuid, attempt):
    name = job_name(deployment, str(uuid), attempt)
    assert re.fullmatch(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])", name)
    assert name == job_name(deployment, str(uuid), attempt)
    assert name != job_name(deployment, str(uuid), attempt + 1)


async def test_submitting_again_attaches():
    runner = MemoryRunner()
    assert await runner.submit(SPEC) == await runner.submit(SPEC)
    assert runner.submitted == [SPEC]


async def test_it_says_what_it_is_told_to():
    runner = MemoryRunner()
    handle = Handle("u", 1, "n", await runner.submit(SPEC))
    assert [o.phase for o in await runner.observe([handle])] == ["pending"]
    runner.set_phase("n", "failed", -9)
    (seen,) = await runner.observe([handle])
    assert (seen.phase, seen.exit_code, seen.handle) == ("failed", -9, handle)
    await runner.clean(handle)
    await runner.clean(handle)
    assert [o.phase for o in await runner.observe([handle])] == ["gone"]
    assert await runner.logs(handle, 5) == []
