"""Where a cluster's programs are, and where they may listen."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path
from secrets import randbelow

from tests.e2e.kubernetes.control_plane import ControlPlane

VERSIONS = {"kubernetes": "1.34.4", "helm": "3.19.5", "kwok": "0.7.0"}
"""As setup.sh makes them."""
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "genoferry"
TOOLS = Path(os.environ.get("GENOFERRY_TOOLS") or CACHE)
ROOTFS = TOOLS / "debian-python" / "rootfs"
"""A tar with the files of a small Debian with Python, venv and pip."""
ARCHIVE = Path(os.environ.get("GENOFERRY_IMAGE_ARCHIVE") or TOOLS / "image" / "genoferry.tar")
"""What `docker save` wrote of the project's own image, as image.sh does."""
GENOFERRY = "localhost/genoferry:test"
"""That image's name."""


def tool(name: str) -> Path:
    """The program that setup.sh has made: `kubernetes`, `helm` or `kwok`."""
    path = TOOLS / f"{name}-{VERSIONS[name]}" / name
    assert path.exists(), f"{name} is missing: run tests/e2e/kubernetes/setup.sh"
    return path


def plane(folder: Path, kubernetes: Path, *, own_network: bool) -> ControlPlane:
    """The control plane in `folder`, on free ports; `own_network`, for root only, is for services on loopback.

    The first address of the services' range is the API server's own: pods on the host's network find it there.
    """
    address, port, services = "127.0.0.1", 0, "10.96.0.0/24"
    if own_network:
        network = _free_network()
        address, port, services = f"{network}.1", 443, f"{network}.0/24"
    ports = [free_port() for _ in range(5)]
    return ControlPlane(folder, kubernetes, address, port or ports[4], services, *ports[:4])


def free_port() -> int:
    """A port where nothing listens on 127.0.0.1."""
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        port: int = tried.getsockname()[1]
        return port


def _free_network() -> str:
    """The first three numbers of a loopback network where nothing listens for HTTPS."""
    while True:
        network = f"127.{64 + randbelow(64)}.{1 + randbelow(254)}"
        with socket.socket() as tried, suppress(OSError):
            tried.bind((f"{network}.1", 443))
            return network
