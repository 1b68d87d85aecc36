"""A Kubernetes of one's own on loopback: etcd, API server, controllers, scheduler, and a node of one of three kinds.

All its state is in one folder, all its programs end with this process, and RBAC is on.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Self

import yaml
from tests.e2e.kubernetes import pki
from tests.e2e.kubernetes.access import Access
from tests.e2e.kubernetes.node import NAME, Node
from tests.e2e.kubernetes.places import free_port, plane, tool
from tests.e2e.kubernetes.programs import Program
from urllib3.exceptions import HTTPError

from genoferry.testing.waiting import wait_until

STAGES = Path(__file__).with_name("kwok.yaml")
CAPACITY = {"cpu": "10k", "memory": "100Ti", "pods": "10k"}
PRETENDED_LOG = "2026-01-01T00:00:00.000000000Z stdout F pretended\n"
"""Each pod's under kwok, in the form in which a container runtime keeps logs."""
SECONDS = 120


class Kind(StrEnum):
    """Who runs the pods."""

    REAL = "real"
    """containerd and the kubelet: needs root; images have to be imported."""
    KWOK = "kwok"
    """Nobody: kwok says that they run and end, as their annotations ask (see kwok.yaml), thousands at a time."""
    NONE = "none"
    """Nobody: there is no node, and the test writes what becomes of a pod."""


class Cluster(Access):
    """A cluster from `with` until its end. `api_flags` are added to the API server's."""

    def __init__(self, kind: Kind, *api_flags: str) -> None:
        self.kind = kind
        kubernetes = tool("kubernetes")
        folder = Path(tempfile.mkdtemp(prefix=f"kubernetes-{kind}-"))
        super().__init__(plane(folder, kubernetes, own_network=kind is Kind.REAL))
        self.etcd = self._program("etcd", *self.plane.etcd())
        self.api_server = self._program("kube-apiserver", *self.plane.api_server(api_flags))
        self.controllers = self._program("kube-controller-manager", *self.plane.controllers())
        self.scheduler = self._program("kube-scheduler", *self.plane.scheduler())
        self.node = Node(folder, kubernetes, free_port())
        self._ends = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as started:  # what has started ends when something after it does not start
            started.callback(shutil.rmtree, self.folder)
            pki.write(self.folder / "pki", self.plane.address)
            self.kubeconfig.write_text(yaml.safe_dump(self.plane.kubeconfig()))
            for program in (self.etcd, self.api_server):
                started.callback(program.kill)
                program.start()
            self.wait_for_api()
            for program in (self.controllers, self.scheduler):
                started.callback(program.kill)
                program.start()
            self._start_node(started)
            wait_until(self._has_service_account, what="the controllers", seconds=SECONDS)
            self._ends = started.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    def wait_for_api(self) -> None:
        """Wait until the API server says that it is ready. Raises `AssertionError` with its last words."""
        wait_until(self._api_is_ready, what="the API server", seconds=SECONDS)

    def restart_api(self) -> None:
        """SIGKILL the API server, and start it again on the same address: watches break, and old versions are gone."""
        self.api_server.kill()
        self.api_server.start()
        self.wait_for_api()

    @contextmanager
    def spare_node(self) -> Iterator[None]:
        """For a while a second node, which is always ready and takes no pods.

        Without it, when the only node is silent, Kubernetes holds the whole place for broken and ends no pods:
        https://kubernetes.io/docs/concepts/architecture/nodes/#rate-limits-on-eviction
        """
        with ExitStack() as started:
            started.callback(self.core.delete_node, "spare")
            self._pretend_node(started, "spare", unschedulable=True)
            yield

    def _start_node(self, started: ExitStack) -> None:
        match self.kind:
            case Kind.REAL:
                started.callback(self.node.stop)
                self.node.start()
            case Kind.KWOK:
                (self.folder / "log.txt").write_text(PRETENDED_LOG)
                self._pretend_node(started, NAME, unschedulable=False)
            case Kind.NONE:
                return
        self.wait_for_node(ready=True)

    def _pretend_node(self, started: ExitStack, name: str, *, unschedulable: bool) -> None:
        status = {"capacity": CAPACITY, "allocatable": CAPACITY}
        self.core.create_node({"metadata": {"name": name}, "spec": {"unschedulable": unschedulable}, "status": status})
        kwok = self._program("kwok", *self.plane.kwok(tool("kwok"), STAGES, name, free_port()))
        started.callback(kwok.kill)
        kwok.start()

    def _program(self, name: str, *arguments: str) -> Program:
        return Program(arguments, self.folder / f"{name}.log", self.folder)

    def _api_is_ready(self) -> bool:
        assert self.api_server.alive, self.api_server.last_words()
        try:
            return self.get("/readyz") == "ok"
        except HTTPError:
            return False

    def _has_service_account(self) -> bool:
        return bool(self.core.list_namespaced_service_account("default").items)
