"""Removal that is seen to its end, in bounded time and without holding a thread while it waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

from genoferry.compute.kubernetes.api import Api, Object
from genoferry.compute.kubernetes.errors import as_error
from genoferry.compute.kubernetes.objects import begin_removal, ensure, labels_of
from genoferry.compute.kubernetes.status import job_seen
from genoferry.compute.kubernetes.threads import Threads
from genoferry.errors import CleanUpFailed, SubmitFailed

PAUSES = (0.1, 2.0)
"""Seconds between two looks: the first and the longest."""


async def remove(threads: Threads, api: Api, name: str, labels: Mapping[str, str], seconds: float) -> None:
    """The Job of that name if it carries these labels, its pod before it. Raises `CleanUpFailed`."""
    with as_error(CleanUpFailed):
        uid = await threads.run(begin_removal, api, "jobs", name, labels)
        if uid and not await _comes(threads, api, name, seconds, lambda there: not there or _uid(there) != uid):
            raise CleanUpFailed(
                f"The Job {name} is still being deleted: its pod has not ended, or its node does not answer. It is"
                " tried again."
            )


async def empty(threads: Threads, api: Api, body: Object, seconds: float) -> None:
    """Run a Job that empties a workspace to its end, then remove it. Raises `CleanUpFailed`: the Job stays while it
    runs, and whoever comes next waits for it."""
    name = body["metadata"]["name"]
    with as_error(CleanUpFailed):
        try:
            await threads.run(ensure, api, "jobs", body)
        except SubmitFailed as error:
            raise CleanUpFailed(str(error)) from error
        if not await _comes(threads, api, name, seconds, lambda there: there is None or _ended(there) is not None):
            raise CleanUpFailed(f"The workspace {name} is still being emptied by the Job of that name.")
        last = await threads.run(api.read, "jobs", name)
    await remove(threads, api, name, labels_of(body), seconds)
    if last is not None and _ended(last) is False:
        raise CleanUpFailed(f"The workspace {name} could not be emptied: its Job failed. It is tried again.")


async def _comes(threads: Threads, api: Api, name: str, seconds: float, done: Callable[[Object | None], bool]) -> bool:
    """Whether it came to that within so many seconds."""
    deadline, pause = time.monotonic() + seconds, PAUSES[0]
    while not done(await threads.run(api.read, "jobs", name)):
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(pause)
        pause = min(PAUSES[1], pause * 2)
    return True


def _uid(found: Object) -> str:
    return str(found["metadata"]["uid"])


def _ended(found: Object) -> bool | None:
    """Whether it ended well; None while it has not."""
    seen = job_seen(found)
    return None if seen.complete is None and seen.failed is None else seen.failed is None
