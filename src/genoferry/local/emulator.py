"""ministack: every AWS service that genoferry needs but S3."""

from __future__ import annotations

from pathlib import Path

from genoferry.local.ports import HOST, Ports
from genoferry.local.server import Server, fetch

NAME = "ministack"
SERVICES = "sqs,sns,dynamodb,secretsmanager,kms,iam,sts,events,cloudformation"
REGION = "us-east-1"
GRACE_SECONDS = 10.0
"""Between TERM and KILL: it writes its state down, which takes about 2 s."""


def url(ports: Ports) -> str:
    return f"http://{HOST}:{ports.aws}"


def server(state: Path, ports: Ports, python: Path) -> Server:
    """How to start it. State is kept over an orderly end (`PERSIST_STATE`), not over kill -9."""
    folder = state / NAME
    folder.mkdir(parents=True, exist_ok=True)
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "BIND_HOST": HOST,
        "MINISTACK_HOST": HOST,
        "GATEWAY_PORT": str(ports.aws),
        "MINISTACK_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "SERVICES": SERVICES,
        "IOT_MTLS_ENABLED": "0",  # or it listens on all interfaces, port 8883
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": f"unix://{folder}/no-docker.sock",  # or it removes containers of other ministacks
        "MINISTACK_WORKER_THREADS": "16",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(folder / "state"),
        "S3_DATA_DIR": str(folder / "s3"),
        "PYTHONUNBUFFERED": "1",
    }
    ready = f"{url(ports)}/_ministack/ready"
    return Server(NAME, [str(python), "-I", "-m", "ministack"], environment, folder, lambda: fetch(ready) is not None)
