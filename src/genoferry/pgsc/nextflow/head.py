"""Nextflow itself as a child process: started with a bare environment, looked at, ended with all that it started."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from genoferry.errors import NextflowMissing
from genoferry.files import last_lines
from genoferry.pgsc.nextflow.layout import Places
from genoferry.pgsc.nextflow.takeover import end_remains

PASSED_ON = (
    "PATH", "LANG", "LC_ALL", "TZ", "JAVA_HOME", "JAVA_CMD", "KUBECONFIG", "KUBERNETES_SERVICE_HOST",
    "KUBERNETES_SERVICE_PORT", "SSL_CERT_FILE", "DOCKER_HOST", "XDG_RUNTIME_DIR", "TRACEPARENT",
)  # fmt: skip
PASSED_ON_PREFIXES = ("NXF_", "SINGULARITY_", "APPTAINER_")
"""Of the job's environment: how Nextflow finds Java, its own home, clusters, and the caches of images. No secrets."""

AWS = (
    "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CA_BUNDLE",
)  # fmt: skip
"""Where its AWS credentials are, not what they are; only for a work dir in a bucket, or Batch."""

TAIL_BYTES = 1024 * 1024
"""Of Nextflow's log: a signal that ended it stands there before a dump of all its threads."""

BEAT = 0.2
"""Seconds between two looks at whether the head has ended or is to stop."""

GRACE = 20.0
"""Seconds from SIGTERM, at which Nextflow ends its tasks, to SIGKILL; less than a job itself is given."""


def environment(places: Places, rendered: Mapping[str, str], *, aws: bool) -> dict[str, str]:
    """The head's whole environment."""
    names = PASSED_ON + (AWS if aws else ())
    own = {n: value for n, value in os.environ.items() if n in names or n.startswith(PASSED_ON_PREFIXES)}
    return {"HOME": str(places.workspace)} | dict(rendered) | own


def run_head(
    command: Sequence[str],
    env: Mapping[str, str],
    places: Places,
    *,
    look: Callable[[], None],
    poll_seconds: float,
    stop: threading.Event,
) -> int:
    """Run it to its end; its exit code, negative for a signal. `look` is called every `poll_seconds` and at the end.

    What it prints goes to `places.console`. When `stop` is set it is ended, and its tasks with it. Raises
    `NextflowMissing`.
    """
    with places.console.open("wb") as console:
        try:
            head = subprocess.Popen(
                command,
                cwd=places.launch,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
            )
        except OSError as error:
            raise NextflowMissing from error
    try:
        code = _wait(head, look, poll_seconds, stop)
    finally:
        _end(head)
        end_remains(places.workspace, session=os.getsid(0))  # no more: another attempt may work there by now
    look()
    return code


def _wait(head: subprocess.Popen[bytes], look: Callable[[], None], poll_seconds: float, stop: threading.Event) -> int:
    """Till it ends, or is ended since it is to stop."""
    looked = time.monotonic()
    while head.poll() is None and not stop.wait(BEAT):
        if time.monotonic() - looked >= poll_seconds:
            look()
            looked = time.monotonic()
    _end(head)
    return head.wait()


def _end(head: subprocess.Popen[bytes]) -> None:
    if head.poll() is not None:
        return
    head.terminate()
    with suppress(subprocess.TimeoutExpired):
        head.wait(GRACE)
        return
    head.kill()
    head.wait()


def tail(path: Path) -> list[str]:
    """The lines in the last `TAIL_BYTES` of a text file, none where there is none."""
    return last_lines(path, TAIL_BYTES)
