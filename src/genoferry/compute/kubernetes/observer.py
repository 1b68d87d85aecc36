"""The look at many Jobs at once: two mirrors, running only while somebody looks, and a second look at what is odd.

What a mirror lacks may have been there before its connection died, and what waits too long may have gone on since.
So a doubtful verdict counts only once both kinds have been listed anew after the doubt arose.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from genoferry.compute.kubernetes.api import Api, Kind, Object
from genoferry.compute.kubernetes.change_feed import News
from genoferry.compute.kubernetes.failure import Verdict
from genoferry.compute.kubernetes.informer import Mirror
from genoferry.compute.kubernetes.job_status import Limits, judge, stuck_as
from genoferry.compute.kubernetes.status import JobSeen, PodSeen, forget, job_seen, last_seen, newest_by_job, pod_seen
from genoferry.compute.protocol import Handle, Observation
from genoferry.errors import ComputeError

RELIST_SECONDS = 10.0
"""Between two LISTs for the sake of doubts, at least."""
PATIENCE_SECONDS = 30.0
"""Without a word while both kinds are listed, at most."""
T = TypeVar("T")
Mirrors = tuple[Mirror[JobSeen], Mirror[PodSeen]]


@dataclass(frozen=True)
class Doubt:
    """Of what, since when, and when somebody asked last, by the monotonic clock."""

    what: str
    since: float
    asked: float


class Watch:
    """Thread-safe. `selector` is by label, of this deployment's Jobs and of their pods."""

    def __init__(
        self,
        api: Api,
        selector: str,
        limits: Limits,
        *,
        relist_seconds: float,
        idle_seconds: float,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api, self._selector, self._limits = api, selector, limits
        self._relist_seconds, self._idle_seconds = relist_seconds, idle_seconds
        self._now, self._monotonic = now, monotonic
        self._lock = threading.Lock()
        self._mirrors: Mirrors | None = None
        self._looked_at = monotonic()
        self._incomplete_since: float | None = None
        self._doubts: dict[str, Doubt] = {}
        self._stuck: dict[tuple[str, str], float] = {}  # by pod and how, since when as seen
        self.news = News()

    def look(self, handles: Sequence[Handle]) -> list[Observation]:
        """Nothing until the mirrors are complete. Raises `ComputeError` while they can't be."""
        with self._lock:
            self._looked_at = self._monotonic()
            jobs, pods = mirrors = self._running()
            trouble = jobs.trouble or pods.trouble
            if trouble is not None:
                raise ComputeError(trouble.words)
            all_jobs, all_pods = jobs.snapshot(), pods.snapshot()
            if all_jobs is None or all_pods is None:
                self._bear_with()
                return []
            self._incomplete_since = None
            return self._certain(mirrors, self._judged(handles, all_jobs, all_pods))

    def _bear_with(self) -> None:
        """A first LIST takes its time, but not all the time."""
        since = self._incomplete_since = self._incomplete_since or self._looked_at
        if self._looked_at - since > PATIENCE_SECONDS:
            raise ComputeError(f"The cluster's Jobs and pods could not be listed within {PATIENCE_SECONDS:.0f} s.")

    def _judged(
        self, handles: Sequence[Handle], jobs: Mapping[str, JobSeen], pods: Mapping[str, PodSeen]
    ) -> list[Verdict]:
        now = self._looked_at
        stuck = {(one.name, cause) for one in pods.values() if (cause := stuck_as(one))}
        self._stuck = {key: self._stuck.get(key, now) for key in stuck}
        since = {name: at for (name, _), at in self._stuck.items()}
        pod_of, found = newest_by_job(pods.values()), list[Verdict | None]()
        for handle in handles:
            job = jobs.get(handle.name)
            pod = pod_of.get(job.uid) if job else None
            long = now - since.get(pod.name, now) if pod else 0.0
            found.append(judge(handle, job, pod, self._now(), self._limits, stuck=long))
        return [verdict for verdict in found if verdict is not None]

    def close(self) -> None:
        with self._lock:
            for mirror in self._mirrors or ():
                mirror.stop()
            self._mirrors = None

    def _running(self) -> Mirrors:
        """Started at the first look; they end by themselves when nobody has looked for a while."""
        if self._mirrors is None or any(mirror.ended for mirror in self._mirrors):
            self._incomplete_since = None
            for mirror in self._mirrors or ():
                mirror.stop()
            self._mirrors = (self._mirror("jobs", job_seen, forget), self._mirror("pods", pod_seen, last_seen))
            for mirror in self._mirrors:
                mirror.start()
        return self._mirrors

    def _mirror(self, kind: Kind, parse: Callable[[Object], T], last: Callable[[Object], T | None]) -> Mirror[T]:
        return Mirror(
            self._api,
            kind,
            self._selector,
            parse,
            last,
            relist_seconds=self._relist_seconds,
            tell=self.news.tell,
            wanted=self._is_wanted,
        )

    def _is_wanted(self) -> bool:
        return self._monotonic() - self._looked_at < self._idle_seconds

    def _certain(self, mirrors: Mirrors, verdicts: list[Verdict]) -> list[Observation]:
        """Those that are in no doubt any more. For the others both kinds are listed anew, but not all the time."""
        now, listed = self._monotonic(), min(mirror.listed_at for mirror in mirrors)
        self._doubts = {name: doubt for name, doubt in self._doubts.items() if now - doubt.asked < self._idle_seconds}
        found = [(one, self._doubt(one, now)) for one in verdicts]
        if now - listed >= RELIST_SECONDS and any(doubt and doubt.since >= listed for _, doubt in found):
            for mirror in mirrors:
                mirror.relist()
        return [one.seen for one, doubt in found if doubt is None or doubt.since < listed]

    def _doubt(self, verdict: Verdict, now: float) -> Doubt | None:
        """Of what it says, since it has been saying so: a look need not be at all jobs."""
        name, what = verdict.seen.handle.name, verdict.seen.cause or verdict.seen.phase
        known = self._doubts.pop(name, None)
        if not verdict.doubtful:
            return None
        since = known.since if known and known.what == what else now
        self._doubts[name] = Doubt(what, since, now)
        return self._doubts[name]
