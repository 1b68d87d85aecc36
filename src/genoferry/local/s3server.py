"""SeaweedFS: a real S3 server that checks checksums and conditions. One process, loopback only, two identities."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from genoferry.local.ports import HOST, Ports
from genoferry.local.record import Identity, Record, write_private
from genoferry.local.server import Server, fetch

NAME = "seaweedfs"
GRACE_SECONDS = 0.5
"""Between TERM and KILL. Its volumes are closed within milliseconds; then its filer may wait for them for ever."""
MASTER_TOML = "[master.volume_growth]\ncopy_1 = 1\n"
"""One volume at a time for each bucket, not seven."""
FILER_TOML = '[leveldb2]\nenabled = true\ndir = "data/filer"\n'


def url(ports: Ports) -> str:
    return f"http://{HOST}:{ports.s3}"


def server(state: Path, record: Record, buckets: Sequence[str], weed: Path) -> Server:
    """How to start it. `buckets` are work and results, in this order, for the job's rights."""
    folder = state / NAME
    (folder / "data" / "filer").mkdir(parents=True, exist_ok=True)
    (folder / "logs").mkdir(exist_ok=True)
    (folder / "master.toml").write_text(MASTER_TOML)
    (folder / "filer.toml").write_text(FILER_TOML)
    write_private(folder / "identities.json", json.dumps(_identities(record, *buckets)))
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),  # it reads settings from there
        "WEED_S3_SSE_KEK": record.wrapping_key,
        "GOMEMLIMIT": "256MiB",
    }
    return Server(NAME, [str(weed), *_arguments(record.ports)], environment, folder, lambda: _ready(record.ports))


def remove_sockets(ports: Ports) -> None:
    """Remove the gRPC sockets of a killed server. SeaweedFS has their place built in, whatever its flags say."""
    for name in ("master", "volume", "filer", "s3"):
        path = Path(f"/tmp/seaweedfs-{name}-grpc-{ports.dump()[f'{name}_grpc']}.sock")  # noqa: S108
        if path.exists() and stat.S_ISSOCK(path.lstat().st_mode) and path.lstat().st_uid == os.getuid():
            path.unlink()


def _arguments(ports: Ports) -> list[str]:
    """Paths are relative to the server's folder: a socket's path may have 107 bytes at most."""
    flags = {
        "ip": HOST,
        "ip.bind": HOST,
        "dir": "data",
        "master.port": ports.master,
        "master.port.grpc": ports.master_grpc,
        "master.peers": "none",  # a single master needs no election, which saves a second
        "master.telemetry": "false",
        "master.volumeSizeLimitMB": 1024,
        "volume.port": ports.volume,
        "volume.port.grpc": ports.volume_grpc,
        "volume.max": 0,
        "volume.minFreeSpace": 1,
        "volume.preStopSeconds": 0,
        "filer.port": ports.filer,
        "filer.port.grpc": ports.filer_grpc,
        "filer.localSocket": "filer.sock",
        "filer.disableDirListing": "true",
        "s3.port": ports.s3,
        "s3.port.grpc": ports.s3_grpc,
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "s3.localSocket": "s3.sock",
        "s3.config": "identities.json",
        "s3.iam": "false",
        "s3.autoCreateBucket": "false",
    }
    return ["-logdir=logs", "server", "-filer", "-s3", *(f"-{name}={value}" for name, value in flags.items())]


def _identities(record: Record, work: str, results: str) -> dict[str, object]:
    """The worker's identity is the developer's own and may make buckets; the job's has the job role's rights."""
    job = [f"Read:{work}", f"List:{work}", f"Write:{work}", f"Write:{results}"]
    return {"identities": [_identity("worker", record.worker, ["Admin"]), _identity("job", record.job, job)]}


def _identity(name: str, identity: Identity, actions: list[str]) -> dict[str, object]:
    keys = [{"accessKey": identity.access_key_id, "secretKey": identity.secret_access_key}]
    return {"name": name, "credentials": keys, "actions": actions}


def _ready(ports: Ports) -> bool:
    """S3 answers before the volume server has told the master of its capacity, and puts fail until then."""
    topology = fetch(f"http://{HOST}:{ports.master}/dir/status")
    capacity = json.loads(topology)["Topology"].get("Max", 0) if topology else 0
    return capacity > 0 and fetch(f"{url(ports)}/healthz") is not None
