"""What a state folder remembers of its servers: ports, processes, identities. Only its owner can read it."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from genoferry.local.ports import Ports
from genoferry.local.processes import Process

FILE = "record.json"


@dataclass(frozen=True)
class Identity:
    """Static credentials: the S3 server knows these, and doesn't know what the emulator's STS gives out."""

    access_key_id: str
    secret_access_key: str = field(repr=False)


@dataclass(frozen=True)
class Record:
    ports: Ports
    worker: Identity
    job: Identity
    wrapping_key: str = field(repr=False)
    """Hex of the 32-byte key that wraps the S3 server's own keys of encryption at rest."""
    processes: dict[str, Process] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict, repr=False)
    """The environment of a worker, once all is deployed."""

    @classmethod
    def new(cls, ports: Ports) -> Record:
        return cls(
            ports=ports,
            worker=Identity("genoferry-worker", secrets.token_hex(20)),
            job=Identity("genoferry-job", secrets.token_hex(20)),
            wrapping_key=secrets.token_hex(32),
        )

    def started(self, name: str, process: Process) -> Record:
        return replace(self, processes={**self.processes, name: process})


def load(state: Path) -> Record | None:
    """The record of a state folder, if it has one."""
    path = state / FILE
    if not path.exists():
        return None
    data: dict[str, Any] = json.loads(path.read_text())
    return Record(
        ports=Ports.load(data["ports"]),
        worker=Identity(**data["worker"]),
        job=Identity(**data["job"]),
        wrapping_key=data["wrapping_key"],
        processes={name: Process(**process) for name, process in data["processes"].items()},
        variables=data["variables"],
    )


def save(state: Path, record: Record) -> None:
    """Written aside and renamed, so that a reader never sees half of it."""
    write_private(state / f"{FILE}.new", json.dumps(asdict(record), indent=1))
    (state / f"{FILE}.new").replace(state / FILE)


def write_private(path: Path, text: str) -> None:
    """A file that only its owner can read, from its first byte on."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
