"""Images made from folders and tars of files, without a builder: an archive of the kind that `docker save` writes."""

from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

BUSYBOX = "localhost/busybox:1"
"""Holds a shell and its tools; started without a command it sleeps, so a pod's sandbox is made of it too."""
PYTHON = "localhost/python:1"
"""Holds a small Debian with Python."""
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def write(archive: Path, name: str, layers: Sequence[Path], command: Sequence[str]) -> None:
    """Write the image `name` (`registry/name:tag`) made of the plain tars `layers`, the lowest first."""
    settings = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Cmd": list(command), "Env": [PATH]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{_digest(layer)}" for layer in layers]},
    }
    config = json.dumps(settings).encode()
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    names = [f"{number}.tar" for number in range(len(layers))]
    manifest = json.dumps([{"Config": config_name, "RepoTags": [name], "Layers": names}]).encode()
    with tarfile.open(archive, "w") as tar:
        for member, content in ((config_name, config), ("manifest.json", manifest)):
            entry = tarfile.TarInfo(member)
            entry.size = len(content)
            tar.addfile(entry, BytesIO(content))
        for member, layer in zip(names, layers, strict=True):
            tar.add(layer, member)


@contextmanager
def busybox() -> Iterator[Path]:
    """The archive of `BUSYBOX`, made from the machine's own static program."""
    program = shutil.which("busybox")
    assert program, "busybox is missing: run tests/e2e/kubernetes/setup.sh"
    with TemporaryDirectory() as folder:
        layer, archive = Path(folder, "layer.tar"), Path(folder, "image.tar")
        _write_busybox(layer, program)
        write(archive, BUSYBOX, [layer], ["/bin/sleep", "1000d"])
        yield archive


def _write_busybox(layer: Path, program: str) -> None:
    with tarfile.open(layer, "w") as tar:
        tar.add(program, "bin/busybox")
        for name, mode in (("tmp", 0o1777), ("proc", 0o755), ("sys", 0o755), ("dev", 0o755), ("etc", 0o755)):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            tar.addfile(entry)
        for name in ("sh", "sleep", "echo", "cat", "true", "env", "id", "touch", "head", "tr", "wc", "wget", "kill"):
            entry = tarfile.TarInfo(f"bin/{name}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(entry)


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
