"""The Helm chart, as it renders: against expected files, what checks it, and the code that it serves."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from tests.e2e.kubernetes.helm import CHART, NAMES, NAMESPACE, Object, golden, helm, objects, of_kind, template
from tests.e2e.kubernetes.submitted import FORMS, submitted

from genoferry import settings as sections
from genoferry.compute.kubernetes.manifest import PREFIX
from genoferry.compute.kubernetes.permissions import needed
from genoferry.ledger import due, dynamodb
from genoferry.local import template as cloud
from genoferry.local.tools import ensure_venv
from genoferry.pgsc.nextflow import config
from genoferry.settings import PREFIXES, KubernetesSettings, Settings

ROOT = Path(__file__).parents[3]
REQUIREMENTS = Path(__file__).with_name("chart") / "requirements.txt"
CUSTOM = {"ScaledObject", "TriggerAuthentication"}
"""KEDA's kinds, of which Kubernetes has no schema."""


@pytest.fixture(scope="session")
def tools() -> Path:
    """The folder of checkov and kubernetes-validate, which pin packages that aren't ours."""
    return ensure_venv(REQUIREMENTS, ROOT / ".venv-chart") / "bin"


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def one(found: list[Object], kind: str) -> Object:
    (only,) = of_kind(found, kind)
    return only


def test_helm_lint(name: str) -> None:
    assert "0 chart(s) failed" in helm("lint", "--strict", CHART, "--values", golden(name).parents[1] / f"{name}.yaml")


def test_renders_as_expected(name: str) -> None:
    assert template(name) == golden(name).read_text(), "if it is meant: python -m tests.e2e.kubernetes.helm"


def test_fits_the_schemas_of_kubernetes(name: str, tools: Path, tmp_path: Path) -> None:
    validate([found for found in objects(name) if found["kind"] not in CUSTOM], tools, tmp_path)


def test_what_the_worker_submits_fits_the_schemas_of_kubernetes(tools: Path, tmp_path: Path) -> None:
    validate([job for form in FORMS.values() for job in submitted(NAMESPACE, **form)], tools, tmp_path)


def validate(found: list[Object], tools: Path, folder: Path) -> None:
    rendered = folder / "rendered.yaml"
    rendered.write_text(yaml.safe_dump_all(found))
    subprocess.run([tools / "kubernetes-validate", "--strict", "-k", "1.34", rendered], check=True)


def test_checkov_finds_nothing(name: str, tools: Path, tmp_path: Path) -> None:
    rendered = tmp_path / "rendered.yaml"
    rendered.write_text(template(name))
    options = ["--config-file", str(CHART / ".checkov.yaml"), "--skip-download", "--output", "json"]
    done = subprocess.run([tools / "checkov", "-f", rendered, *options], capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)
    failed = [(check["check_id"], check["resource"]) for check in found["results"]["failed_checks"]]
    assert (failed, done.returncode) == ([], 0)
    assert found["summary"]["passed"] > 100


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ("settings.GENOFERRY_KEY_SERVICE_PASSWORD=never-shown", "GENOFERRY_KEY_SERVICE_PASSWORD"),
        ("settings.GENOFERRY_TOPIC_ARN=null", "settings.GENOFERRY_TOPIC_ARN is missing"),
        ("settings.GENOFERRY_WORKER_LEASE_SECONDS=null", "settings.GENOFERRY_WORKER_LEASE_SECONDS is missing"),
        ("keda.enabled=true", "KEDA needs settings.WORK_QUEUE to be the queue's URL"),
        ("keda.enabled=true,settings.AWS_REGION=null", "KEDA needs settings.AWS_REGION"),
        ("settings.GENOFERRY_KUBERNETES_SCORES_CLAIM=scores", "settings.GENOFERRY_SCORE_MIRROR is missing"),
        ("settings.GENOFERRY_SCORE_MIRROR=scores", "GENOFERRY_SCORE_MIRROR"),
        ("settings.GENOFERRY_KUBERNETES_NAMESPACE=other", "GENOFERRY_KUBERNETES_NAMESPACE"),
        ("secretSettings.GENOFERRY_KUBERNETES_NAMESPACE=other", "GENOFERRY_KUBERNETES_NAMESPACE"),
        ("settings.GENOFERRY_NEXTFLOW_STORAGE_CLAIM=other", "GENOFERRY_NEXTFLOW_STORAGE_CLAIM"),
        ("workspaces.create=true,settings.GENOFERRY_WORKSPACES=/other", "workspaces.mountPath"),
        ("settings.GENOFERRY_MAX_RUNING=9", "GENOFERRY_MAX_RUNING"),
        ("secretSettings.GENOFERRY_KEY_SERVICE_PASWORD=never-shown", "GENOFERRY_KEY_SERVICE_PASWORD"),
        ("settings.GENOFERRY_DEPLOYMENT=Prod_EU", "GENOFERRY_DEPLOYMENT"),
        ("settings.CLUSTER_ENV=Prod_EU", "CLUSTER_ENV"),
        ("worker.replica=3", "replica"),
        ("image.digest=latest", "digest"),
    ],
)
def test_refuses_values_that_could_not_work(values: str, said: str) -> None:
    told = template("plain", "--set", values, fails=True)
    assert said in told
    assert "never-shown" not in told


def test_no_secret_is_in_the_config_map() -> None:
    found = objects("nextflow")
    plain = set(one(found, "ConfigMap")["data"])
    assert set(one(found, "Secret")["data"]) == {
        "GENOFERRY_KEY_SERVICE_PASSWORD",
        "GENOFERRY_JOB_AWS_SECRET_ACCESS_KEY",
    }
    assert not plain & set(one(found, "Secret")["data"])


def test_every_variable_is_one_that_genoferry_reads(name: str) -> None:
    known = {field.upper() for field in Settings.model_fields}
    for section, prefix in PREFIXES.items():
        known |= {f"{prefix}{field}".upper() for field in getattr(sections, section).model_fields}
    ours = {key for key in one(objects(name), "ConfigMap")["data"] if not key.startswith("AWS_")}
    assert ours <= known


def test_the_settings_that_it_writes_can_be_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, text in one(objects(name), "ConfigMap")["data"].items():
        monkeypatch.setenv(key, text)
    settings = Settings()
    assert settings.compute.runner == "kubernetes"
    assert (
        settings.kubernetes.image
        == one(objects(name), "Deployment")["spec"]["template"]["spec"]["containers"][0]["image"]
    )


def test_what_handlers_and_the_sdk_read_is_theirs_to_name() -> None:
    theirs = "settings.AWS_PROFILE=a,settings.HTTPS_PROXY=b,settings.LAB_MODEL=c,settings.GENOFERRY_WORKSPACES=/d"
    data = one(objects("plain", "--set", theirs), "ConfigMap")["data"]
    told = {"AWS_PROFILE": "a", "HTTPS_PROXY": "b", "LAB_MODEL": "c", "GENOFERRY_WORKSPACES": "/d"}
    assert told.items() <= data.items()


def test_jobs_are_told_what_the_site_says_and_where_aws_is() -> None:
    theirs = "settings.GENOFERRY_KUBERNETES_ENV.HTTPS_PROXY=http://proxy"
    own = ",settings.GENOFERRY_KUBERNETES_ENV.AWS_REGION=eu-west-2"
    data = one(objects("plain", "--set", theirs + own), "ConfigMap")["data"]
    told = {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_REGION": "eu-west-2", "HTTPS_PROXY": "http://proxy"}
    assert json.loads(data["GENOFERRY_KUBERNETES_ENV"]) == told


def test_jobs_are_told_where_aws_is() -> None:
    data = one(objects("nextflow", "--set", "settings.AWS_ACCESS_KEY_ID=A"), "ConfigMap")["data"]
    told = {"AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "eu-central-1"}
    told |= {"AWS_ENDPOINT_URL": "https://aws.example.org"}
    assert json.loads(data["GENOFERRY_KUBERNETES_ENV"]) == told
    assert told.items() <= data.items()


def test_the_drain_has_its_time(name: str) -> None:
    found = objects(name)
    data = one(found, "ConfigMap")["data"]
    drain = float(data["GENOFERRY_WORKER_GRACE_SECONDS"]) + float(data["GENOFERRY_WORKER_LEASE_SECONDS"])
    pod = one(found, "Deployment")["spec"]["template"]["spec"]
    assert drain + 10 <= pod["terminationGracePeriodSeconds"] <= drain + 20


def test_keda_counts_both_queues_whole_and_every_row_of_the_index() -> None:
    found = objects("keda")
    spec = one(found, "ScaledObject")["spec"]
    assert spec["minReplicaCount"] == 0
    assert "replicas" not in one(found, "Deployment")["spec"]
    queues = [trigger["metadata"] for trigger in spec["triggers"] if trigger["type"] == "aws-sqs-queue"]
    data = one(found, "ConfigMap")["data"]
    assert [queue["queueURL"] for queue in queues] == [data["WORK_QUEUE"], data["GENOFERRY_REPORT_QUEUE"]]
    assert {(queue["scaleOnInFlight"], queue["scaleOnDelayed"]) for queue in queues} == {("true", "true")}
    tables = [trigger["metadata"] for trigger in spec["triggers"] if trigger["type"] == "aws-dynamodb"]
    shards = [json.loads(table["expressionAttributeValues"])[":shard"]["N"] for table in tables]
    assert shards == [str(number) for number in range(due.SHARDS)]
    properties = cloud.properties(cloud.parse(cloud.text()), "Table")
    (index,) = properties["GlobalSecondaryIndexes"]
    for table in tables:
        assert table["indexName"] == index["IndexName"] == dynamodb.INDEX
        assert json.loads(table["expressionAttributeNames"]) == {"#shard": index["KeySchema"][0]["AttributeName"]}
        assert table["keyConditionExpression"] == "#shard = :shard"  # no word of due_at: future ones count
        assert table["tableName"] == "production-jobs"
        assert table["activationTargetValue"] == "0"


def test_nothing_is_allowed_beyond_a_namespace(name: str) -> None:
    found = objects(name)
    assert not of_kind(found, "ClusterRole") + of_kind(found, "ClusterRoleBinding")
    for role in of_kind(found, "Role"):
        for rule in role["rules"]:
            assert "*" not in rule["verbs"] + rule["resources"] + rule["apiGroups"]


@pytest.mark.parametrize("name", ["plain", "keda"], indirect=True)
def test_secrets_only_where_settings_ask_for_them(name: str) -> None:
    (role,) = of_kind(objects(name), "Role")
    assert {resource for rule in role["rules"] for resource in rule["resources"]} == {"jobs", "pods", "pods/log"}
    assert "secrets" in str(of_kind(objects("nextflow"), "Role"))


def test_the_role_has_the_rights_that_doctor_asks_for(name: str) -> None:
    found = objects(name)
    (role,) = (role for role in of_kind(found, "Role") if role["metadata"]["name"].endswith("-worker"))
    given = {
        (g, r, v) for rule in role["rules"] for g in rule["apiGroups"] for r in rule["resources"] for v in rule["verbs"]
    }
    credentials = one(found, "ConfigMap")["data"].get("GENOFERRY_KUBERNETES_CREDENTIALS", "service-account")
    assert given - {("batch", "jobs", "patch")} <= set(needed(KubernetesSettings(credentials=credentials))) <= given


def test_doctor_looks_as_the_worker(name: str) -> None:
    found = objects(name)
    doctor, worker = one(found, "Pod")["spec"], one(found, "Deployment")["spec"]["template"]["spec"]
    for field in ("serviceAccountName", "automountServiceAccountToken", "securityContext"):
        assert doctor[field] == worker[field]
    assert doctor["automountServiceAccountToken"] is True
    assert doctor["containers"][0]["envFrom"] == worker["containers"][0]["envFrom"]


def test_jobs_share_the_volume_of_workspaces() -> None:
    found = objects("nextflow")
    data, claim = one(found, "ConfigMap")["data"], one(found, "PersistentVolumeClaim")
    assert claim["metadata"]["name"] == data["GENOFERRY_NEXTFLOW_STORAGE_CLAIM"]
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    assert data["GENOFERRY_WORKSPACES"] == "/workspaces"
    theirs = objects("nextflow", "--set", "workspaces.existingClaim=theirs")
    assert not of_kind(theirs, "PersistentVolumeClaim")
    assert one(theirs, "ConfigMap")["data"]["GENOFERRY_NEXTFLOW_STORAGE_CLAIM"] == "theirs"


def test_workers_see_the_scores_that_jobs_see_where_they_can() -> None:
    found = objects("nextflow")
    data, pod = one(found, "ConfigMap")["data"], one(found, "Deployment")["spec"]["template"]["spec"]
    (mount,) = [mount for mount in pod["containers"][0]["volumeMounts"] if mount["name"] == "scores"]
    (volume,) = [volume for volume in pod["volumes"] if volume["name"] == "scores"]
    claim = {"claimName": data["GENOFERRY_KUBERNETES_SCORES_CLAIM"], "readOnly": True}
    assert volume["persistentVolumeClaim"] == claim
    assert mount == {"name": "scores", "mountPath": data["GENOFERRY_SCORE_MIRROR"], "readOnly": True}


def test_a_claim_of_another_namespace_is_the_jobs_alone() -> None:
    scores = "settings.GENOFERRY_KUBERNETES_SCORES_CLAIM=pgs-catalog,settings.GENOFERRY_SCORE_MIRROR=/scores"
    found = objects("keda", "--set", scores)
    assert one(found, "ConfigMap")["data"]["GENOFERRY_KUBERNETES_SCORES_CLAIM"] == "pgs-catalog"
    assert "pgs-catalog" not in str(one(found, "Deployment"))


def test_network_policies_choose_the_pods_of_workers_and_jobs() -> None:
    found = objects("plain")
    worker, calculates, removes = (policy["spec"]["podSelector"] for policy in of_kind(found, "NetworkPolicy"))
    pod = one(found, "Deployment")["spec"]["template"]["metadata"]["labels"]
    assert worker["matchLabels"].items() <= pod.items()
    assert pod["app.kubernetes.io/component"] in worker["matchExpressions"][0]["values"]
    selector = one(found, "Deployment")["spec"]["selector"]["matchLabels"]
    labels = [job["spec"]["template"]["metadata"]["labels"] for job in submitted(NAMESPACE)]
    for policy, own, other in zip((calculates, removes), labels, reversed(labels), strict=True):
        assert policy["matchLabels"].items() <= own.items()
        assert not policy["matchLabels"].items() <= other.items()
        assert not selector.items() <= own.items()


def test_the_network_policy_of_processes_chooses_what_nextflow_labels() -> None:
    (policy,) = [
        found for found in of_kind(objects("nextflow"), "NetworkPolicy") if "process" in found["metadata"]["name"]
    ]
    labels = dict(re.findall(r"label: '([^']+)', value: '([^']+)'", config.LABELS.text))
    assert policy["spec"]["podSelector"]["matchLabels"] == labels
    assert not any(name.startswith(PREFIX) for name in labels), "or the worker would take it for a job of its own"


def test_what_removes_a_workspace_reaches_nobody_and_nobody_it(name: str) -> None:
    (policy,) = [found for found in of_kind(objects(name), "NetworkPolicy") if "discard" in found["metadata"]["name"]]
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert not {"ingress", "egress"} & policy["spec"].keys()


def test_what_is_switched_off_is_not_there() -> None:
    off = "networkPolicy.enabled=false,worker.serviceAccount.create=false,jobs.serviceAccount.create=false"
    found = objects("nextflow", "--set", off)
    assert {"NetworkPolicy", "PodDisruptionBudget", "ScaledObject", "ServiceAccount"} & {
        f["kind"] for f in found
    } == set()
    assert one(found, "Deployment")["spec"]["template"]["spec"]["serviceAccountName"] == "default"


def test_probes_ask_where_the_worker_answers() -> None:
    found = objects("plain", "--set", "health.port=9999")
    (container,) = one(found, "Deployment")["spec"]["template"]["spec"]["containers"]
    assert one(found, "ConfigMap")["data"]["GENOFERRY_HEALTH_PORT"] == "9999"
    assert container["ports"] == [{"name": "health", "containerPort": 9999, "protocol": "TCP"}]
    paths = {probe: container[probe]["httpGet"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert {probe: get["path"] for probe, get in paths.items()} == {
        "startupProbe": "/healthz",
        "livenessProbe": "/healthz",
        "readinessProbe": "/readyz",
    }


def test_new_settings_start_new_workers() -> None:
    def sums(*arguments: str) -> Object:
        found: Object = one(objects("nextflow", *arguments), "Deployment")["spec"]["template"]["metadata"][
            "annotations"
        ]
        return found

    assert sums("--set", "settings.GENOFERRY_MAX_RUNNING=9") != sums()
    assert sums("--set", "secretSettings.GENOFERRY_KEY_SERVICE_PASSWORD=new") != sums()
    assert sums("--set", "worker.replicas=9") == sums()


def test_the_notes_say_how_to_look() -> None:
    notes = (CHART / "templates" / "NOTES.txt").read_text()
    assert re.search(r"helm test .* --namespace", notes)
