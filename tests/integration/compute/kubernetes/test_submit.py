"""Submission: one Job an attempt, whatever is lost on the way, and nothing of others touched."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from genoferry.compute.kubernetes.manifest import job
from genoferry.compute.kubernetes.runner import KubernetesRunner
from genoferry.compute.protocol import JobSpec, job_name, workspace_name
from genoferry.errors import SettingsError, SubmitFailed, SubmitUnavailable

UUID = "5a70fd19-4215-5128-a2a7-91796b890924"
SPEC = JobSpec(UUID, 2, job_name("prod", UUID, 2), f"s3://work/{UUID}/2/job.json", workspace_name("prod", UUID, 1))
KEYS = {"job_aws_access_key_id": "AKIACANARY", "job_aws_secret_access_key": "CANARYd34db33f"}
Make = Callable[..., KubernetesRunner]


def submit(runner: KubernetesRunner) -> str:
    return asyncio.run(runner.submit(SPEC))


def test_what_is_rendered_is_what_is_submitted(cluster: Any, make: Make) -> None:
    runner = make(
        tolerations=[{"key": "spot", "operator": "Exists", "effect": "NoSchedule"}],
        node_selector={"disk": "ssd"},
        labels={"kueue.x-k8s.io/queue-name": "q"},
        scratch_class="fast",
        image_pull_secrets=("pull",),
        priority_class="low",
    )
    assert submit(runner) == cluster.job(SPEC.name)["metadata"]["uid"]
    told, wanted = cluster.job(SPEC.name), job(SPEC, runner._settings)
    for name in ("resourceVersion", "uid", "creationTimestamp"):
        del told["metadata"][name]
    assert told == wanted


def test_submitting_again_attaches(cluster: Any, make: Make) -> None:
    assert submit(make()) == submit(make())
    assert len(cluster.objects) == 1


def test_another_job_of_that_name_is_left_alone(cluster: Any, make: Make) -> None:
    theirs = cluster.put("jobs", {"metadata": {"name": SPEC.name, "labels": {"genoferry/deployment": "other"}}})
    with pytest.raises(SubmitFailed, match="GENOFERRY_DEPLOYMENT") as caught:
        submit(make())
    assert not caught.value.retryable
    assert cluster.job(SPEC.name) == theirs


def test_an_answer_that_is_lost_is_asked_for_again(cluster: Any, make: Make) -> None:
    cluster.lose.add(("create", "jobs"))
    runner = make()
    with pytest.raises(SubmitUnavailable):
        submit(runner)
    assert submit(runner) == cluster.job(SPEC.name)["metadata"]["uid"]
    assert len(cluster.objects) == 1


def test_a_secret_belongs_to_its_job_which_waits_for_it(cluster: Any, make: Make) -> None:
    uid = submit(make(KEYS, credentials="secret"))
    secret, found = cluster.objects["secrets", SPEC.name], cluster.job(SPEC.name)
    assert [owner["uid"] for owner in secret["metadata"]["ownerReferences"]] == [uid]
    assert "CANARYd34db33f" in secret["stringData"]["credentials"]
    assert "CANARY" not in str(found)
    assert found["spec"]["suspend"] is False
    assert "genoferry/awaits" not in found["metadata"]["annotations"]
    order = [
        (kind, event, told["spec"]["suspend"] if kind == "jobs" else None) for _, kind, event, told in cluster.events
    ]
    assert order == [("jobs", "ADDED", True), ("secrets", "ADDED", None), ("jobs", "MODIFIED", False)]


@pytest.mark.parametrize("lost", [("create", "jobs"), ("create", "secrets"), ("patch", "jobs")])
def test_whoever_comes_after_a_death_goes_on(cluster: Any, make: Make, lost: tuple[str, str]) -> None:
    cluster.lose.add(lost)
    with pytest.raises(SubmitUnavailable):
        submit(make(KEYS, credentials="secret"))
    uid = submit(make(KEYS, credentials="secret"))
    assert cluster.job(SPEC.name)["spec"]["suspend"] is False
    assert cluster.objects["secrets", SPEC.name]["metadata"]["ownerReferences"][0]["uid"] == uid
    assert [event for _, kind, event, _ in cluster.events if kind == "jobs"] == ["ADDED", "MODIFIED"]


def test_one_that_is_being_deleted_is_not_attached_to(cluster: Any, make: Make) -> None:
    runner = make()
    submit(runner)
    body = cluster.job(SPEC.name)
    cluster.put("jobs", {**body, "metadata": {**body["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}})
    with pytest.raises(SubmitUnavailable, match="being deleted"):
        submit(runner)
    cluster.drop("jobs", SPEC.name)
    submit(runner)


def test_one_that_others_suspended_is_not_let_go(cluster: Any, make: Make) -> None:
    runner = make(KEYS, credentials="secret")
    submit(runner)
    cluster.put("jobs", {**cluster.job(SPEC.name), "spec": {"suspend": True}})
    submit(runner)
    assert cluster.job(SPEC.name)["spec"]["suspend"] is True


def test_the_secret_of_a_job_that_is_going_is_not_used(cluster: Any, make: Make) -> None:
    runner = make(KEYS, credentials="secret")
    submit(runner)
    cluster.drop("jobs", SPEC.name)
    with pytest.raises(SubmitUnavailable, match="being deleted"):
        submit(runner)
    assert cluster.job(SPEC.name)["spec"]["suspend"] is True, "it never starts with another's credentials"
    cluster.drop("secrets", SPEC.name)
    submit(runner)
    assert cluster.job(SPEC.name)["spec"]["suspend"] is False


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"credentials": "secret"}, "GENOFERRY_JOB_AWS_ACCESS_KEY_ID"),
        ({"namespace": "a b"}, "GENOFERRY_KUBERNETES_NAMESPACE"),
        ({"deployment": "Prod_EU"}, "GENOFERRY_DEPLOYMENT"),
        ({"compute": {"engine": "nextflow"}}, "GENOFERRY_NEXTFLOW_STORAGE_CLAIM"),
        ({"compute": {"score_mirror": "/mirror"}}, "GENOFERRY_KUBERNETES_SCORES_CLAIM"),
        ({"scores_claim": "scores"}, "GENOFERRY_SCORE_MIRROR"),
    ],
)
def test_what_no_job_could_be_made_of_is_told_at_the_start(make: Make, changes: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        make(**changes)


REFUSALS = [
    (403, "Forbidden", "cannot create", SubmitFailed, "may not `create` `jobs`"),
    (403, "Forbidden", "exceeded quota: jobs", SubmitUnavailable, "exceeded quota"),
    (401, "Unauthorized", "", SubmitUnavailable, "token"),
    (404, "NotFound", 'namespaces "scores" not found', SubmitFailed, 'namespaces "scores" not found'),
    (422, "Invalid", "spec.x: wrong", SubmitFailed, "spec.x: wrong"),
    (429, "TooManyRequests", "later", SubmitUnavailable, "later"),
    (500, "InternalError", "etcd", SubmitUnavailable, "etcd"),
    (503, "ServiceUnavailable", "starting", SubmitUnavailable, "starting"),
]


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal_says_what_to_do(cluster: Any, make: Make, refusal: tuple[Any, ...]) -> None:
    *answer, kind, words = refusal
    cluster.refuse["create", "jobs"] = tuple(answer)
    with pytest.raises(SubmitFailed) as caught:
        submit(make())
    assert type(caught.value) is kind
    assert words in str(caught.value)


def test_a_toleration_that_the_api_has_not_is_named(make: Make) -> None:
    with pytest.raises(SubmitFailed, match="tolerations"):
        submit(make(tolerations=[{"keys": "spot"}]))


def test_no_server_is_no_lasting_failure(cluster: Any, make: Make) -> None:
    cluster.server.shutdown()
    cluster.server.socket.close()
    with pytest.raises(SubmitUnavailable, match="can't be reached"):
        submit(make())
