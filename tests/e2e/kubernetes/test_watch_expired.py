"""A watch that expires (410) while a whole worker looks on: it lists anew, and finds what has happened meanwhile."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.e2e.kubernetes.place import SECONDS, WHOLE_LIFE, Place

from genoferry.testing.waiting import wait_until
from genoferry.testing.workers import WorkerProcess

NEVER = "3600"


def test_a_job_that_ends_while_the_watch_expires_is_found_by_a_list(place: Place) -> None:
    """Only the LIST that follows the 410 can tell the worker of the end, so the row shows that there was one.

    - The worker is stopped before the API server is killed, and the job ends after that: no event of its end waits to
      be read, and no watch is resumed too early.
    - The API server is started once more after the end. Its cache begins after any version that the worker can have,
      bookmarks included, and etcd has forgotten what was before.
    - No periodic LIST is due, and the job can't send its report, which would have the worker look in the bucket.
    """
    worker = place.harness.worker(
        GENOFERRY_KUBERNETES_RELIST_SECONDS=NEVER,
        GENOFERRY_KUBERNETES_IDLE_SECONDS=NEVER,
        GENOFERRY_KUBERNETES_ENV=place.without_reports(),
    )
    uuid = place.send("wait")
    place.harness.await_state(uuid, "RUNNING")
    place.await_execution(1)
    worker.suspend()
    place.cluster.api_server.kill()
    place.boss.words = ["end"]
    place.cluster.api_server.start()
    place.cluster.wait_for_api()
    wait_until(lambda: completed(place, uuid), what="the Job to end", seconds=SECONDS)
    place.cluster.restart_api()
    place.cluster.compact()
    assert expired(worker) == set()
    worker.resume()
    wait_until(lambda: expired(worker) == {"jobs", "pods"}, what="both watches to expire", seconds=SECONDS)
    place.await_done(uuid, "SUCCEEDED")
    assert place.boss.executions == [1]
    assert place.harness.inbox.names(uuid) == WHOLE_LIFE
    (end,) = entries(worker, "attempt ended")
    own = (end["backend_phase"], end["backend_exit_code"])
    assert own == ("succeeded", 0), "the Job's own word, which a report doesn't have"


def completed(place: Place, uuid: str) -> bool:
    conditions = place.cluster.batch.read_namespaced_job_status(place.name(uuid), place.namespace).status.conditions
    return any((one.type, one.status) == ("Complete", "True") for one in conditions or ())


def expired(worker: WorkerProcess) -> set[str]:
    """Of which kinds the worker was told that it can't go on from its version."""
    broken = entries(worker, "watch broken")
    return {str(one["kind"]) for one in broken if "answered 410" in one["cause"] and "too old" in one["cause"]}


def entries(worker: WorkerProcess, event: str) -> list[Mapping[str, Any]]:
    """Of its log, by whole lines."""
    whole = worker.text.rpartition("\n")[0].splitlines()
    found = [json.loads(line) for line in whole if line.startswith("{")]
    return [one for one in found if one["event"] == event]
