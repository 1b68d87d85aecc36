"""An image of the checkout as it is, for jobs: Debian's Python, the packages that genoferry needs, and its source.

Made in seconds and without a builder, so that a test of the worker never meets the code of another day. The image that
users get is the Dockerfile's.
"""

from __future__ import annotations

import stat
import tarfile
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from packaging.requirements import Requirement
from tests.e2e.kubernetes import images
from tests.e2e.kubernetes.places import ROOTFS

import genoferry

NAME = "localhost/genoferry:checkout"
PACKAGES = "usr/local/lib/python3.11/dist-packages"
"""Where Debian's Python looks for what isn't Debian's."""
PROGRAM = b"#!/usr/bin/python3\nfrom genoferry.cli.app import main\n\nmain()\n"


def write(archive: Path, *modules: Path) -> None:
    """Write the image `NAME`, with these modules in it too."""
    assert ROOTFS.exists(), "Python's files are missing: run tests/e2e/kubernetes/setup.sh"
    with TemporaryDirectory() as folder:
        layer = Path(folder, "layer.tar")
        with tarfile.open(layer, "w") as tar:
            for one in needed(distribution("genoferry")).values():
                _add_package(tar, one)
            for path in (Path(genoferry.__file__).parent, *modules):
                tar.add(path, f"{PACKAGES}/{path.name}")
            _add_program(tar, "usr/local/bin/genoferry", PROGRAM)
        images.write(archive, NAME, [ROOTFS, layer], ["genoferry", "--help"])


def needed(package: Distribution, extras: tuple[str, ...] = ()) -> dict[str, Distribution]:
    """It and all that it needs, as installed here, without its own extras."""
    found: dict[str, Distribution] = {}
    todo = [(package, extras)]
    while todo:
        one, extras = todo.pop()
        if one.name in found and not extras:
            continue
        found[one.name] = one
        todo += [(distribution(need.name), tuple(need.extras)) for need in _needs(one, extras)]
    return found


def _needs(package: Distribution, extras: tuple[str, ...]) -> Iterator[Requirement]:
    for text in package.requires or ():
        need = Requirement(text)
        if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield need


def _add_package(tar: tarfile.TarFile, package: Distribution) -> None:
    """Its modules and metadata; not its programs, nor the pointer to a checkout."""
    for path in package.files or ():
        found = Path(str(path.locate()))
        if ".." not in path.parts and path.suffix != ".pth" and found.exists():
            tar.add(found, f"{PACKAGES}/{path}")


def _add_program(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), stat.S_IFREG | 0o755
    tar.addfile(entry, BytesIO(content))
