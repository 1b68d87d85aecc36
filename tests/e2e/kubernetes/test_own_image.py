"""What the project's Dockerfile makes: small, nobody's, labelled, and without what built it."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from typing import Any

import pytest
from tests.e2e.kubernetes.places import ARCHIVE, GENOFERRY

from genoferry import __version__

MOST_BYTES = 10**9


@pytest.fixture(scope="module")
def archive() -> Iterator[tarfile.TarFile]:
    assert ARCHIVE.exists(), "the image's archive is missing: run tests/e2e/kubernetes/image.sh"
    with tarfile.open(ARCHIVE) as opened:
        yield opened


@pytest.fixture(scope="module")
def manifest(archive: tarfile.TarFile) -> dict[str, Any]:
    (found,) = read(archive, "manifest.json")
    return dict(found)


def read(archive: tarfile.TarFile, name: str) -> Any:
    file = archive.extractfile(name)
    assert file is not None
    return json.load(file)


def test_it_is_under_a_gigabyte(archive: tarfile.TarFile, manifest: dict[str, Any]) -> None:
    assert sum(archive.getmember(layer).size for layer in manifest["Layers"]) < MOST_BYTES


def test_it_runs_as_nobody_and_says_what_it_is(archive: tarfile.TarFile, manifest: dict[str, Any]) -> None:
    config = read(archive, manifest["Config"])["config"]
    assert manifest["RepoTags"] == [GENOFERRY]
    assert config["User"] == "10001:10001"
    assert (config["Entrypoint"], config["Cmd"]) == (["genoferry"], ["worker"])
    assert config["Healthcheck"]["Test"][:2] == ["CMD", "python"]
    assert config["Labels"]["org.opencontainers.image.version"] == __version__


def test_what_builds_it_stays_behind(archive: tarfile.TarFile, manifest: dict[str, Any]) -> None:
    config = read(archive, manifest["Config"])
    variables = dict(text.split("=", 1) for text in config["config"]["Env"])
    names = {name for layer in manifest["Layers"] for name in files(archive, layer)}
    assert {"opt/genoferry/bin/genoferry", "usr/bin/plink2"} <= names
    assert not {name for name in names if name.startswith(("opt/genoferry/bin/pip", "opt/build/", "src/", "wheels/"))}
    assert not {name for name in variables if name.startswith("PIP_INDEX")}


def files(archive: tarfile.TarFile, layer: str) -> list[str]:
    opened = archive.extractfile(layer)
    assert opened is not None
    with tarfile.open(fileobj=opened) as inner:
        return inner.getnames()
