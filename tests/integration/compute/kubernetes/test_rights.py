"""`genoferry doctor` and a cluster: what a worker may do there is asked, as the worker, and nothing is touched."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genoferry.cli.cluster_checks import cluster as checked
from genoferry.cli.finding import Finding
from genoferry.settings import ComputeSettings, KubernetesSettings, Settings

KEYS = {"job_aws_access_key_id": "AKIACANARY", "job_aws_secret_access_key": "CANARYd34db33f"}
Look = Callable[..., Finding]


@pytest.fixture
def look(cluster: Any, kubeconfig: Path) -> Look:
    cluster.put("serviceaccounts", {"metadata": {"name": "default"}})

    def finding(compute: dict[str, Any] | None = None, **own: Any) -> Finding:
        settings = Settings(
            compute=ComputeSettings(runner="kubernetes", **(compute or {})),
            kubernetes=KubernetesSettings(**{"kubeconfig": kubeconfig, "namespace": "scores", **own}),
        )
        (found,) = checked(settings)
        assert "CANARY" not in str(found)
        return found

    return finding


def test_who_may_do_all_is_told_where(cluster: Any, look: Look) -> None:
    found = look()
    assert found.status == "ok"
    assert f":{cluster.server.server_address[1]}, namespace scores" in found.detail
    assert cluster.calls == {("create", "selfsubjectaccessreviews"): 8, ("read", "serviceaccounts"): 1}


def test_a_verb_that_is_missing_is_named(cluster: Any, look: Look) -> None:
    cluster.forbidden = {("batch", "jobs", "watch"), ("", "pods/log", "get")}
    found = look()
    assert found.status == "fail"
    assert found.detail.endswith("the worker may not watch jobs; get pods/log")


def test_secrets_and_patch_are_needed_only_for_credentials_in_secrets(cluster: Any, look: Look) -> None:
    cluster.forbidden = {("batch", "jobs", "patch"), ("", "secrets", "create"), ("", "secrets", "get")}
    assert look().status == "ok"
    found = look(KEYS, credentials="secret")
    assert found.detail.endswith("the worker may not patch jobs; create, get secrets")


def test_another_namespace_than_that_of_the_role(look: Look) -> None:
    found = look(namespace="elsewhere")
    assert found.status == "fail"
    assert "namespace elsewhere" in found.detail
    assert "GENOFERRY_KUBERNETES_NAMESPACE" in (found.mend or "")


def test_what_pods_name_and_is_not_there_is_told(cluster: Any, look: Look) -> None:
    own = {"service_account": "jobs", "scores_claim": "pgs-catalog"}
    found = look({"score_mirror": Path("/scores")}, **own)
    assert found.status == "fail"
    assert found.detail.endswith(": no service account jobs, no volume claim pgs-catalog")
    cluster.put("serviceaccounts", {"metadata": {"name": "jobs"}})
    cluster.put("persistentvolumeclaims", {"metadata": {"name": "pgs-catalog"}})
    assert look({"score_mirror": Path("/scores")}, **own).status == "ok"


def test_who_may_not_look_is_told_nothing_of_it(cluster: Any, look: Look) -> None:
    cluster.refuse["read", "serviceaccounts"] = (403, "Forbidden", "cannot get")
    assert look(service_account="jobs").status == "ok"


def test_settings_that_no_worker_would_start_with(cluster: Any, look: Look) -> None:
    found = look(credentials="secret")
    assert found.status == "fail"
    assert "GENOFERRY_JOB_AWS_ACCESS_KEY_ID" in found.detail
    assert not cluster.calls


def test_a_kubeconfig_that_is_not_there(look: Look, tmp_path: Path) -> None:
    found = look(kubeconfig=tmp_path / "none")
    assert found.status == "fail"
    assert "GENOFERRY_KUBERNETES_KUBECONFIG" in found.detail


def test_an_account_that_is_not_known(cluster: Any, look: Look) -> None:
    cluster.refuse["create", "selfsubjectaccessreviews"] = (401, "Unauthorized", "Unauthorized")
    found = look()
    assert found.status == "fail"
    assert "service account's token" in found.detail


def test_a_server_that_is_not_there(kubeconfig: Path, look: Look, cluster: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    kubeconfig.write_text(kubeconfig.read_text().replace(str(cluster.server.server_address[1]), str(port)))
    found = look()
    assert found.status == "fail"
    assert "can't be reached" in found.detail
