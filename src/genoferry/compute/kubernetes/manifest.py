"""A Kubernetes Job (batch/v1): one pod, started once. A lost pod fails the Job, and the next attempt is ours.

`job` is what the runner submits and what `genoferry render` shows.
"""

from __future__ import annotations

from typing import Any

import yaml

from genoferry.compute.job_command import HeadSettings, check_place, deadline, identity
from genoferry.compute.kubernetes.pod import nobody, pod, read_only, storage_claim
from genoferry.compute.protocol import JobSpec, parse_workspace_name
from genoferry.errors import SettingsError
from genoferry.settings import Settings
from genoferry.validation import DNS, DNS_LABEL, checked

Object = dict[str, Any]
PREFIX = "genoferry/"
"""Of our labels and annotations: `deployment`, `uuid`, `attempt`; `staged-in` of a Job that empties a workspace."""
AWAITS = f"{PREFIX}awaits"
"""Annotation of a Job that its submitter suspended until its Secret is there."""
KUEUE = "kueue.x-k8s.io/"
"""Of the labels by which Kueue queues a Job."""

DISCARD_SECONDS = 6 * 3600


def manifest(spec: JobSpec, settings: Settings, _: HeadSettings) -> str:
    return yaml.safe_dump(job(spec, settings), sort_keys=False, width=120)


def job(spec: JobSpec, settings: Settings) -> Object:
    """Source of the fields: the Kubernetes API reference, batch/v1 Job. Raises `SettingsError`."""
    check_place(settings)
    own = settings.kubernetes
    secret = own.credentials == "secret"
    labels = job_labels(spec, settings)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": spec.name,
            "namespace": namespace(settings),
            "labels": own.labels | labels,
            "annotations": {f"{PREFIX}job": spec.uri, **({AWAITS: "secret"} if secret else {})},
        },
        "spec": {
            **({"suspend": True} if secret else {}),
            "backoffLimit": 0,
            "completions": 1,
            "parallelism": 1,
            "podFailurePolicy": {
                "rules": [{"action": "FailJob", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]
            },
            "activeDeadlineSeconds": whole_deadline(settings),
            "ttlSecondsAfterFinished": own.ttl_seconds,
            "template": {
                "metadata": {
                    "labels": pod_labels(settings) | labels,
                    **({"annotations": dict(own.pod_annotations)} if own.pod_annotations else {}),
                },
                "spec": pod(spec, settings),
            },
        },
    }


def namespace(settings: Settings) -> str:
    name, site = settings.kubernetes.namespace, settings.nextflow.namespace
    if name:
        return checked("GENOFERRY_KUBERNETES_NAMESPACE", name, DNS)
    return checked("GENOFERRY_NEXTFLOW_NAMESPACE", site, DNS) if site else "default"


def job_labels(spec: JobSpec, settings: Settings) -> dict[str, str]:
    """By what a Job, its pod and its Secret are told from those of others. Raises `SettingsError` for a deployment that
    none of them could be named after."""
    checked("GENOFERRY_DEPLOYMENT", settings.deployment, DNS_LABEL)
    own = {f"{PREFIX}{name}": text for name, text in identity(spec, settings).items()}
    return {"app.kubernetes.io/name": "genoferry", "app.kubernetes.io/component": "job", **own}


def pod_labels(settings: Settings) -> dict[str, str]:
    """The site's. Kueue would hold back a pod with a queue's name as well, where it has no eye for the pod's Job."""
    return {name: text for name, text in settings.kubernetes.labels.items() if not name.startswith(KUEUE)}


def whole_deadline(settings: Settings) -> int:
    """Seconds from the Job's start, waiting for a node included: the worker ends a job sooner, where there is one."""
    return int(settings.compute.start_deadline_seconds) + deadline(settings)


def discard(workspace: str, settings: Settings) -> Object:
    """The Job, named as the workspace, that removes its folder from the claim. Raises `SettingsError`."""
    parsed = parse_workspace_name(workspace, settings.deployment)
    if parsed is None:
        raise SettingsError("GENOFERRY_DEPLOYMENT is not that of the workspace.")
    labels = job_labels(JobSpec(parsed[0], parsed[1], workspace, ""), settings)
    labels |= {"app.kubernetes.io/component": "discard", f"{PREFIX}staged-in": labels.pop(f"{PREFIX}attempt")}
    mount = str(settings.workspaces)
    container = {
        **read_only(settings, "100m", "256Mi"),
        "command": ["rm", "-rf", "--", f"{mount}/{workspace}"],
        "volumeMounts": [{"name": "workspaces", "mountPath": mount}],
    }
    volume = {"name": "workspaces", "persistentVolumeClaim": {"claimName": storage_claim(settings)}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": workspace,
            "namespace": namespace(settings),
            "labels": settings.kubernetes.labels | labels,
        },
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": DISCARD_SECONDS,
            "ttlSecondsAfterFinished": settings.kubernetes.ttl_seconds,
            "template": {
                "metadata": {"labels": pod_labels(settings) | labels},
                "spec": {**nobody(settings), "containers": [container], "volumes": [volume]},
            },
        },
    }
