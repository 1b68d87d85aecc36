"""The chart with this checkout's image, on real pods, against the embedded AWS: ready, looked at, renewed, gone."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.e2e.kubernetes.cluster import Cluster
from tests.e2e.kubernetes.helm import CHART, helm
from tests.e2e.kubernetes.places import GENOFERRY, free_port

from genoferry.testing.waiting import wait_until

SECRET = re.compile("(PASSWORD|SECRET|SECRET_ACCESS_KEY|SESSION_TOKEN)$")
LOCAL = ("GENOFERRY_LOCAL_DIR",)
WAIT = ("--wait", "--timeout", "150s")
SECONDS = 90


def values(variables: Mapping[str, str], port: int) -> dict[str, Any]:
    """For a cluster whose pods have no network but the machine's, which is where the embedded AWS is."""
    repository, tag = GENOFERRY.split(":")
    plain = {name: text for name, text in variables.items() if not SECRET.search(name) and name not in LOCAL}
    return {
        "image": {"repository": repository, "tag": tag, "pullPolicy": "Never"},
        "settings": {
            **plain,
            "GENOFERRY_KUBERNETES_HOST_NETWORK": True,
            "GENOFERRY_KUBERNETES_CREDENTIALS": "secret",
            "GENOFERRY_KUBERNETES_CPUS": 1,
            "GENOFERRY_KUBERNETES_MEMORY_MIB": 1024,
            "GENOFERRY_KUBERNETES_SCRATCH_MIB": 1024,
        },
        "secretSettings": {name: text for name, text in variables.items() if SECRET.search(name)},
        # One at a time: they would listen on the same port of the same network.
        "worker": {"replicas": 1, "hostNetwork": True, "strategy": {"type": "Recreate", "rollingUpdate": None}},
        "health": {"port": port, "bind": "127.0.0.1", "probeHost": "127.0.0.1"},
    }


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def release(
    cluster: Cluster, namespace: str, local_aws: Mapping[str, str], port: int, tmp_path: Path
) -> Iterator[tuple[str | Path, ...]]:
    """Installed, and ready; the options that every command of helm takes."""
    with installed(cluster, namespace, values(local_aws, port), tmp_path) as options:
        yield options
    wait_until(lambda: not pods(cluster, namespace), what="no pod left", seconds=SECONDS)


@contextmanager
def installed(
    cluster: Cluster, namespace: str, document: Mapping[str, Any], folder: Path
) -> Iterator[tuple[str | Path, ...]]:
    """The chart with these values, ready, until the end; the options that every command of helm takes."""
    file = folder / "values.yaml"
    file.write_text(yaml.safe_dump(document))
    options = ("--kubeconfig", cluster.kubeconfig, "--namespace", namespace)
    helm("install", "ferry", CHART, *options, "--values", file, *WAIT)
    try:
        yield options
    finally:
        helm("uninstall", "ferry", *options, "--wait")


def pods(cluster: Cluster, namespace: str) -> list[str]:
    """Their names."""
    return [pod.metadata.name for pod in cluster.core.list_namespaced_pod(namespace).items]


@pytest.mark.usefixtures("own_image")
def test_the_worker_is_ready_well_and_renewed(
    cluster: Cluster, namespace: str, release: tuple[str | Path, ...], port: int
) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10) as answer:
        assert json.load(answer)["ready"]
    assert "Phase:          Succeeded" in helm("test", "ferry", *release, "--timeout", "120s")
    (before,) = pods(cluster, namespace)
    helm("upgrade", "ferry", CHART, *release, "--reuse-values", "--set", "settings.GENOFERRY_MAX_RUNNING=7", *WAIT)
    assert before not in pods(cluster, namespace)
