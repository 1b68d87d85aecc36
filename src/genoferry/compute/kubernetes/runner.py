"""Jobs as `batch/v1` Jobs of one namespace. A ref is a Job's uid."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, closing

from genoferry.compute.kubernetes.api import Api
from genoferry.compute.kubernetes.client import open_api
from genoferry.compute.kubernetes.deletion import empty, remove
from genoferry.compute.kubernetes.failure import ADVICE
from genoferry.compute.kubernetes.job_status import Limits
from genoferry.compute.kubernetes.listing import leftovers, logs, workspaces
from genoferry.compute.kubernetes.manifest import PREFIX, discard, namespace
from genoferry.compute.kubernetes.objects import selector
from genoferry.compute.kubernetes.observer import Watch
from genoferry.compute.kubernetes.pod import storage_claim
from genoferry.compute.kubernetes.submit import check, submit
from genoferry.compute.kubernetes.threads import Threads
from genoferry.compute.protocol import Cause, Handle, JobSpec, Leftover, Observation, Workspace
from genoferry.settings import Settings

CALLS_AT_ONCE = 8


class KubernetesRunner:
    """The vendor's client blocks: every call of it is on a thread."""

    def __init__(self, settings: Settings, api: Api | None = None) -> None:
        """Asks the cluster nothing yet. Raises `SettingsError`."""
        own = settings.kubernetes
        check(settings)
        self._settings = settings
        self._api = api or open_api(own, namespace(settings))
        self._threads = Threads(CALLS_AT_ONCE)
        self._watch = Watch(
            self._api,
            selector(settings.deployment),
            Limits(own.unschedulable_seconds, own.unpullable_seconds, own.lost_seconds),
            relist_seconds=own.relist_seconds,
            idle_seconds=own.idle_seconds,
        )

    @property
    def key(self) -> str:
        return f"kubernetes:{self._api.namespace}"

    async def submit(self, spec: JobSpec) -> str:
        return await self._threads.run(submit, self._api, spec, self._settings)

    async def observe(self, handles: Sequence[Handle]) -> list[Observation]:
        """From memory: see `watch.Watch`. Raises `ComputeError` while the cluster can't be watched."""
        return await asyncio.to_thread(self._watch.look, handles)

    def listen(self, wake: Callable[[], None]) -> None:
        self._watch.news.listen(wake)

    def take_changes(self) -> frozenset[str]:
        """By the watch, of Jobs and of their pods."""
        return self._watch.news.take()

    def advice(self, cause: Cause) -> str | None:
        return ADVICE.get(cause)

    async def cancel(self, handle: Handle) -> None:
        await self.clean(handle)

    async def logs(self, handle: Handle, tail: int) -> list[str]:
        return await self._threads.run(logs, self._api, self._settings.deployment, handle, tail)

    async def leftovers(self, deployment: str) -> list[Leftover]:
        return await self._threads.run(leftovers, self._api, deployment)

    async def clean(self, handle: Handle) -> None:
        """The Job, after its pod and with its Secret, if it is this attempt's."""
        wanted = {"deployment": self._settings.deployment, "uuid": handle.uuid, "attempt": str(handle.attempt)}
        labels = {f"{PREFIX}{name}": text for name, text in wanted.items()}
        await remove(self._threads, self._api, handle.name, labels, self._settings.kubernetes.clean_seconds)

    async def workspaces(self, deployment: str) -> list[Workspace]:
        if not storage_claim(self._settings):
            return []
        return await self._threads.run(workspaces, self._api, deployment)

    async def discard(self, workspace: str) -> None:
        """By a Job that has the claim: the worker has no such volume."""
        if storage_claim(self._settings):
            body = discard(workspace, self._settings)
            await empty(self._threads, self._api, body, self._settings.kubernetes.clean_seconds)

    def close(self) -> None:
        """End the watch."""
        self._watch.close()
        self._threads.close()
        self._api.close()


def build(stack: AsyncExitStack, settings: Settings) -> KubernetesRunner:
    """Return the runner of these settings, whose watch `stack` ends. Raises `SettingsError`."""
    return stack.enter_context(closing(KubernetesRunner(settings)))
