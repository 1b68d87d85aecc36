"""The Helm chart in a real API server: taken, let in by pod security, upgraded, removed, allowed no more than meant.

No node is needed: what runs is another test's matter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client, config, utils
from kubernetes.client.exceptions import ApiException
from tests.e2e.kubernetes.cluster import Cluster, Kind
from tests.e2e.kubernetes.helm import CHART, NAMESPACE, RELEASE, VALUES, Object, helm, objects, of_kind
from tests.e2e.kubernetes.submitted import FORMS, submitted

from genoferry.cli import cluster_checks
from genoferry.pgsc.nextflow import config as nextflow
from genoferry.settings import ComputeSettings, KubernetesSettings, Settings
from genoferry.testing.waiting import wait_until

JOBS = "genoferry-jobs"
"""The Jobs' namespace of keda.yaml."""
PROCESSES = "processes"
"""A namespace for Nextflow's own pods."""
NEXTFLOW_POD = Path(__file__).with_name("nextflow-pod.json")
"""As Nextflow 24.10.0 made it of our config and a node selector, asked once: K8sConfig, PodOptions, PodSpecBuilder."""
CHARTS_WITHOUT_KEDA = ("nextflow", "plain")
CREDENTIALS = ("service-account", "secret")
SECONDS = 60

Rights = set[tuple[str, str, str]]
WORKER: Rights = {
    *(("batch", "jobs", verb) for verb in ("create", "get", "list", "watch", "delete")),
    *(("", "pods", verb) for verb in ("list", "watch")),
    ("", "pods/log", "get"),
}
SECRETS: Rights = {("batch", "jobs", "patch"), *(("", "secrets", verb) for verb in ("create", "get"))}
"""Beside them, where each Job has its credentials in a Secret."""
NEXTFLOW: Rights = {
    *(("", "pods", verb) for verb in ("create", "list", "delete")),
    *(("", resource, "get") for resource in ("pods/status", "pods/log")),
    *(("batch", "jobs", verb) for verb in ("create", "delete")),
    ("batch", "jobs/status", "get"),
}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster(Kind.NONE) as running:
        for name, standard in {NAMESPACE: "restricted", JOBS: "restricted", PROCESSES: "baseline"}.items():
            labels = {"pod-security.kubernetes.io/enforce": standard}
            running.core.create_namespace({"metadata": {"name": name, "labels": labels}})
        yield running


def on(cluster: Cluster, verb: str, *arguments: Any) -> str:
    return helm(verb, "--kubeconfig", cluster.kubeconfig, "--namespace", NAMESPACE, *arguments)


@pytest.fixture
def installed(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of the values file that is installed with."""
    on(cluster, "install", RELEASE, CHART, "--values", VALUES / f"{request.param}.yaml")
    yield request.param
    on(cluster, "uninstall", RELEASE, "--wait")


@pytest.fixture(scope="module")
def worker(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[client.AuthorizationV1Api]:
    """The API as the worker of plain.yaml sees it, by where its jobs have their credentials from."""
    chosen = f"settings.GENOFERRY_KUBERNETES_CREDENTIALS={request.param}"
    on(cluster, "install", RELEASE, CHART, "--values", VALUES / "plain.yaml", "--set", chosen)
    yield client.AuthorizationV1Api(config.new_client_from_config(str(cluster.kubeconfig_of(NAMESPACE, RELEASE))))
    on(cluster, "uninstall", RELEASE, "--wait")


@pytest.mark.parametrize("name", CHARTS_WITHOUT_KEDA)
def test_the_api_server_takes_every_object(cluster: Cluster, name: str) -> None:
    """A server-side dry run: schemas, defaults, admission. Pods are tried below, with their accounts there."""
    for found in objects(name):
        if found["kind"] != "Pod":
            utils.create_from_dict(cluster.client, found, dry_run="All", field_validation="Strict")


def worker_pod(name: str, *arguments: str) -> Object:
    """As the Deployment makes it, but for a priority class that this cluster doesn't have."""
    (deployment,) = of_kind(objects(name, *arguments), "Deployment")
    template = deployment["spec"]["template"]
    spec = {key: text for key, text in template["spec"].items() if key != "priorityClassName"}
    return {"metadata": {"name": "tried", "labels": template["metadata"]["labels"]}, "spec": spec}


@pytest.mark.parametrize("installed", CHARTS_WITHOUT_KEDA, indirect=True)
def test_pod_security_restricted_lets_the_pods_in(cluster: Cluster, installed: str) -> None:
    """The pods themselves, since a Deployment whose pods are refused is let in with a warning."""
    (doctor,) = of_kind(objects(installed), "Pod")
    doctor["spec"].pop("priorityClassName", None)
    for pod in (worker_pod(installed), doctor):
        cluster.core.create_namespaced_pod(NAMESPACE, pod, dry_run="All")
    on_the_host = worker_pod(installed, "--set", "worker.hostNetwork=true")
    with pytest.raises(ApiException) as refused:
        cluster.core.create_namespaced_pod(NAMESPACE, on_the_host, dry_run="All")
    assert refused.value.status == 403
    assert "hostNetwork" in refused.value.body


def pod_of(job: Object) -> Object:
    """As the Job's controller makes it."""
    template = job["spec"]["template"]
    return {"metadata": {"name": "tried", **template["metadata"]}, "spec": template["spec"]}


@pytest.mark.parametrize("form", FORMS)
def test_pod_security_restricted_lets_in_what_the_worker_submits(cluster: Cluster, form: str) -> None:
    """Jobs and their pods both: a Job whose pods are refused is let in, and waits for ever."""
    for job in submitted(NAMESPACE, **FORMS[form]):
        cluster.batch.create_namespaced_job(NAMESPACE, job, dry_run="All", field_validation="Strict")
        cluster.core.create_namespaced_pod(NAMESPACE, pod_of(job), dry_run="All", field_validation="Strict")


def test_pod_security_restricted_refuses_jobs_on_the_network_of_the_node(cluster: Cluster) -> None:
    for job in submitted(NAMESPACE, host_network=True):
        with pytest.raises(ApiException) as refused:
            cluster.core.create_namespaced_pod(NAMESPACE, pod_of(job), dry_run="All")
        assert refused.value.status == 403
        assert "hostNetwork" in refused.value.body


def test_pods_of_nextflow_fit_baseline_and_no_more(cluster: Cluster) -> None:
    pod = json.loads(NEXTFLOW_POD.read_text())
    ours = yaml.safe_load(nextflow.SECURITY.text.replace("[", "{").replace("]", "}"))
    assert pod["spec"]["securityContext"] == ours, "ask Nextflow again"
    cluster.core.create_namespaced_pod(PROCESSES, pod, dry_run="All", field_validation="Strict")
    with pytest.raises(ApiException) as refused:
        cluster.core.create_namespaced_pod(NAMESPACE, pod, dry_run="All")
    assert refused.value.status == 403
    said = json.loads(refused.value.body)["message"].partition("restricted")[2]
    assert re.findall(r"[,:] ([\w !=]+) \(", said) == ["allowPrivilegeEscalation != false", "unrestricted capabilities"]


KINDS = {
    client.CoreV1Api: ("config_map", "secret", "service_account", "persistent_volume_claim", "pod"),
    client.AppsV1Api: ("deployment", "replica_set"),
    client.RbacAuthorizationV1Api: ("role", "role_binding"),
    client.NetworkingV1Api: ("network_policy",),
    client.PolicyV1Api: ("pod_disruption_budget",),
}


def left(cluster: Cluster) -> set[tuple[str, str]]:
    """What the namespaces hold."""
    return {
        (kind, item.metadata.name)
        for api, kinds in KINDS.items()
        for kind in kinds
        for namespace in (NAMESPACE, JOBS)
        for item in getattr(api(cluster.client), f"list_namespaced_{kind}")(namespace).items
    }


def test_install_upgrade_uninstall(cluster: Cluster) -> None:
    before = left(cluster)
    apps = client.AppsV1Api(cluster.client)

    def revisions() -> set[str]:
        return {item.metadata.name for item in apps.list_namespaced_replica_set(NAMESPACE).items}

    on(cluster, "install", RELEASE, CHART, "--values", VALUES / "plain.yaml")
    wait_until(lambda: len(revisions()) == 1, what="the first workers", seconds=SECONDS)
    on(cluster, "upgrade", RELEASE, CHART, "--values", VALUES / "plain.yaml", "--set", "worker.replicas=3")
    wait_until(
        lambda: apps.read_namespaced_deployment(RELEASE, NAMESPACE).status.replicas == 3, what="three", seconds=SECONDS
    )
    assert len(revisions()) == 1
    on(cluster, "upgrade", RELEASE, CHART, "--values", VALUES / "plain.yaml", "--set", "settings.AWS_REGION=eu-west-2")
    wait_until(lambda: len(revisions()) == 2, what="workers with new settings", seconds=SECONDS)
    on(cluster, "uninstall", RELEASE, "--wait")
    wait_until(lambda: left(cluster) == before, what="nothing left", seconds=SECONDS)


def rights(cluster: Cluster, account: str, namespace: str) -> Rights:
    """All that a service account may do in a namespace beside what every account may, as the API server says it."""
    api = config.new_client_from_config(str(cluster.kubeconfig_of(NAMESPACE, account)))
    body = {"spec": {"namespace": namespace}}
    review = client.AuthorizationV1Api(api).create_self_subject_rules_review(body)
    everyone = {"authorization.k8s.io", "authentication.k8s.io"}
    assert not review.status.incomplete or review.status.evaluation_error is None
    return {
        (group, resource, verb)
        for rule in review.status.resource_rules
        if not set(rule.api_groups) <= everyone
        for group in rule.api_groups
        for resource in rule.resources
        for verb in rule.verbs
    }


@pytest.mark.parametrize(
    ("installed", "of_worker", "of_job"),
    [("plain", WORKER, set()), ("nextflow", WORKER | SECRETS, NEXTFLOW)],
    indirect=["installed"],
)
def test_accounts_may_do_what_they_need_and_nothing_else(
    cluster: Cluster, installed: str, of_worker: Rights, of_job: Rights
) -> None:
    name = "ferry" if installed == "nextflow" else RELEASE
    assert rights(cluster, name, NAMESPACE) == of_worker
    assert rights(cluster, f"{name}-job", NAMESPACE) == of_job
    for elsewhere in ("default", "kube-system", JOBS):
        assert rights(cluster, name, elsewhere) == set()
        assert rights(cluster, f"{name}-job", elsewhere) == set()


ALL = "may do nothing that it needs there: create, get, list, watch, delete jobs; list, watch pods; get pods/log"


@pytest.mark.parametrize("installed", ["plain"], indirect=True)
def test_doctor_says_what_an_account_may_do(cluster: Cluster, installed: str) -> None:
    """The last: a Role that was made for credentials of service accounts, and settings that want Secrets."""
    keys = {"job_aws_access_key_id": "A", "job_aws_secret_access_key": "S"}

    def look(account: str | None, namespace: str, credentials: str = "service-account") -> str:
        kubeconfig = cluster.kubeconfig_of(NAMESPACE, account) if account else cluster.kubeconfig
        own = KubernetesSettings(kubeconfig=kubeconfig, namespace=namespace, credentials=credentials)
        compute = ComputeSettings(runner="kubernetes", **keys)
        (found,) = cluster_checks.cluster(Settings(compute=compute, kubernetes=own))
        return f"{found.status} {found.detail.partition(f'namespace {namespace}: ')[2].removeprefix('the worker ')}"

    assert look(RELEASE, NAMESPACE) == "ok may do there what it needs"
    assert look(RELEASE, JOBS) == look(f"{RELEASE}-job", NAMESPACE) == f"fail {ALL}"
    assert look(None, NAMESPACE) == "ok may do there what it needs"
    assert look(None, "nowhere") == "fail no service account default"
    assert look(RELEASE, NAMESPACE, "secret") == "fail may not patch jobs; create, get secrets"


@pytest.mark.parametrize(
    ("worker", "credentials"),
    [(name, name) for name in CREDENTIALS],
    indirect=["worker"],
)
@pytest.mark.parametrize(
    ("call", "namespace", "allowed"),
    [
        ("create batch/jobs", NAMESPACE, CREDENTIALS),
        ("watch batch/jobs", NAMESPACE, CREDENTIALS),
        ("patch batch/jobs", NAMESPACE, ("secret",)),
        ("update batch/jobs", NAMESPACE, ()),
        ("watch /pods", NAMESPACE, CREDENTIALS),
        ("create /pods", NAMESPACE, ()),
        ("delete /pods", NAMESPACE, ()),
        ("create /secrets", NAMESPACE, ("secret",)),
        ("get /secrets", NAMESPACE, ("secret",)),
        ("list /secrets", NAMESPACE, ()),
        ("patch /secrets", NAMESPACE, ()),
        ("get /configmaps", NAMESPACE, ()),
        ("create rbac.authorization.k8s.io/roles", NAMESPACE, ()),
        ("create batch/jobs", "default", ()),
        ("get /secrets", "default", ()),
        ("list batch/jobs", "", ()),
        ("list /nodes", "", ()),
    ],
)
def test_access_reviews_of_the_worker(
    worker: client.AuthorizationV1Api, credentials: str, call: str, namespace: str, allowed: tuple[str, ...]
) -> None:
    """`allowed`: with which credentials of the jobs."""
    verb, _, resource = call.partition(" ")
    group, _, name = resource.partition("/")
    asked = {"group": group, "resource": name, "verb": verb, "namespace": namespace}
    review = worker.create_self_subject_access_review({"spec": {"resourceAttributes": asked}})
    assert bool(review.status.allowed) is (credentials in allowed)
