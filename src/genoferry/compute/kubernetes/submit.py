"""Bringing one attempt to the cluster, each step idempotent, so that whoever comes after a death goes on. Blocking.

With credentials in a Secret: the Job is made suspended, then the Secret that it owns, then the Job is let go. The
annotation `genoferry/awaits` tells that suspension from one by others, as of a queueing system.
"""

from __future__ import annotations

from genoferry import faults
from genoferry.compute.kubernetes.api import Api, Object
from genoferry.compute.kubernetes.errors import as_submit_error
from genoferry.compute.kubernetes.manifest import AWAITS, job
from genoferry.compute.kubernetes.objects import ensure, labels_of
from genoferry.compute.protocol import JobSpec, job_name
from genoferry.errors import SettingsError, SubmitFailed, SubmitUnavailable
from genoferry.settings import Settings

NOBODY = "00000000-0000-0000-0000-000000000000"


def check(settings: Settings) -> None:
    """Before any job comes. Raises `SettingsError` for what no Job could be made of."""
    compute = settings.compute
    example(settings)
    if settings.kubernetes.credentials == "secret" and not (
        compute.job_aws_access_key_id and compute.job_aws_secret_access_key
    ):
        raise SettingsError(
            "Jobs have no credentials: set GENOFERRY_JOB_AWS_ACCESS_KEY_ID and GENOFERRY_JOB_AWS_SECRET_ACCESS_KEY, or"
            " GENOFERRY_KUBERNETES_CREDENTIALS=service-account."
        )


def example(settings: Settings) -> Object:
    """The Job of a request that nobody sends. Raises `SettingsError`."""
    return job(JobSpec(NOBODY, 1, job_name(settings.deployment, NOBODY, 1), "s3://bucket/key", None), settings)


def submit(api: Api, spec: JobSpec, settings: Settings) -> str:
    """The Job's uid. Raises `SubmitFailed`, `SubmitUnavailable`."""
    try:
        body = job(spec, settings)
    except SettingsError as error:
        raise SubmitFailed(str(error)) from error
    with as_submit_error():
        found = ensure(api, "jobs", body)
        if AWAITS in (found["metadata"].get("annotations") or {}):
            _give_credentials(api, found, settings)
        return str(found["metadata"]["uid"])


def _give_credentials(api: Api, found: Object, settings: Settings) -> None:
    meta = found["metadata"]
    faults.point("suspended")
    there = ensure(api, "secrets", secret_object(found, settings))
    owners = [owner["uid"] for owner in there["metadata"].get("ownerReferences") or ()]
    if owners != [meta["uid"]]:
        raise SubmitUnavailable(f"The Secret {meta['name']} is that of a Job that is being deleted. It is tried again.")
    faults.point("secret")
    released = {"metadata": {"uid": meta["uid"], "annotations": {AWAITS: None}}, "spec": {"suspend": False}}
    api.patch("jobs", meta["name"], released)


def secret_object(found: Object, settings: Settings) -> Object:
    """An AWS credentials file, which goes with its Job."""
    compute, meta = settings.compute, found["metadata"]
    key, secret = compute.job_aws_access_key_id, compute.job_aws_secret_access_key
    assert key  # noqa: S101  # see `check`
    assert secret  # noqa: S101
    text = f"[default]\naws_access_key_id = {key}\naws_secret_access_key = {secret.get_secret_value()}\n"
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": meta["name"], "uid": meta["uid"]}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": meta["name"],
            "namespace": meta["namespace"],
            "labels": {"app.kubernetes.io/name": "genoferry", **labels_of(found)},
            "ownerReferences": [owner],
        },
        "type": "Opaque",
        "immutable": True,
        "stringData": {"credentials": text},
    }
