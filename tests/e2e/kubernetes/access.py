"""What a test may ask of a running cluster: the official client, another account's view, its state, its counts."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import urllib3
import yaml
from kubernetes import client, config
from kubernetes.client import ApiClient, BatchV1Api, CoreV1Api
from tests.e2e.kubernetes.control_plane import ControlPlane
from tests.e2e.kubernetes.node import NAME

from genoferry.testing.waiting import wait_until

SECONDS = 120


class Access:
    """The ways into the cluster of a control plane, as its administrator."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane
        self.folder = plane.folder
        self.kubeconfig = plane.folder / "kubeconfig"
        """For the official client, helm and kubectl."""

    @cached_property
    def client(self) -> ApiClient:
        return config.new_client_from_config(str(self.kubeconfig))

    @cached_property
    def core(self) -> CoreV1Api:
        return CoreV1Api(self.client)

    @cached_property
    def batch(self) -> BatchV1Api:
        return BatchV1Api(self.client)

    def wait_for_node(self, *, ready: bool) -> None:
        """Wait until the control plane holds the node for ready, or (also: when it doesn't know) for not ready."""
        wait_until(lambda: self._node_is_ready() is ready, what=f"a node with ready: {ready}", seconds=SECONDS)

    def compact(self) -> None:
        """Have etcd forget all versions but the present one: an older one can't be watched from (410) any more.

        The API server's own cache of what it watches still knows them, unless its flags turn that off.
        """
        now = self.core.list_namespace(limit=1).metadata.resource_version
        answer = urllib3.request(
            "POST", f"{self.plane.etcd_url}/v3/kv/compaction", json={"revision": now, "physical": True}
        )
        assert answer.status == 200, answer.data

    def metrics(self) -> str:
        """What the API server has counted, in Prometheus's text format."""
        return self.get("/metrics")

    def kubeconfig_of(self, namespace: str, service_account: str) -> Path:
        """A kubeconfig with a token of that service account, so that its rights can be tried."""
        request = client.AuthenticationV1TokenRequest(spec=client.V1TokenRequestSpec(audiences=[]))
        answer = self.core.create_namespaced_service_account_token(service_account, namespace, request)
        path = self.folder / f"kubeconfig-{namespace}-{service_account}"
        user = {"name": "admin", "user": {"token": answer.status.token}}
        path.write_text(yaml.safe_dump({**self.plane.kubeconfig(), "users": [user]}))
        return path

    @cached_property
    def _http(self) -> urllib3.PoolManager:
        authority, certificate, key = (str(self.folder / "pki" / name) for name in ("ca.crt", "admin.crt", "admin.key"))
        return urllib3.PoolManager(ca_certs=authority, cert_file=certificate, key_file=key, retries=False)

    def get(self, path: str) -> str:
        """What the API server answers at `path` (`/readyz`, `/metrics`), as text.

        Raises `urllib3.exceptions.HTTPError` when it doesn't listen.
        """
        return self._http.request("GET", f"https://{self.plane.address}:{self.plane.port}{path}").data.decode()

    def _node_is_ready(self) -> bool | None:
        conditions = self.core.read_node(NAME).status.conditions or [] if self._has_node() else []
        return next((condition.status == "True" for condition in conditions if condition.type == "Ready"), None)

    def _has_node(self) -> bool:
        return any(item.metadata.name == NAME for item in self.core.list_node().items)
