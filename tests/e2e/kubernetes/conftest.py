"""Real clusters, started once a session; an image for their pods; and a namespace of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from tests.conftest import Deployment
from tests.e2e.kubernetes import checkout, images
from tests.e2e.kubernetes.cluster import Cluster, Kind
from tests.e2e.kubernetes.place import HANDLERS, Boss, Place, settings
from tests.e2e.kubernetes.places import ARCHIVE, GENOFERRY, ROOTFS


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A cluster whose one node runs real pods, and knows the image `images.BUSYBOX`."""
    with Cluster(Kind.REAL) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def kwok_cluster() -> Iterator[Cluster]:
    """A cluster whose one node only says that it runs pods, thousands of them."""
    with Cluster(Kind.KWOK) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def image(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of an image with a small Debian and Python, known to `cluster`'s node."""
    assert ROOTFS.exists(), "Python's files are missing: run tests/e2e/kubernetes/setup.sh"
    archive: Path = tmp_path_factory.mktemp("image") / "python.tar"
    images.write(archive, images.PYTHON, [ROOTFS], ["python3"])
    cluster.node.import_image(archive)
    archive.unlink()
    return images.PYTHON


@pytest.fixture(scope="session")
def own_image(cluster: Cluster) -> str:
    """The name of the image that the project's Dockerfile makes, known to `cluster`'s node."""
    assert ARCHIVE.exists(), "the image's archive is missing: run tests/e2e/kubernetes/image.sh"
    cluster.node.import_image(ARCHIVE)
    return GENOFERRY


@pytest.fixture(scope="session")
def job_image(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The image of the jobs of a `place`, known to `cluster`'s node."""
    archive: Path = tmp_path_factory.mktemp("image") / "checkout.tar"
    checkout.write(archive, HANDLERS / "ask.py")
    cluster.node.import_image(archive)
    archive.unlink()


@pytest.fixture
def place(cluster: Cluster, namespace: str, job_image: None, deployment: Deployment, tmp_path: Path) -> Iterator[Place]:
    """A deployment whose jobs run in `namespace`, and do what the test says."""
    with deployment(tmp_path) as harness, Boss() as boss:
        harness.environment |= settings(cluster, namespace, harness.environment)
        yield Place(cluster, namespace, harness, boss)


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """A fresh namespace in `cluster`."""
    with _namespace(cluster) as name:
        yield name


@pytest.fixture
def kwok_namespace(kwok_cluster: Cluster) -> Iterator[str]:
    """A fresh namespace in `kwok_cluster`."""
    with _namespace(kwok_cluster) as name:
        yield name


@contextmanager
def _namespace(cluster: Cluster) -> Iterator[str]:
    name = f"test-{uuid4().hex[:8]}"
    cluster.core.create_namespace({"metadata": {"name": name}})
    try:
        yield name
    finally:
        cluster.core.delete_namespace(name)
