"""boto3 clients of whoever an environment says, whatever this process's own environment is."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from genoferry.aws.clients import client_of

_making = threading.Lock()
"""boto3 makes clients safely on one thread at a time."""


class Clients:
    """Made when they are first asked for. `environment` holds the `AWS_…` variables that a worker exports."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._made: dict[str, Any] = {}

    def get(self, service: str) -> Any:
        with _making:
            if service not in self._made:
                self._made[service] = client_of(self._environment, service)
            return self._made[service]

    def close(self) -> None:
        for client in self._made.values():
            client.close()
