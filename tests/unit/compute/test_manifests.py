"""Compute objects: whole, once started, and data stays data in YAML, JSON and shell."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import botocore.session
import botocore.validate
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from genoferry.compute.job_command import HeadSettings
from genoferry.compute.kubernetes import manifest as kubernetes
from genoferry.compute.protocol import JobSpec, job_name, workspace_name
from genoferry.compute.registry import manifest
from genoferry.errors import SettingsError
from genoferry.settings import ComputeSettings, KubernetesSettings, NextflowSettings, Settings

UUID = "5a70fd19-4215-5128-a2a7-91796b890924"
SPEC = JobSpec(UUID, 2, job_name("prod", UUID, 2), f"s3://work/{UUID}/2/job.json", workspace_name("prod", UUID, 1))
WORKSPACE = f"/workspaces/{SPEC.workspace}"


def settings(
    executor: Any = "local",
    *,
    deployment: str = "prod",
    run_seconds: float = 3600,
    own: dict[str, Any] | None = None,
    mirror: str | None = None,
    **site: Any,
) -> Settings:
    compute = ComputeSettings(
        engine="nextflow",
        local_dir=Path("/var/jobs"),
        workspaces=Path("/workspaces"),
        score_mirror=Path(mirror) if mirror else None,
        run_deadline_seconds=run_seconds,
        job_aws_access_key_id="AKIACANARY",
        job_aws_secret_access_key="CANARYd34db33f",
    )
    nextflow = NextflowSettings(executor=executor, **site)
    kubernetes = KubernetesSettings(**(own or {}))
    return Settings(genoferry_deployment=deployment, compute=compute, nextflow=nextflow, kubernetes=kubernetes)


NEEDED: dict[Any, dict[str, Any]] = {
    "local": {},
    "kubernetes": {"executor": "k8s", "storage_claim": "claim"},
    "batch": {"executor": "awsbatch", "queue": "jobs", "bucket_workspaces": True},
    "slurm": {"executor": "slurm", "queue": "jobs"},
}


@pytest.mark.parametrize("runner", NEEDED)
def test_every_object_runs_the_job_program_on_this_attempt_and_holds_no_secret(runner: Any) -> None:
    _, text = manifest(runner, SPEC, settings(**NEEDED[runner]))
    assert SPEC.uri in text
    assert SPEC.name in text
    assert WORKSPACE in text
    assert "CANARY" not in text
    assert manifest(runner, SPEC, settings(**NEEDED[runner]))[1] == text


def job(**site: Any) -> dict[str, Any]:
    name, text = manifest("kubernetes", SPEC, settings(**{**NEEDED["kubernetes"], **site}))
    assert name == "job.yaml"
    return dict(yaml.safe_load(text))


def test_a_kubernetes_job_is_started_once_and_fails_with_its_pod() -> None:
    found = job(namespace="scores")
    spec, labels = found["spec"], found["metadata"]["labels"]
    assert (found["apiVersion"], found["kind"], found["metadata"]["namespace"]) == ("batch/v1", "Job", "scores")
    assert (spec["backoffLimit"], spec["activeDeadlineSeconds"]) == (0, 3600 + 3600), "waiting included"
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    (rule,) = spec["podFailurePolicy"]["rules"]
    assert (rule["action"], rule["onPodConditions"][0]["type"]) == ("FailJob", "DisruptionTarget")
    told = {"genoferry/deployment": "prod", "genoferry/uuid": UUID, "genoferry/attempt": "2"}
    assert told.items() <= labels.items() == spec["template"]["metadata"]["labels"].items()


OWN_LABELS = {
    "app.kubernetes.io/name": "genoferry",
    "app.kubernetes.io/component": "job",
    "genoferry/deployment": "prod",
    "genoferry/uuid": UUID,
    "genoferry/attempt": "2",
}


def test_autoscalers_leave_the_node_of_a_job_alone_unless_told_otherwise() -> None:
    assert job()["spec"]["template"]["metadata"]["annotations"] == {
        "karpenter.sh/do-not-disrupt": "true",
        "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
    }
    assert "annotations" not in job(own={"pod_annotations": {}})["spec"]["template"]["metadata"]


def test_a_pod_is_nobody_with_a_fixed_memory_and_its_workspace() -> None:
    pod = job(own={"memory_mib": 1234}, service_account="scores")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["command"] + container["args"] == ["genoferry", "job", "run", SPEC.uri]
    assert container["resources"]["requests"]["memory"] == container["resources"]["limits"]["memory"] == "1234Mi"
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert (pod["serviceAccountName"], pod["automountServiceAccountToken"]) == ("scores", True)
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert mounts == {"scratch": "/tmp", "workspaces": "/workspaces"}
    assert volumes["workspaces"]["persistentVolumeClaim"] == {"claimName": "claim"}
    assert {"name": "GENOFERRY_WORKSPACE", "value": WORKSPACE} in container["env"]


def test_a_pod_gets_what_the_settings_say() -> None:
    own = {
        "namespace": "jobs",
        "image": "registry/genoferry@sha256:abc",
        "image_pull_policy": "Never",
        "image_pull_secrets": "a, b",
        "service_account": "own",
        "env": {"AWS_REGION": "eu-west-2"},
        "labels": {"kueue.x-k8s.io/queue-name": "q", "cost": "7", "genoferry/deployment": "never another's"},
        "pod_annotations": {"karpenter.sh/do-not-disrupt": "true"},
        "node_selector": {"disk": "ssd"},
        "tolerations": [{"key": "spot", "operator": "Exists"}],
        "priority_class": "low",
        "scratch_class": "fast",
        "scratch_mib": 1024,
        "host_network": True,
        "grace_seconds": 7,
        "ttl_seconds": 600,
    }
    found = job(own=own, namespace="processes", service_account="processes")
    pod = found["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert found["metadata"]["namespace"] == "jobs"
    assert found["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "q"
    assert found["metadata"]["labels"]["genoferry/deployment"] == "prod"
    template = found["spec"]["template"]["metadata"]
    assert template["labels"] == {"cost": "7", **OWN_LABELS}
    assert template["annotations"] == {"karpenter.sh/do-not-disrupt": "true"}
    assert (container["image"], container["imagePullPolicy"]) == ("registry/genoferry@sha256:abc", "Never")
    assert pod["imagePullSecrets"] == [{"name": "a"}, {"name": "b"}]
    assert (pod["serviceAccountName"], pod["priorityClassName"]) == ("own", "low")
    assert (pod["nodeSelector"], pod["tolerations"]) == (own["node_selector"], own["tolerations"])
    assert (pod["hostNetwork"], pod["terminationGracePeriodSeconds"]) == (True, 7)
    assert found["spec"]["ttlSecondsAfterFinished"] == 600
    assert {"name": "AWS_REGION", "value": "eu-west-2"} in container["env"]
    assert "ephemeral-storage" not in container["resources"]["requests"]
    assert pod["volumes"][0]["ephemeral"]["volumeClaimTemplate"]["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "fast",
        "resources": {"requests": {"storage": "1024Mi"}},
    }


def test_scratch_on_the_node_is_asked_for_and_limited() -> None:
    pod = job(own={"scratch_mib": 1024})["spec"]["template"]["spec"]
    assert pod["volumes"][0]["emptyDir"] == {"sizeLimit": "1024Mi"}
    assert pod["containers"][0]["resources"]["requests"]["ephemeral-storage"] == "1024Mi"
    assert "hostNetwork" not in pod


def test_credentials_in_a_secret_are_waited_for() -> None:
    found = job(own={"credentials": "secret"})
    pod = found["spec"]["template"]["spec"]
    assert found["spec"]["suspend"] is True
    assert found["metadata"]["annotations"]["genoferry/awaits"] == "secret"
    assert {"name": "credentials", "secret": {"secretName": SPEC.name, "defaultMode": 0o440}} in pod["volumes"]
    (container,) = pod["containers"]
    (mount,) = [one["mountPath"] for one in container["volumeMounts"] if one["name"] == "credentials"]
    assert {"name": "AWS_SHARED_CREDENTIALS_FILE", "value": f"{mount}/credentials"} in container["env"]
    assert "suspend" not in job()["spec"]


def test_a_pod_has_the_mirror_of_scores_where_it_looks_for_it_and_may_not_write() -> None:
    pod = job(own={"scores_claim": "pgs-catalog"}, mirror="/data/scores")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert {"name": "scores", "mountPath": "/data/scores", "readOnly": True} in container["volumeMounts"]
    claim = {"claimName": "pgs-catalog", "readOnly": True}
    assert {"name": "scores", "persistentVolumeClaim": claim} in pod["volumes"]
    assert {"name": "GENOFERRY_SCORE_MIRROR", "value": "/data/scores"} in container["env"]


def test_a_mirror_on_the_workspaces_claim_needs_no_other() -> None:
    pod = job(mirror="/workspaces/scores")["spec"]["template"]["spec"]
    assert [volume["name"] for volume in pod["volumes"]] == ["scratch", "workspaces"]
    without = {"executor": "local", "bucket_workspaces": True, "storage_claim": None}
    with pytest.raises(SettingsError, match="GENOFERRY_KUBERNETES_SCORES_CLAIM is not set"):
        job(mirror="/workspaces/scores", **without)


@pytest.mark.parametrize(
    ("claim", "mirror", "said"),
    [
        (None, "/data/scores", "GENOFERRY_KUBERNETES_SCORES_CLAIM is not set: GENOFERRY_SCORE_MIRROR needs it"),
        ("pgs-catalog", None, "GENOFERRY_SCORE_MIRROR is not set: .* GENOFERRY_KUBERNETES_SCORES_CLAIM"),
        ("PGS_Catalog", "/data/scores", "GENOFERRY_KUBERNETES_SCORES_CLAIM holds"),
        ("pgs-catalog", "/data/my scores", "GENOFERRY_SCORE_MIRROR holds a character"),
        ("pgs-catalog", "/tmp", "GENOFERRY_SCORE_MIRROR is, or holds, the folder of another volume"),
        ("pgs-catalog", "/workspaces", "GENOFERRY_SCORE_MIRROR is, or holds, the folder of another volume"),
        ("pgs-catalog", "/", "GENOFERRY_SCORE_MIRROR is, or holds, the folder of another volume"),
    ],
)
def test_a_mirror_that_pods_would_not_have_is_refused(claim: str | None, mirror: str | None, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        job(own={"scores_claim": claim}, mirror=mirror)


def test_the_job_that_empties_a_workspace_has_nothing_else() -> None:
    assert SPEC.workspace is not None
    found = kubernetes.discard(SPEC.workspace, settings(**NEEDED["kubernetes"], own={"credentials": "secret"}))
    pod = found["spec"]["template"]["spec"]
    assert found["metadata"]["name"] == SPEC.workspace
    assert "genoferry/attempt" not in found["metadata"]["labels"], "or it would pass for an attempt"
    assert pod["containers"][0]["command"] == ["rm", "-rf", "--", WORKSPACE]
    assert [volume["name"] for volume in pod["volumes"]] == ["workspaces"]
    assert pod["automountServiceAccountToken"] is False
    assert "env" not in pod["containers"][0]


def test_the_job_that_empties_a_workspace_is_paid_for_and_queued_like_the_others() -> None:
    assert SPEC.workspace is not None
    labels = {"kueue.x-k8s.io/queue-name": "q", "cost": "7"}
    found = kubernetes.discard(SPEC.workspace, settings(**NEEDED["kubernetes"], own={"labels": labels}))
    assert labels.items() <= found["metadata"]["labels"].items()
    on_pod = found["spec"]["template"]["metadata"]["labels"]
    assert on_pod == {k: v for k, v in found["metadata"]["labels"].items() if k != "kueue.x-k8s.io/queue-name"}


def test_the_workspace_of_another_deployment_is_not_emptied() -> None:
    known = settings(**NEEDED["kubernetes"])
    for name in (workspace_name("dev", UUID, 1), "..", ""):
        with pytest.raises(SettingsError):
            kubernetes.discard(name, known)


def test_a_pod_that_starts_no_pods_has_no_token() -> None:
    assert job(executor="local")["spec"]["template"]["spec"]["automountServiceAccountToken"] is False


def test_a_pods_variables_are_not_expanded() -> None:
    found = job(custom_config_base="$(HOME)/x")["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {"name": "GENOFERRY_NEXTFLOW_CUSTOM_CONFIG_BASE", "value": "$$(HOME)/x"} in found


def test_a_batch_request_is_one_that_the_sdk_takes() -> None:
    name, text = manifest("batch", SPEC, settings(**NEEDED["batch"], region="eu-west-2"))
    request = json.loads(text)
    shape = botocore.session.get_session().get_service_model("batch").operation_model("SubmitJob").input_shape
    assert not botocore.validate.ParamValidator().validate(request, shape).has_errors()
    assert name == "submit-job.json"
    assert (request["retryStrategy"], request["timeout"]) == ({"attempts": 1}, {"attemptDurationSeconds": 3600})
    assert request["containerOverrides"]["command"] == ["job", "run", SPEC.uri]
    assert {"name": "AWS_REGION", "value": "eu-west-2"} in request["containerOverrides"]["environment"]
    assert request["tags"]["genoferry:uuid"] == UUID


def test_batch_takes_no_timeout_under_a_minute() -> None:
    request = json.loads(manifest("batch", SPEC, settings(run_seconds=5, **NEEDED["batch"]))[1])
    assert request["timeout"] == {"attemptDurationSeconds": 60}


def sbatch(text: str) -> tuple[dict[str, str], list[str]]:
    """The headers, and the rest as a shell reads it."""
    lines = text.split("\n")
    headers = [line.removeprefix("#SBATCH --") for line in lines if line.startswith("#SBATCH")]
    body = text.split("#SBATCH --no-requeue\n")[1]
    return dict(header.partition("=")[::2] for header in headers), shlex.split(body)


def test_a_slurm_job_is_not_requeued_and_limited_in_time() -> None:
    name, text = manifest(
        "slurm", SPEC, settings(run_seconds=3601, **NEEDED["slurm"]), HeadSettings(profile="/etc/a b")
    )
    headers, words = sbatch(text)
    assert (name, text.split("\n")[0]) == ("job.sbatch", "#!/bin/sh")
    assert (headers["job-name"], headers["partition"], headers["time"]) == (SPEC.name, "jobs", "61")
    assert (headers["no-requeue"], headers["export"]) == ("", "NONE")
    assert words[:6] == ["set", "-eu", "umask", "077", ".", "/etc/a b"]
    assert words[-5:] == ["exec", "genoferry", "job", "run", SPEC.uri]


def test_a_slurm_jobs_log_is_where_all_nodes_can_write() -> None:
    known = settings(**NEEDED["slurm"])
    shared = known.compute.model_copy(update={"workspaces": Path("/shared/%j")})
    headers, _ = sbatch(manifest("slurm", SPEC, known.model_copy(update={"compute": shared}))[1])
    assert headers["output"] == f"/shared/%%j/{SPEC.name}.log"
    spaced = known.compute.model_copy(update={"workspaces": Path("/shared folder")})
    with pytest.raises(SettingsError, match="GENOFERRY_WORKSPACES"):
        manifest("slurm", SPEC, known.model_copy(update={"compute": spaced}))


TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=40)


@given(TEXT, st.dictionaries(TEXT, TEXT, max_size=2))
def test_a_setting_is_data_in_every_object(base: str, nodes: dict[str, str]) -> None:
    site = {"custom_config_base": base, "label_nodes": nodes}
    said = {
        "GENOFERRY_NEXTFLOW_CUSTOM_CONFIG_BASE": base,
        "GENOFERRY_NEXTFLOW_LABEL_NODES": json.dumps(nodes, sort_keys=True),
    }
    pod = job(**site)["spec"]["template"]["spec"]["containers"][0]["env"]
    assert said.items() <= {one["name"]: one["value"].replace("$$", "$") for one in pod}.items()
    request = json.loads(manifest("batch", SPEC, settings(**NEEDED["batch"], **site))[1])
    assert said.items() <= {one["name"]: one["value"] for one in request["containerOverrides"]["environment"]}.items()
    _, words = sbatch(manifest("slurm", SPEC, settings(**NEEDED["slurm"], **site))[1])
    assert said.items() <= dict(word.split("=", 1) for word in words if "=" in word and word.startswith("GENO")).items()
    assert words[-5:] == ["exec", "genoferry", "job", "run", SPEC.uri]


PLAIN = st.text("abc-._/:", min_size=1)
NAMES = (("kubernetes", "namespace"), ("kubernetes", "storage_claim"), ("batch", "queue"), ("slurm", "queue"))


@given(st.sampled_from(NAMES), TEXT | PLAIN)
def test_a_name_fits_or_is_refused(where: tuple[Any, str], name: str) -> None:
    runner, setting = where
    text, refusal = made_or_refused(runner, {**NEEDED[runner], setting: name})
    if text is None:
        assert f"GENOFERRY_NEXTFLOW_{setting.upper()}" in refusal
        assert len(name) < 9 or name not in refusal
    elif runner == "slurm":
        assert sbatch(text)[0]["partition"] == name
        assert text.count("\n#SBATCH ") == len(sbatch(text)[0])
    elif runner == "batch":
        assert json.loads(text)["jobQueue"] == name
    else:
        assert name in (yaml.safe_load(text)["metadata"].get("namespace"), claim(yaml.safe_load(text)))


def made_or_refused(runner: Any, site: dict[str, Any]) -> tuple[str | None, str]:
    try:
        return manifest(runner, SPEC, settings(**site))[1], ""
    except SettingsError as error:
        return None, str(error)


def claim(found: dict[str, Any]) -> str:
    return str(found["spec"]["template"]["spec"]["volumes"][1]["persistentVolumeClaim"]["claimName"])


@pytest.mark.parametrize(
    ("runner", "changes", "named"),
    [
        ("kubernetes", {"storage_claim": None}, "GENOFERRY_NEXTFLOW_STORAGE_CLAIM"),
        ("kubernetes", {"deployment": "Prod_EU"}, "GENOFERRY_DEPLOYMENT"),
        ("kubernetes", {"deployment": "prod.eu"}, "GENOFERRY_DEPLOYMENT"),
        ("kubernetes", {"deployment": "prod-"}, "GENOFERRY_DEPLOYMENT"),
        ("kubernetes", {"deployment": "p" * 64}, "GENOFERRY_DEPLOYMENT"),
        ("batch", {"queue": None}, "GENOFERRY_NEXTFLOW_QUEUE"),
        ("slurm", {"deployment": "a b"}, "GENOFERRY_DEPLOYMENT"),
    ],
)
def test_what_is_missing_or_does_not_fit_is_named(runner: Any, changes: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        manifest(runner, SPEC, settings(**{**NEEDED[runner], **changes}))


@pytest.mark.parametrize("runner", ["kubernetes", "batch", "slurm"])
def test_another_machine_has_its_workspace_in_no_ones_home(runner: Any) -> None:
    known = settings(**NEEDED[runner])
    known = known.model_copy(update={"compute": known.compute.model_copy(update={"workspaces": None})})
    with pytest.raises(SettingsError, match="GENOFERRY_WORKSPACES"):
        manifest(runner, SPEC, known)


def test_the_embedded_engine_needs_no_volume() -> None:
    known = settings("local")
    known = known.model_copy(update={"compute": known.compute.model_copy(update={"engine": "embedded"})})
    pod = yaml.safe_load(manifest("kubernetes", SPEC, known)[1])["spec"]["template"]["spec"]
    assert [volume["name"] for volume in pod["volumes"]] == ["scratch"]
