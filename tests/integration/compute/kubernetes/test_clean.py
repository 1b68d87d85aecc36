"""Clean-up: what is ours, whole, and seen to be gone; nothing of others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from genoferry.compute.kubernetes.runner import KubernetesRunner
from genoferry.compute.protocol import Handle, JobSpec, Workspace, job_name, workspace_name
from genoferry.errors import CleanUpFailed, ComputeError

UUID = "5a70fd19-4215-5128-a2a7-91796b890924"
SPEC = JobSpec(UUID, 2, job_name("prod", UUID, 2), f"s3://work/{UUID}/2/job.json", workspace_name("prod", UUID, 1))
UNKNOWN = Handle(UUID, 2, SPEC.name, None)
NEXTFLOW: tuple[dict[str, Any], dict[str, Any]] = ({"engine": "nextflow"}, {"storage_claim": "claim"})
Make = Callable[..., KubernetesRunner]


def start(runner: KubernetesRunner) -> Handle:
    return Handle(UUID, 2, SPEC.name, asyncio.run(runner.submit(SPEC)))


@pytest.mark.parametrize("known", [True, False])
def test_a_job_is_deleted_after_its_pod_and_that_twice(cluster: Any, make: Make, known: bool) -> None:
    runner = make()
    handle = start(runner)
    uid = handle.ref
    for _ in range(2):
        asyncio.run(runner.clean(handle if known else UNKNOWN))
    assert not cluster.objects
    (asked,) = cluster.deletions
    assert (asked["propagationPolicy"], asked["preconditions"]) == ("Foreground", {"uid": uid})


def test_what_never_was_is_clean(make: Make) -> None:
    asyncio.run(make().cancel(UNKNOWN))


@pytest.mark.parametrize("labels", [{}, {"genoferry/deployment": "prod"}, {"genoferry/deployment": "other"}])
def test_another_jobs_name_is_no_reason_to_delete_it(cluster: Any, make: Make, labels: dict[str, str]) -> None:
    cluster.put("jobs", {"metadata": {"name": SPEC.name, "labels": labels}})
    asyncio.run(make().clean(UNKNOWN))
    assert not cluster.deletions


def test_one_that_is_still_there_is_owed_again(cluster: Any, make: Make) -> None:
    runner = make(clean_seconds=0.1)
    handle = start(runner)
    cluster.sticky.add(SPEC.name)
    with pytest.raises(CleanUpFailed, match="still being deleted"):
        asyncio.run(runner.clean(handle))
    cluster.sticky.clear()
    asyncio.run(runner.clean(handle))
    assert not cluster.objects


def test_a_verb_that_the_role_lacks_is_named(cluster: Any, make: Make) -> None:
    runner = make()
    handle = start(runner)
    cluster.refuse["delete", "jobs"] = (403, "Forbidden", "no")
    with pytest.raises(CleanUpFailed, match="may not `delete` `jobs`"):
        asyncio.run(runner.clean(handle))
    cluster.refuse["list", "jobs"] = (403, "Forbidden", "no")
    with pytest.raises(ComputeError, match="may not `list` `jobs`"):
        asyncio.run(runner.leftovers("prod"))


def test_leftovers_are_ours_by_label_and_by_name(cluster: Any, make: Make) -> None:
    runner = make()
    handle = start(runner)
    labels = cluster.job(SPEC.name)["metadata"]["labels"]
    mine = {"app.kubernetes.io/component": "job", "genoferry/deployment": "prod"}
    for name, own in {
        "theirs": labels,
        job_name("prod", UUID, 3): mine,
        job_name("prod", UUID, 4): labels,
        job_name("prod", UUID, 5): labels | {"genoferry/deployment": "dev"},
    }.items():
        cluster.put("jobs", {"metadata": {"name": name, "labels": own}})
    assert [left.handle for left in asyncio.run(runner.leftovers("prod"))] == [handle]


def test_a_workspace_is_emptied_by_a_job_that_is_waited_for(cluster: Any, make: Make) -> None:
    runner = make(*NEXTFLOW, clean_seconds=0.1)
    assert SPEC.workspace is not None
    with pytest.raises(CleanUpFailed, match="still being emptied"):
        asyncio.run(runner.discard(SPEC.workspace))
    pod = cluster.job(SPEC.workspace)["spec"]["template"]["spec"]
    assert pod["containers"][0]["command"] == ["rm", "-rf", "--", f"/workspaces/{SPEC.workspace}"]
    assert pod["volumes"] == [{"name": "workspaces", "persistentVolumeClaim": {"claimName": "claim"}}]
    (kept,) = asyncio.run(runner.workspaces("prod"))
    assert kept == Workspace(UUID, 1, SPEC.workspace, kept.age)
    assert kept.age > 0
    assert asyncio.run(runner.leftovers("prod")) == []
    cluster.condition(SPEC.workspace, "Complete")
    asyncio.run(runner.discard(SPEC.workspace))
    assert not cluster.objects
    assert cluster.calls["create", "jobs"] == 2


def test_a_workspace_that_could_not_be_emptied_is_owed_again(cluster: Any, make: Make) -> None:
    runner = make(*NEXTFLOW, clean_seconds=0.1)
    assert SPEC.workspace is not None
    for _ in range(2):
        with pytest.raises(CleanUpFailed, match="still being emptied"):
            asyncio.run(runner.discard(SPEC.workspace))
        cluster.condition(SPEC.workspace, "Failed")
        with pytest.raises(CleanUpFailed, match="could not be emptied"):
            asyncio.run(runner.discard(SPEC.workspace))
        assert not cluster.objects, "the next one tries by a new Job"


def test_a_job_that_has_the_workspaces_name_is_left_alone(cluster: Any, make: Make) -> None:
    assert SPEC.workspace is not None
    cluster.put("jobs", {"metadata": {"name": SPEC.workspace}, "spec": {}})
    with pytest.raises(CleanUpFailed, match="left alone"):
        asyncio.run(make(*NEXTFLOW).discard(SPEC.workspace))
    assert not cluster.deletions


def test_without_a_claim_there_is_nothing_to_empty(cluster: Any, make: Make) -> None:
    asyncio.run(make().discard("gw"))
    assert not cluster.calls


def test_the_last_lines_are_those_of_the_jobs_pod(cluster: Any, make: Make) -> None:
    runner = make()
    handle = start(runner)
    assert asyncio.run(runner.logs(handle, 3)) == []
    cluster.pod(SPEC.name, phase="Failed")
    assert asyncio.run(runner.logs(handle, 3)) == ["line 97", "line 98", "line 99"]
    cluster.refuse["log", "pods"] = (400, "BadRequest", "container is waiting to start")
    assert asyncio.run(runner.logs(handle, 3)) == []
    cluster.refuse["log", "pods"] = (403, "Forbidden", "no")
    with pytest.raises(ComputeError, match="may not `get` `pods/log`"):
        asyncio.run(runner.logs(handle, 3))
