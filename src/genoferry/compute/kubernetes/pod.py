"""The pod of a Kubernetes Job (core/v1): nobody's user, read-only but for its scratch and its workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from genoferry import __version__
from genoferry.compute.job_command import USER, command, environment, needed
from genoferry.compute.protocol import JobSpec
from genoferry.errors import SettingsError
from genoferry.settings import Settings
from genoferry.validation import DNS, checked

Object = dict[str, Any]
CONTAINER = "job"
SCRATCH = "/tmp"  # noqa: S108  # the pod's own, of no other user
CREDENTIALS = "/var/run/genoferry"
"""Where a pod finds the Secret's file `credentials`."""
MIRROR = "GENOFERRY_SCORE_MIRROR"


def pod(spec: JobSpec, settings: Settings) -> Object:
    volumes = _volumes(spec, settings)
    return {
        **nobody(settings),
        "automountServiceAccountToken": settings.nextflow.executor == "k8s",
        "terminationGracePeriodSeconds": settings.kubernetes.grace_seconds,
        "containers": [_container(spec, settings, list(volumes))],
        "volumes": [{"name": name, **volume} for name, volume in volumes.items()],
    }


def nobody(settings: Settings) -> Object:
    """Of any pod of ours: where it runs, and as whom. It fits the pod security standard `restricted`."""
    own = settings.kubernetes
    account = own.service_account or settings.nextflow.service_account
    optional = {
        "serviceAccountName": account and checked("GENOFERRY_KUBERNETES_SERVICE_ACCOUNT", account, DNS),
        "priorityClassName": own.priority_class and checked("GENOFERRY_KUBERNETES_PRIORITY_CLASS", own.priority_class),
        "nodeSelector": own.node_selector,
        "tolerations": own.tolerations,
        "imagePullSecrets": [{"name": name} for name in own.image_pull_secrets],
        "hostNetwork": own.host_network,
    }
    return {
        "restartPolicy": "Never",
        **{name: value for name, value in optional.items() if value},
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }


def read_only(settings: Settings, cpu: str, memory: str) -> Object:
    """Of any container of ours: its image, and what it may not do."""
    own = settings.kubernetes
    return {
        "name": CONTAINER,
        "image": checked("GENOFERRY_KUBERNETES_IMAGE", own.image or f"genoferry:{__version__}"),
        "imagePullPolicy": own.image_pull_policy,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "resources": {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": memory}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def storage_claim(settings: Settings) -> str | None:
    """Of the workspaces, which outlive a pod. Raises `SettingsError` where Nextflow has none and needs it."""
    claim, site = settings.nextflow.storage_claim, settings.nextflow
    if claim or (settings.compute.engine == "nextflow" and not site.bucket_workspaces):
        name = "GENOFERRY_NEXTFLOW_STORAGE_CLAIM"
        return checked(name, needed(name, claim, "what Nextflow keeps must outlive its pod"), DNS)
    return None


def scores_claim(settings: Settings) -> str | None:
    """Of the mirror of scores, where it is not on that of the workspaces. Raises `SettingsError` where claim or mirror
    is set without the other: a pod would look for scores in a folder that it doesn't have."""
    name, claim, mirror = "GENOFERRY_KUBERNETES_SCORES_CLAIM", settings.kubernetes.scores_claim, _mirror(settings)
    if not claim and (not mirror or _is_among_workspaces(mirror, settings)):
        return None
    checked(MIRROR, needed(MIRROR, mirror, f"it is where the claim of {name} is mounted"))
    return checked(name, needed(name, claim, f"{MIRROR} needs it, since pods don't see the worker's folders"), DNS)


def _mirror(settings: Settings) -> str:
    return str(settings.compute.score_mirror or "")


def _is_among_workspaces(folder: str, settings: Settings) -> bool:
    return bool(storage_claim(settings)) and _holds(str(settings.workspaces), folder)


def _container(spec: JobSpec, settings: Settings, volumes: list[str]) -> Object:
    own = settings.kubernetes
    found = read_only(settings, str(own.cpus), f"{own.memory_mib}Mi")
    if not own.scratch_class:
        found["resources"]["requests"]["ephemeral-storage"] = f"{own.scratch_mib}Mi"
    run, *arguments = command(spec)
    return {
        **found,
        "command": [run],
        "args": arguments,
        "env": [{"name": name, "value": _inert(text)} for name, text in _variables(spec, settings).items()],
        "volumeMounts": _mounts(settings, volumes),
    }


def _mounts(settings: Settings, volumes: list[str]) -> list[Object]:
    """Raises `SettingsError` where the mirror of scores would hide another volume, or be in its place."""
    paths = {
        "scratch": SCRATCH,
        "workspaces": str(settings.workspaces),
        "scores": _mirror(settings),
        "credentials": CREDENTIALS,
    }
    if "scores" in volumes and any(_holds(paths["scores"], paths[name]) for name in volumes if name != "scores"):
        raise SettingsError(f"{MIRROR} is, or holds, the folder of another volume of the pods: choose one of its own.")
    found: list[Object] = [{"name": name, "mountPath": paths[name]} for name in volumes]
    return [{**mount, "readOnly": True} if mount["name"] == "scores" else mount for mount in found]


def _holds(folder: str, path: str) -> bool:
    return Path(path).is_relative_to(folder)


def _variables(spec: JobSpec, settings: Settings) -> dict[str, str]:
    return {
        "HOME": SCRATCH,
        "TMPDIR": SCRATCH,
        "GENOFERRY_SCRATCH": SCRATCH,
        **environment(spec, settings),
        **settings.kubernetes.env,
        **(
            {"AWS_SHARED_CREDENTIALS_FILE": f"{CREDENTIALS}/credentials", "AWS_EC2_METADATA_DISABLED": "true"}
            if settings.kubernetes.credentials == "secret"
            else {}
        ),
    }


def _volumes(spec: JobSpec, settings: Settings) -> dict[str, Object]:
    own, claim, scores = settings.kubernetes, storage_claim(settings), scores_claim(settings)
    size = f"{own.scratch_mib}Mi"
    scratch: Object = {"emptyDir": {"sizeLimit": size}}
    if own.scratch_class:
        storage = checked("GENOFERRY_KUBERNETES_SCRATCH_CLASS", own.scratch_class, DNS)
        wanted = {"storageClassName": storage, "resources": {"requests": {"storage": size}}}
        scratch = {"ephemeral": {"volumeClaimTemplate": {"spec": {"accessModes": ["ReadWriteOnce"], **wanted}}}}
    found = {"scratch": scratch}
    if claim:
        found["workspaces"] = {"persistentVolumeClaim": {"claimName": claim}}
    if scores:  # read-only as a whole, so that the kubelet gives none of its files to the pod's group
        found["scores"] = {"persistentVolumeClaim": {"claimName": scores, "readOnly": True}}
    if own.credentials == "secret":
        found["credentials"] = {"secret": {"secretName": spec.name, "defaultMode": 0o440}}
    return found


def _inert(text: str) -> str:
    """A pod's variables are expanded where they hold `$(NAME)`; `$$` stands for `$`."""
    return text.replace("$", "$$")
