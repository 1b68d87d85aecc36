"""What a real Kubernetes shows of a Job in each case that the runner tells apart."""

from __future__ import annotations

import json

import pytest
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from tests.e2e.kubernetes.cluster import Cluster, Kind
from tests.e2e.kubernetes.jobs import NAME, Watched, job
from tests.e2e.kubernetes.places import VERSIONS

from genoferry.testing.waiting import wait_until

ASKS_FOR_THE_VERSION = """
import json, os, ssl, urllib.request
host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
context = ssl.create_default_context(cafile="/var/run/secrets/kubernetes.io/serviceaccount/ca.crt")
with urllib.request.urlopen(f"https://{host}:{port}/version", context=context) as answer:
    print(json.load(answer)["gitVersion"])
"""
"""As a client inside the cluster finds the API server: by its environment and the cluster's certificate."""


def test_a_job_completes_and_its_log_can_be_read(cluster: Cluster, namespace: str, image: str) -> None:
    watched = Watched(cluster, namespace, job("python3 -c 'print(6 * 7)'", image=image))
    condition = watched.ended()
    assert (condition.type, condition.reason) == ("Complete", "CompletionsReached")
    assert watched.log() == "42\n"


def test_an_exit_code_and_the_last_lines_are_in_the_pods_state(cluster: Cluster, namespace: str) -> None:
    watched = Watched(cluster, namespace, job("echo the disk is full; exit 42"))
    condition = watched.ended()
    assert (condition.type, condition.reason) == ("Failed", "BackoffLimitExceeded")
    ended = watched.exit()
    assert (ended.exit_code, ended.reason, ended.message) == (42, "Error", "the disk is full\n")


def test_a_job_that_takes_too_much_memory_is_killed(cluster: Cluster, namespace: str, image: str) -> None:
    watched = Watched(cluster, namespace, job("exec python3 -c 'bytearray(10**9)'", image=image))
    assert watched.ended().reason == "BackoffLimitExceeded"
    ended = watched.exit()
    assert (ended.exit_code, ended.reason) == (137, "OOMKilled")


def test_after_its_deadline_the_job_has_failed_and_its_pod_is_gone(cluster: Cluster, namespace: str) -> None:
    watched = Watched(cluster, namespace, job("sleep 1000", activeDeadlineSeconds=1))
    condition = watched.ended()
    assert (condition.type, condition.reason) == ("Failed", "DeadlineExceeded")
    wait_until(lambda: watched.find_pod() is None, what="the pod to go")


def test_a_pod_that_fits_nowhere_waits_with_the_schedulers_words(cluster: Cluster, namespace: str) -> None:
    watched = Watched(cluster, namespace, job("true", memory="1Pi"))
    condition: client.V1PodCondition = wait_until(lambda: watched.pod_condition("PodScheduled"), what="the scheduler")
    assert (condition.status, condition.reason) == ("False", "Unschedulable")
    assert "Insufficient memory" in condition.message


def test_a_pod_whose_image_cannot_be_had_waits(cluster: Cluster, namespace: str) -> None:
    watched = Watched(cluster, namespace, job("true", image="127.0.0.1:1/nothing:1"))
    seen = {"ErrImagePull", "ImagePullBackOff"}
    wait_until(lambda: watched.waiting_reason() in seen, what="the pull to fail")
    assert watched.pod().status.phase == "Pending"


def test_an_eviction_is_a_disruption_and_a_deletion_by_hand_is_not(cluster: Cluster, namespace: str) -> None:
    watched = Watched(cluster, namespace, job("sleep 1000"))
    name = watched.running().metadata.name
    cluster.core.create_namespaced_pod_eviction(name, namespace, {"metadata": {"name": name}})
    assert watched.ended().reason == "PodFailurePolicy"
    cluster.batch.delete_namespaced_job(NAME, namespace, propagation_policy="Background")

    again = Watched(cluster, namespace, job("sleep 1000"))
    cluster.core.delete_namespaced_pod(again.running().metadata.name, namespace)
    assert again.ended().reason == "BackoffLimitExceeded"
    assert again.find_pod() is None


def test_a_volume_past_its_limit_evicts_its_pod(cluster: Cluster, namespace: str) -> None:
    body = job("head -c 50000000 /dev/zero >/scratch/file; sleep 1000")
    pod = body["spec"]["template"]["spec"]
    pod["volumes"] = [{"name": "scratch", "emptyDir": {"sizeLimit": "1Mi"}}]
    pod["containers"][0]["volumeMounts"] = [{"name": "scratch", "mountPath": "/scratch"}]
    watched = Watched(cluster, namespace, body)
    assert watched.ended().reason == "BackoffLimitExceeded"
    status = watched.pod().status
    assert status.reason == "Evicted"
    assert "exceeds the limit" in status.message


def test_a_service_account_has_no_rights_of_its_own(cluster: Cluster, namespace: str) -> None:
    wait_until(lambda: cluster.core.list_namespaced_service_account(namespace).items, what="the service account")
    api = config.new_client_from_config(str(cluster.kubeconfig_of(namespace, "default")))
    with pytest.raises(ApiException) as refused:
        client.BatchV1Api(api).create_namespaced_job(namespace, job("true"))
    assert refused.value.status == 403


def test_a_pod_on_the_hosts_network_finds_the_api_server(cluster: Cluster, namespace: str, image: str) -> None:
    body = job("placed below", image=image, memory="128Mi")
    pod = body["spec"]["template"]["spec"]
    pod["hostNetwork"] = True
    pod["containers"][0]["command"] = ["python3", "-c", ASKS_FOR_THE_VERSION]
    watched = Watched(cluster, namespace, body)
    assert watched.ended().type == "Complete", watched.log()
    assert watched.log() == f"v{VERSIONS['kubernetes']}\n"


def test_after_a_restart_of_the_api_server_older_versions_are_gone(cluster: Cluster, namespace: str) -> None:
    old = cluster.batch.list_namespaced_job(namespace).metadata.resource_version
    Watched(cluster, namespace, job("true")).ended()
    cluster.restart_api()
    assert watch_from(old, cluster, namespace) == ("ERROR", 410, "Expired")


def test_without_the_cache_of_watches_versions_can_be_forgotten() -> None:
    with Cluster(Kind.NONE, "--watch-cache-sizes=jobs.batch#0") as cluster:
        old = cluster.batch.list_namespaced_job("default").metadata.resource_version
        cluster.batch.create_namespaced_job("default", job("true"))
        assert watch_from(old, cluster, "default")[0] == "ADDED"
        cluster.compact()
        assert watch_from(old, cluster, "default") == ("ERROR", 410, "Expired")


def watch_from(version: str, cluster: Cluster, namespace: str) -> tuple[str, int | None, str | None]:
    """The first event of a watch of Jobs, as it comes: its type, and for an error its code and reason."""
    answer = cluster.batch.list_namespaced_job(
        namespace, watch=True, resource_version=version, timeout_seconds=5, _preload_content=False
    )
    first, *_ = answer.read().decode().splitlines()
    event = json.loads(first)
    return event["type"], event["object"].get("code"), event["object"].get("reason")


def test_a_silent_nodes_pods_are_told_to_end_and_end_when_it_is_back(cluster: Cluster, namespace: str) -> None:
    watched = Watched(cluster, namespace, job("sleep 1000"))
    watched.running()
    with cluster.spare_node():
        cluster.node.kubelet.kill()
        cluster.wait_for_node(ready=False)
        disruption = wait_until(lambda: watched.pod_condition("DisruptionTarget"), what="the taint", seconds=120)
        assert disruption.reason == "DeletionByTaintManager"
        wait_until(lambda: watched.pod().metadata.deletion_timestamp, what="the pod to be told to end")
        assert watched.pod().status.phase == "Running"
        cluster.node.kubelet.start()
        cluster.wait_for_node(ready=True)
        assert watched.ended().reason == "PodFailurePolicy"


def test_pretended_pods_end_as_their_annotations_say(kwok_cluster: Cluster, kwok_namespace: str) -> None:
    body = job("true")
    body["spec"]["template"]["metadata"] = {"annotations": {"kwok/exit-code": "7", "kwok/milliseconds": "100"}}
    watched = Watched(kwok_cluster, kwok_namespace, body)
    assert watched.ended().reason == "BackoffLimitExceeded"
    assert watched.exit().exit_code == 7
    assert watched.log() == "pretended\n"
    kwok_cluster.batch.delete_namespaced_job(NAME, kwok_namespace, propagation_policy="Background")
    assert Watched(kwok_cluster, kwok_namespace, job("true")).ended().type == "Complete"
