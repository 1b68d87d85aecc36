"""How the cluster is reached: a kubeconfig, or the service account of the pod that the worker is in."""

from __future__ import annotations

import os

import yaml

from genoferry.compute.kubernetes.api import Api
from genoferry.errors import SettingsError
from genoferry.settings import KubernetesSettings


def open_api(settings: KubernetesSettings, namespace: str) -> Api:
    """From a kubeconfig, or a pod's service account. No request is made yet. Raises `SettingsError`."""
    try:
        from kubernetes import client, config
    except ImportError as error:
        raise SettingsError("GENOFERRY_RUNNER=kubernetes needs its client: install genoferry[kubernetes].") from error
    found = client.Configuration()
    try:
        if settings.kubeconfig is None and in_pod():
            config.load_incluster_config(client_configuration=found)
        else:
            path = str(settings.kubeconfig) if settings.kubeconfig else None
            config.load_kube_config(path, settings.context, client_configuration=found, persist_config=False)
    except (config.ConfigException, OSError, yaml.YAMLError) as error:
        raise SettingsError(
            "No cluster to run jobs on: set GENOFERRY_KUBERNETES_KUBECONFIG to a kubeconfig that can be read, with"
            " the context that GENOFERRY_KUBERNETES_CONTEXT names, or run the worker in a pod with a service account."
        ) from error
    found.retries = False
    return Api(client.ApiClient(found), namespace)


def in_pod() -> bool:
    return "KUBERNETES_SERVICE_HOST" in os.environ and "KUBECONFIG" not in os.environ
