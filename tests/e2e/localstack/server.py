"""LocalStack as a process of this machine: on loopback, with all its files in one folder."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from genoferry.local.ports import HOST
from genoferry.local.server import fetch
from genoferry.testing.waiting import wait_until

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
START_SECONDS, GRACE_SECONDS = 120, 20


def python() -> Path:
    """Return LocalStack's Python, where setup.sh puts it."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "genoferry"
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:16]
    return Path(os.environ.get("GENOFERRY_TOOLS") or cache) / f"localstack-{digest}" / "bin" / "python"


@contextmanager
def localstack(folder: Path, port: int) -> Iterator[str]:
    """Run it while the context lasts; its URL."""
    assert python().exists(), "LocalStack is missing: run tests/e2e/localstack/setup.sh"
    url = f"http://{HOST}:{port}"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [python(), "-m", "localstack.runtime.main"],
            cwd=folder,
            env=_environment(folder, f"{HOST}:{port}"),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        wait_until(lambda: _serves(process, url, folder / "log"), what="LocalStack to serve", seconds=START_SECONDS)
        yield url
    finally:
        _end(process)


def _environment(folder: Path, address: str) -> Mapping[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "FILESYSTEM_ROOT": str(folder),
        "OVERRIDE_IN_DOCKER": "0",  # or it takes some machines for a container, and writes to /etc and /usr/lib
        "GATEWAY_SERVER": "hypercorn",  # the default one listens on all interfaces, whatever the address
        "GATEWAY_LISTEN": address,
        "LOCALSTACK_HOST": address,
        "DNS_ADDRESS": "0",
        "DISABLE_EVENTS": "1",  # it would report its use to its makers
        "SKIP_SSL_CERT_DOWNLOAD": "1",
    }


def _serves(process: subprocess.Popen[bytes], url: str, log: Path) -> bool:
    assert process.poll() is None, f"LocalStack ended: {log.read_text(errors='replace')[-3000:]}"
    return fetch(f"{url}/_localstack/health") is not None


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
