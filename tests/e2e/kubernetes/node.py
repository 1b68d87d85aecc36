"""A real node: containerd and the kubelet, in mount and process namespaces of their own; pods have no network.

Needs root. A pod with `hostNetwork` shares the machine's network; any other sees a loopback of its own.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil
from tests.e2e.kubernetes import images
from tests.e2e.kubernetes.programs import Program

from genoferry.testing.waiting import wait_until

NAME = "localhost"
"""The kubelet refuses a loopback address as a node's, but not a name that stands for one."""
HERE = Path(__file__).parent
SECONDS = 60

CONTAINERD = """
version = 2
root = "{folder}/containerd/root"
state = "{folder}/containerd/state"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
  address = "{folder}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{image}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  tolerate_missing_hugetlb_controller = true
  disable_tcp_service = true
  stream_server_address = "127.0.0.1"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{folder}/cni"
    conf_dir = "{folder}/cni"
"""
# The network's plugin, https://github.com/containernetworking/cni/blob/spec-v0.4.0/SPEC.md: loopback, and no more.
PLUGIN = """#!/bin/sh
cat >/dev/null
case $CNI_COMMAND in
VERSION) echo '{"cniVersion": "0.4.0", "supportedVersions": ["0.3.1", "0.4.0"]}' ;;
ADD)
    nsenter --net="$CNI_NETNS" busybox ip link set lo up
    echo '{"cniVersion": "0.4.0", "interfaces": [{"name": "'$CNI_IFNAME'", "sandbox": "'$CNI_NETNS'"}],
        "ips": [{"version": "4", "interface": 0, "address": "127.0.0.1/8"}]}' ;;
esac
"""
NETWORK = {"cniVersion": "0.4.0", "name": "loopback-only", "plugins": [{"type": "loopback"}]}


def kubelet_settings(folder: Path, port: int) -> Mapping[str, object]:
    """https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/"""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": "127.0.0.1",
        "port": port,
        "healthzPort": 0,
        "authentication": {"x509": {"clientCAFile": f"{folder}/pki/ca.crt"}},
        "containerRuntimeEndpoint": f"unix://{folder}/containerd.sock",
        "podLogsDir": f"{folder}/pod-logs",
        "cgroupDriver": "cgroupfs",
        "cgroupsPerQOS": False,  # the groups are the machine's, and not ours to arrange
        "enforceNodeAllocatable": [],
        "failSwapOn": False,
        "failCgroupV1": False,
        "resolvConf": "",
        "evictionHard": {"memory.available": "0%", "nodefs.available": "0%", "imagefs.available": "0%"},
        "imageGCHighThresholdPercent": 100,  # images can't be pulled again
        "nodeStatusUpdateFrequency": "4s",
        "nodeLeaseDurationSeconds": 8,
    }


class Node:
    """The node's two programs, started inside namespaces that end, with all pods, when this process does."""

    def __init__(self, folder: Path, kubernetes: Path, port: int) -> None:
        """`folder` holds `kubeconfig` and `pki` when it starts; `kubernetes` is the program; `port` the kubelet's."""
        self.folder = folder
        self._kubernetes = kubernetes
        self._port = port
        arguments = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        self._namespaces = self._program("namespaces", [*arguments, "sh", str(HERE / "node.sh"), str(folder)])
        self._running: list[Program] = []
        self.containerd: Program
        self.kubelet: Program

    def start(self) -> None:
        self._write()
        self._start(self._namespaces)
        wait_until((self.folder / "namespaces").exists, what="the node's namespaces", seconds=SECONDS)
        (first,) = psutil.Process(self._namespaces.pid).children()
        inside = ["nsenter", "--target", str(first.pid), "--mount", "--pid", "--"]
        self.containerd = self._program(
            "containerd", [*inside, "containerd", f"--config={self.folder}/containerd.toml"]
        )
        places = [f"--root-dir={self.folder}/kubelet", f"--cert-dir={self.folder}/kubelet-pki"]
        files = [f"--kubeconfig={self.folder}/kubeconfig", f"--config={self.folder}/kubelet.json"]
        self.kubelet = self._program(
            "kubelet", [*inside, str(self._kubernetes), "kubelet", f"--hostname-override={NAME}", *files, *places]
        )
        self._start(self.containerd)
        wait_until(self._containerd_answers, what="containerd", seconds=SECONDS)
        with images.busybox() as archive:
            self.import_image(archive)
        self._start(self.kubelet)

    def import_image(self, archive: Path) -> None:
        """Make the images in `archive` known to the node: what `docker save` or `images.write` wrote."""
        self._ctr("--namespace=k8s.io", "images", "import", str(archive)).check_returncode()

    def stop(self) -> None:
        """End everything, and remove the empty groups that the pods' memory was counted in."""
        while self._running:
            self._running.pop().kill()
        for group in Path("/sys/fs/cgroup").glob("*/k8s.io"):
            for folder in [*sorted(group.rglob("*/"), reverse=True), group]:
                with suppress(OSError):  # another cluster's, or the kernel still clears it away
                    folder.rmdir()

    def _write(self) -> None:
        plugins = self.folder / "cni"
        plugins.mkdir()
        (plugins / "loopback").write_text(PLUGIN)
        (plugins / "loopback").chmod(0o755)
        (plugins / "network.conflist").write_text(json.dumps(NETWORK))
        (self.folder / "containerd.toml").write_text(CONTAINERD.format(folder=self.folder, image=images.BUSYBOX))
        (self.folder / "kubelet.json").write_text(json.dumps(kubelet_settings(self.folder, self._port)))

    def _start(self, program: Program) -> None:
        program.start()
        self._running.append(program)

    def _program(self, name: str, arguments: list[str]) -> Program:
        return Program(arguments, self.folder / f"{name}.log", self.folder)

    def _ctr(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["ctr", f"--address={self.folder}/containerd.sock", *arguments], check=False, capture_output=True
        )

    def _containerd_answers(self) -> bool:
        return self._ctr("version").returncode == 0
