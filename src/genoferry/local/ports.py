"""Loopback ports: chosen by the caller, or free ones."""

from __future__ import annotations

import random
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

HOST = "127.0.0.1"
LOWEST, HIGHEST = 20000, 32000
"""Below Linux's ephemeral ports (32768 and up), so that no outgoing connection takes one between choice and use."""


@dataclass(frozen=True)
class Ports:
    """TCP ports of the servers. SeaweedFS's gRPC ports are named, since their default (+10000) may be taken."""

    aws: int
    s3: int
    s3_grpc: int
    master: int
    master_grpc: int
    volume: int
    volume_grpc: int
    filer: int
    filer_grpc: int

    @classmethod
    def free(cls, *, aws: int | None = None, s3: int | None = None) -> Ports:
        """Free ports, but for those that are given: `aws` for all services but S3, and `s3`."""
        given = {name: port for name, port in {"aws": aws, "s3": s3}.items() if port is not None}
        found: dict[str, int] = dict(given)
        for field in fields(cls):
            if field.name not in found:
                found[field.name] = _free(set(found.values()))
        return cls(**found)

    @classmethod
    def load(cls, data: Mapping[str, int]) -> Ports:
        return cls(**data)

    def dump(self) -> dict[str, int]:
        return asdict(self)


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _free(taken: set[int]) -> int:
    candidates = random.sample(range(LOWEST, HIGHEST), 500)
    return next(port for port in candidates if port not in taken and is_free(port))
