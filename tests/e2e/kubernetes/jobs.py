"""Jobs as plain objects, and what the API tells of them: what the tests of the cluster itself need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubernetes import client
from tests.e2e.kubernetes import images
from tests.e2e.kubernetes.cluster import Cluster

from genoferry.testing.waiting import wait_until

NAME = "job"
DISRUPTION = {"action": "FailJob", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}


def job(script: str, *, image: str = images.BUSYBOX, memory: str = "32Mi", **spec: object) -> dict[str, Any]:
    """A Job with one try that runs `script` in a shell; `spec` is added to the Job's."""
    container = {
        "name": "job",
        "image": image,
        "command": ["sh", "-c", script],
        "resources": {"requests": {"memory": memory}, "limits": {"memory": memory}},
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }
    pod = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "containers": [container]}
    once = {"backoffLimit": 0, "podFailurePolicy": {"rules": [DISRUPTION]}}
    return {"metadata": {"name": NAME}, "spec": {**once, **spec, "template": {"spec": pod}}}


class Watched:
    """The Job of one namespace."""

    def __init__(self, cluster: Cluster, namespace: str, body: Mapping[str, Any]) -> None:
        self._cluster = cluster
        self._namespace = namespace
        cluster.batch.create_namespaced_job(namespace, body)

    def ended(self) -> client.V1JobCondition:
        """The condition that it ends with: type `Complete` or `Failed`."""
        return wait_until(lambda: self._condition("Complete", "Failed"), what="the Job to end", seconds=120)

    def pod(self) -> client.V1Pod:
        """Its pod. Raises `AssertionError` when there is none."""
        pod = self.find_pod()
        assert pod is not None, "the Job has no pod"
        return pod

    def find_pod(self) -> client.V1Pod | None:
        """Its pod, while there is one."""
        pods = self._cluster.core.list_namespaced_pod(self._namespace, label_selector=f"job-name={NAME}").items
        return pods[0] if pods else None

    def running(self) -> client.V1Pod:
        """Its pod, once it runs."""
        return wait_until(lambda: self._pod_if(phase="Running"), what="the pod to run", seconds=120)

    def exit(self) -> client.V1ContainerStateTerminated:
        """How its container has ended."""
        return self.pod().status.container_statuses[0].state.terminated

    def waiting_reason(self) -> str | None:
        """Why its container doesn't start."""
        pod = self.find_pod()
        statuses = (pod.status.container_statuses if pod else None) or []
        return statuses[0].state.waiting.reason if statuses and statuses[0].state.waiting else None

    def log(self) -> str:
        """Its pod's log, as it is: the client would read a log that looks like JSON as JSON."""
        answer = self._cluster.core.read_namespaced_pod_log(
            self.pod().metadata.name, self._namespace, _preload_content=False
        )
        text: str = answer.data.decode()
        return text

    def pod_condition(self, kind: str) -> client.V1PodCondition | None:
        """The pod's condition of that type."""
        pod = self.find_pod()
        conditions = (pod.status.conditions if pod else None) or []
        return next((condition for condition in conditions if condition.type == kind), None)

    def _pod_if(self, phase: str) -> client.V1Pod | None:
        pod = self.find_pod()
        return pod if pod and pod.status.phase == phase else None

    def _condition(self, *types: str) -> client.V1JobCondition | None:
        conditions = self._cluster.batch.read_namespaced_job_status(NAME, self._namespace).status.conditions or []
        return next((item for item in conditions if item.type in types and item.status == "True"), None)
