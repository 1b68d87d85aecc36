"""Which runner the settings choose, and what is said where it can't be had."""

from __future__ import annotations

import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from genoferry.compute.kubernetes.runner import KubernetesRunner
from genoferry.compute.local.runner import LocalRunner
from genoferry.errors import SettingsError
from genoferry.settings import ComputeSettings, KubernetesSettings, Settings
from genoferry.worker.build import runner

KUBECONFIG = """
{apiVersion: v1, kind: Config, current-context: x, contexts: [{name: x, context: {cluster: c, user: u}}],
 clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}], users: [{name: u, user: {token: t}}]}
"""


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def settings(path: Path | None = None, **own: str) -> Settings:
    kubernetes = KubernetesSettings(kubeconfig=path, namespace="scores", **own)
    return Settings(compute=ComputeSettings(runner="kubernetes"), kubernetes=kubernetes)


async def test_the_setting_chooses_the_runner(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(KUBECONFIG)
    async with AsyncExitStack() as stack:
        assert isinstance(runner(stack, Settings(compute=ComputeSettings(local_dir=tmp_path))), LocalRunner)
        found = runner(stack, settings(path))
        assert isinstance(found, KubernetesRunner)
        assert found.key == "kubernetes:scores"


@pytest.mark.parametrize("text", [None, "{}", "a: [", KUBECONFIG])
def test_what_cannot_be_reached_is_a_matter_of_settings(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "config"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SettingsError, match="GENOFERRY_KUBERNETES_KUBECONFIG"):
        KubernetesRunner(settings(path, context="not there"))


def test_a_worker_with_no_cluster_at_all_is_told_so() -> None:
    with pytest.raises(SettingsError, match="GENOFERRY_KUBERNETES_KUBECONFIG"):
        KubernetesRunner(settings())


def test_without_its_client_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "kubernetes", None)
    with pytest.raises(SettingsError, match=r"genoferry\[kubernetes\]"):
        KubernetesRunner(settings(tmp_path))


def test_nobody_else_loads_the_client() -> None:
    code = "import sys, genoferry.worker.build; sys.exit('kubernetes' in sys.modules)"
    import subprocess

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
