"""A Kubernetes Job (batch/v1): one pod, started once. A lost pod fails the Job, and the next attempt is ours."""

from __future__ import annotations

from typing import Any

import yaml

from genoferry.compute.manifests.head import (
    DNS,
    USER,
    HeadSettings,
    check_place,
    checked,
    command,
    deadline,
    environment,
    identity,
    needed,
)
from genoferry.compute.protocol import JobSpec
from genoferry.settings import Settings

Object = dict[str, Any]
SCRATCH = "/tmp"  # noqa: S108  # the pod's own, of no other user
CONTAINER = "job"


def manifest(spec: JobSpec, settings: Settings, head: HeadSettings) -> str:
    """Source of the fields: the Kubernetes API reference, batch/v1 Job."""
    labels = {f"genoferry/{name}": text for name, text in identity(spec, settings).items()}
    labels = {"app.kubernetes.io/name": "genoferry", **labels}
    check_place(settings)
    document = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": spec.name,
            **_namespace(settings),
            "labels": labels,
            "annotations": {"genoferry/job": spec.uri},
        },
        "spec": {
            "backoffLimit": 0,
            "completions": 1,
            "parallelism": 1,
            "podFailurePolicy": {
                "rules": [{"action": "FailJob", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]
            },
            "activeDeadlineSeconds": deadline(settings),
            "ttlSecondsAfterFinished": head.ttl_seconds,
            "template": {"metadata": {"labels": dict(labels)}, "spec": _pod(spec, settings, head)},
        },
    }
    return yaml.safe_dump(document, sort_keys=False, width=120)


def _namespace(settings: Settings) -> Object:
    name = settings.nextflow.namespace
    return {"namespace": checked("GENOFERRY_NEXTFLOW_NAMESPACE", name, DNS)} if name else {}


def _pod(spec: JobSpec, settings: Settings, head: HeadSettings) -> Object:
    account = head.service_account or settings.nextflow.service_account
    claim = _claim(settings)
    return {
        "restartPolicy": "Never",
        **({"serviceAccountName": checked("GENOFERRY_NEXTFLOW_SERVICE_ACCOUNT", account, DNS)} if account else {}),
        "automountServiceAccountToken": settings.nextflow.executor == "k8s",
        "terminationGracePeriodSeconds": head.grace_seconds,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(spec, settings, head, claim)],
        "volumes": [
            {"name": "scratch", "emptyDir": {"sizeLimit": f"{head.scratch_mib}Mi"}},
            *([{"name": "workspaces", "persistentVolumeClaim": {"claimName": claim}}] if claim else []),
        ],
    }


def _container(spec: JobSpec, settings: Settings, head: HeadSettings, claim: str | None) -> Object:
    own = {"HOME": SCRATCH, "TMPDIR": SCRATCH, "GENOFERRY_SCRATCH": SCRATCH}
    run, *arguments = command(spec)
    return {
        "name": CONTAINER,
        "image": checked("image", head.image),
        "command": [run],
        "args": arguments,
        "env": [{"name": name, "value": _inert(text)} for name, text in (own | environment(spec, settings)).items()],
        "resources": {
            "requests": {"cpu": str(head.cpus), "memory": f"{head.memory_mib}Mi"},
            "limits": {"memory": f"{head.memory_mib}Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "scratch", "mountPath": SCRATCH},
            *([{"name": "workspaces", "mountPath": str(settings.workspaces)}] if claim else []),
        ],
    }


def _inert(text: str) -> str:
    """A pod's variables are expanded where they hold `$(NAME)`; `$$` stands for `$`."""
    return text.replace("$", "$$")


def _claim(settings: Settings) -> str | None:
    """Of the workspaces, which outlive a pod. Raises `SettingsError` where Nextflow has none and needs it."""
    claim = settings.nextflow.storage_claim
    if claim or (settings.compute.engine == "nextflow" and not settings.nextflow.bucket_workspaces):
        name = "GENOFERRY_NEXTFLOW_STORAGE_CLAIM"
        return checked(name, needed(name, claim, "what Nextflow keeps must outlive its pod"), DNS)
    return None
