"""The command lines of the programs that make up a cluster's control plane, and the file that leads clients to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

NOT_READY_SECONDS = 20
"""A node that is silent for so long is not ready; its pods are told to end after as long again."""


@dataclass(frozen=True)
class ControlPlane:
    """Where the programs find each other. `folder` is where they run: it holds `pki` and `kubeconfig`."""

    folder: Path
    kubernetes: Path
    address: str
    port: int
    services: str
    etcd_port: int
    etcd_peer_port: int
    controllers_port: int
    scheduler_port: int

    @property
    def etcd_url(self) -> str:
        return f"http://127.0.0.1:{self.etcd_port}"

    def etcd(self) -> Sequence[str]:
        peer = f"http://127.0.0.1:{self.etcd_peer_port}"
        return [
            str(self.kubernetes),
            "etcd",
            "--data-dir=etcd",
            "--unsafe-no-fsync",
            "--log-level=warn",
            f"--listen-client-urls={self.etcd_url}",
            f"--advertise-client-urls={self.etcd_url}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
        ]

    def api_server(self, more: Sequence[str]) -> Sequence[str]:
        return [
            str(self.kubernetes),
            "kube-apiserver",
            f"--etcd-servers={self.etcd_url}",
            f"--bind-address={self.address}",
            f"--advertise-address={self.address}",
            f"--secure-port={self.port}",
            "--tls-cert-file=pki/api.crt",
            "--tls-private-key-file=pki/api.key",
            "--client-ca-file=pki/ca.crt",
            "--kubelet-client-certificate=pki/admin.crt",
            "--kubelet-client-key=pki/admin.key",
            "--kubelet-preferred-address-types=Hostname,InternalIP",
            "--authorization-mode=Node,RBAC",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--service-account-signing-key-file=pki/sa.key",
            "--service-account-key-file=pki/sa.pub",
            f"--service-cluster-ip-range={self.services}",
            "--endpoint-reconciler-type=none",
            f"--default-not-ready-toleration-seconds={NOT_READY_SECONDS}",
            f"--default-unreachable-toleration-seconds={NOT_READY_SECONDS}",
            *more,
        ]

    def controllers(self) -> Sequence[str]:
        return [
            *self._client("kube-controller-manager", self.controllers_port),
            "--service-account-private-key-file=pki/sa.key",
            "--root-ca-file=pki/ca.crt",
            "--use-service-account-credentials",
            "--node-monitor-period=2s",
            f"--node-monitor-grace-period={NOT_READY_SECONDS}s",
            "--concurrent-job-syncs=20",
        ]

    def scheduler(self) -> Sequence[str]:
        return self._client("kube-scheduler", self.scheduler_port)

    def kwok(self, kwok: Path, stages: Path, node: str, port: int) -> Sequence[str]:
        return [
            str(kwok),
            "--kubeconfig=kubeconfig",
            f"--manage-single-node={node}",
            "--node-lease-duration-seconds=20",
            f"--config={stages}",
            "--node-ip=127.0.0.1",
            f"--node-port={port}",
            f"--server-address=127.0.0.1:{port}",
            "--tls-cert-file=pki/api.crt",
            "--tls-private-key-file=pki/api.key",
        ]

    def kubeconfig(self) -> Mapping[str, object]:
        """An administrator's, for the official clients and tools."""
        pki = self.folder / "pki"
        cluster = {"server": f"https://{self.address}:{self.port}", "certificate-authority": str(pki / "ca.crt")}
        user = {"client-certificate": str(pki / "admin.crt"), "client-key": str(pki / "admin.key")}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "tests", "cluster": cluster}],
            "users": [{"name": "admin", "user": user}],
            "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "admin", "namespace": "default"}}],
            "current-context": "tests",
        }

    def _client(self, name: str, port: int) -> Sequence[str]:
        kubeconfigs = [f"--{role}kubeconfig=kubeconfig" for role in ("", "authentication-", "authorization-")]
        speed = ["--kube-api-qps=1000", "--kube-api-burst=2000"]
        place = ["--bind-address=127.0.0.1", f"--secure-port={port}", f"--cert-dir={name}-pki"]
        return [str(self.kubernetes), name, *kubeconfigs, *speed, *place, "--leader-elect=false"]
