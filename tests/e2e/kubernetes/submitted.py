"""What a worker brings to the cluster, in each of its forms: a Job that holds genomes, and one that removes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from genoferry.compute.kubernetes import manifest as kubernetes
from genoferry.compute.protocol import JobSpec, job_name, workspace_name
from genoferry.settings import ComputeSettings, KubernetesSettings, NextflowSettings, Settings

DEPLOYMENT, UUID = "production", "5a70fd19-4215-5128-a2a7-91796b890924"

VOLUMES: dict[str, Any] = {"scratch_class": "fast", "scores_claim": "pgs-catalog"}
FORMS: dict[str, dict[str, Any]] = {
    "service-account": {},
    "service-account-volumes": VOLUMES,
    "secret": {"credentials": "secret"},
    "secret-volumes": {"credentials": "secret", **VOLUMES},
}
"""Settings of GENOFERRY_KUBERNETES_…, beside a storage claim, which every one has."""


def submitted(namespace: str, **own: Any) -> list[dict[str, Any]]:
    """The Job of one attempt, and the Job that removes its workspace."""
    known = _settings(namespace, own)
    workspace = workspace_name(DEPLOYMENT, UUID, 1)
    spec = JobSpec(UUID, 1, job_name(DEPLOYMENT, UUID, 1), f"s3://work/{UUID}/1/job.json", workspace)
    return [kubernetes.job(spec, known), kubernetes.discard(workspace, known)]


def _settings(namespace: str, own: dict[str, Any]) -> Settings:
    mirror = Path("/scores") if "scores_claim" in own else None
    compute = ComputeSettings(engine="nextflow", workspaces=Path("/workspaces"), score_mirror=mirror)
    nextflow = NextflowSettings(executor="k8s", storage_claim="workspaces")
    theirs = KubernetesSettings(namespace=namespace, **own)
    return Settings(genoferry_deployment=DEPLOYMENT, compute=compute, nextflow=nextflow, kubernetes=theirs)
