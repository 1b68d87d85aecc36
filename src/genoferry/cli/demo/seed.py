"""`genoferry local seed`: the demo's cohort beside the embedded AWS, so that `payloads/*.json` work as they stand."""

from __future__ import annotations

import json
import os
import stat
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from genoferry.aws.clients import client_of
from genoferry.aws.errors import mapped
from genoferry.cli.demo.doubles import Config, config_text
from genoferry.cli.demo.payloads import BUCKET, FOLDER, SECRET_NAME, WEB_PORT
from genoferry.cli.demo.prepared import COHORT, KEYS, SCORES, Prepared, key_file, prepare, seeded
from genoferry.errors import LocalError
from genoferry.local.locking import locked
from genoferry.local.ports import is_free
from genoferry.local.processes import Process, alive, end, spawn

RECORD = "seed.json"
READY_SECONDS = 30.0
POLL_SECONDS = 0.05
GRACE_SECONDS = 2.0


def seed(
    state: Path, variables: Mapping[str, str], *, folder: Path = FOLDER, web_port: int = WEB_PORT
) -> dict[str, str]:
    """Cohort, buckets, secret and doubles; the further variables of a worker that may use them. Idempotent.

    Raises `LocalError`, `ToolsMissing`, `ServiceError`s.
    """
    with locked(state / "seed.lock"):
        _own(folder)
        with locked(folder / "lock"):
            prepared = prepare(folder, rand=seeded())
        _into_aws(prepared, variables)
        return seeded_variables(state) or _serve(state, prepared, web_port)


def seeded_variables(state: Path) -> dict[str, str]:
    """What `seed` returned, while its doubles run; else nothing."""
    record = _record(state)
    return dict(record["variables"]) if record and alive(Process(**record["process"])) else {}


def process_of(state: Path) -> Process | None:
    """The doubles' process, if it runs."""
    record = _record(state)
    process = Process(**record["process"]) if record else None
    return process if alive(process) else None


def unseed(state: Path) -> None:
    """End the doubles. The cohort stays."""
    process = process_of(state)
    if process is not None:
        end({process: GRACE_SECONDS})
    (state / RECORD).unlink(missing_ok=True)


def _record(state: Path) -> dict[str, Any] | None:
    path = state / RECORD
    record: dict[str, Any] | None = json.loads(path.read_text()) if path.exists() else None
    return record


def _own(folder: Path) -> None:
    """The folder, private to its owner: in a shared /tmp another may have made it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise LocalError(f"{folder} belongs to someone else. Ask them to remove it, or seed another with --folder.")
    folder.chmod(0o700)


def _into_aws(prepared: Prepared, variables: Mapping[str, str]) -> None:
    s3, secrets_manager = client_of(variables, "s3"), client_of(variables, "secretsmanager")
    with mapped():
        _unless("BucketAlreadyOwnedByYou", lambda: s3.create_bucket(Bucket=BUCKET))
        for folder in (COHORT, SCORES):
            for path in sorted((prepared.folder / folder).iterdir()):
                s3.put_object(Bucket=BUCKET, Key=f"{folder}/{path.name}", Body=path.read_bytes())
        text = key_file(prepared.private_key).decode()
        _unless("ResourceExistsException", lambda: secrets_manager.create_secret(Name=SECRET_NAME, SecretString=text))


def _unless(code: str, make: Callable[[], object]) -> None:
    """Make something, unless it is there."""
    try:
        make()
    except ClientError as error:
        if error.response["Error"]["Code"] != code:
            raise


def _serve(state: Path, prepared: Prepared, web_port: int) -> dict[str, str]:
    """Start the doubles as a process of their own, which `genoferry local down` ends."""
    port = web_port if is_free(web_port) else 0
    ready, config, log = state / "seed.ready", state / "seed.config", state / "seed.log"
    for path in (ready, config):
        path.unlink(missing_ok=True)
    config.touch(mode=0o600)
    config.write_text(config_text(Config(str(prepared.folder), prepared.private_key.hex(), port, str(ready))))
    argv = [sys.executable, "-m", "genoferry.cli.demo.doubles", str(config)]
    environment = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    process = spawn(argv, environment=environment, cwd=state, log=log)
    try:
        variables = {**_await(ready, process, log), **_allowed(prepared.folder)}
    finally:
        config.unlink()
        ready.unlink(missing_ok=True)
    record = {"process": asdict(process) if process else None, "variables": variables}
    (state / RECORD).unlink(missing_ok=True)
    (state / RECORD).touch(mode=0o600)
    (state / RECORD).write_text(json.dumps(record))
    return variables


def _await(ready: Path, process: Process | None, log: Path) -> dict[str, str]:
    deadline = time.monotonic() + READY_SECONDS
    while not ready.exists():
        if not alive(process) or time.monotonic() > deadline:
            raise LocalError(f"The collection, web server and key service of the demo didn't start. Their log: {log}")
        time.sleep(POLL_SECONDS)
    variables: dict[str, str] = json.loads(ready.read_text())
    return variables


def _allowed(folder: Path) -> dict[str, str]:
    """The allow-lists that the payloads need, no wider."""
    return {
        "GENOFERRY_ALLOW_BUCKETS": BUCKET,
        "GENOFERRY_ALLOW_FILE_ROOTS": f"{folder / COHORT},{folder / SCORES}",
        "GENOFERRY_ALLOW_KEY_ROOTS": str(folder / KEYS),
        "GENOFERRY_ALLOW_SECRET_PREFIXES": "genoferry/",
    }
