"""Doubles of what a deployment has around it: a Globus collection, a web server and a key service, on loopback.

`python -m genoferry.cli.demo.doubles CONFIG` serves them until SIGTERM; `genoferry demo` runs them inside itself.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import sys
import threading
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from genoferry.cli.demo.prepared import COHORT, SCORES
from genoferry.testing.https_source import Clients, HttpsSource, OnDisk
from genoferry.testing.key_service import KeyService

COLLECTION_FOLDER = "made-up/cohort"
"""`dir_path_on_guest_collection` of the payloads."""
SECRET_ID, SECRET_VERSION = "2d931510-d99f-494a-8c67-87feb05e1594", "1"  # names a key, and is none
USERNAME = "genoferry"


@dataclass(frozen=True)
class Config:
    """`folder` as `prepare` made it; `private_key` in hex; `web_port` 0 takes a free one; `ready` is written when
    all serve."""

    folder: str
    private_key: str
    web_port: int
    ready: str


class Doubles:
    """A context manager; they serve inside it. `variables` is what a worker needs to use them, secrets included."""

    def __init__(self, folder: Path, private_key: bytes, *, web_port: int = 0) -> None:
        genomes = {path.name: OnDisk(path) for path in sorted((folder / COHORT).iterdir())}
        scores = {path.name: OnDisk(path) for path in sorted((folder / SCORES).iterdir())}
        self._client = Clients(client_id=USERNAME, client_secret=secrets.token_hex(20))
        self._password, self._wrapping_password = secrets.token_hex(20), secrets.token_hex(20)
        self._stack = ExitStack()
        self.collection = HttpsSource(
            {f"{COLLECTION_FOLDER}/{name}": content for name, content in genomes.items()}, self._client
        )
        of_web = {f"{COHORT}/{name}": content for name, content in genomes.items()}
        of_web |= {f"{SCORES}/{name}": content for name, content in scores.items()}
        self.web = HttpsSource(of_web, port=web_port)
        self.keys = KeyService(
            {(SECRET_ID, SECRET_VERSION): private_key},
            username=USERNAME,
            password=self._password,
            wrapping_password=self._wrapping_password,
        )
        self.folder = folder

    def __enter__(self) -> Self:
        for server in (self.collection, self.web, self.keys):
            self._stack.enter_context(server)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def variables(self) -> dict[str, str]:
        return {
            "GENOFERRY_GLOBUS_BASE_URL": self.collection.url,
            "GENOFERRY_GLOBUS_TOKEN_URL": f"{self.collection.url}/token",
            "GENOFERRY_GLOBUS_CLIENT_ID": self._client.client_id,
            "GENOFERRY_GLOBUS_CLIENT_SECRET": self._client.client_secret,
            "GENOFERRY_KEY_SERVICE_URL": self.keys.url,
            "GENOFERRY_KEY_SERVICE_USERNAME": USERNAME,
            "GENOFERRY_KEY_SERVICE_PASSWORD": self._password,
            "GENOFERRY_KEY_SERVICE_WRAPPING_PASSWORD": self._wrapping_password,
            "GENOFERRY_ALLOW_HOSTS": self.web.host,
            "GENOFERRY_SCORE_MIRROR": str(self.folder / SCORES),
        }


def main(config_file: str) -> None:
    """Serve until SIGTERM."""
    config = Config(**json.loads(Path(config_file).read_text()))
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with Doubles(Path(config.folder), bytes.fromhex(config.private_key), web_port=config.web_port) as doubles:
        ready = Path(config.ready)
        scratch = ready.with_suffix(".new")
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(doubles.variables, file)
        scratch.replace(ready)
        stop.wait()


def config_text(config: Config) -> str:
    return json.dumps(asdict(config))


if __name__ == "__main__":
    main(sys.argv[1])
