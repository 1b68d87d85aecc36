"""The servers' own virtual environment, since ministack pins a botocore that isn't ours.

`python -m genoferry.local.tools` installs it ahead of the first `genoferry local up`.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from genoferry.errors import LocalToolsMissing
from genoferry.local.locking import locked
from genoferry.local.template import CHECKOUT

REQUIREMENTS = Path(__file__).with_name("requirements-local.txt")
MARKER = "genoferry-requirements.sha256"


@dataclass(frozen=True)
class Tools:
    """Programs of the servers."""

    python: Path
    weed: Path


def ensure_tools() -> Tools:
    """Install the servers where they aren't yet. Raises `LocalToolsMissing`, which says what is missing."""
    bin_folder = ensure_venv(REQUIREMENTS, place()) / "bin"
    return Tools(bin_folder / "python", bin_folder / "weed")


def place() -> Path:
    """`.venv-local` of a checkout; else a folder of the user's cache, named by the requirements' digest."""
    if (CHECKOUT / "pyproject.toml").is_file() and (CHECKOUT / "infra").is_dir():
        return CHECKOUT / ".venv-local"
    home = os.environ.get("GENOFERRY_HOME")
    cache = Path(home).expanduser() if home else Path.home() / ".cache" / "genoferry"
    return cache / f"tools-{_digest(REQUIREMENTS)[:16]}"


def ensure_venv(requirements: Path, folder: Path) -> Path:
    """The virtual environment `folder/venv` with exactly these hash-locked requirements; made anew when they change.

    Raises `LocalToolsMissing`.
    """
    digest, venv = _digest(requirements), folder / "venv"
    with locked(folder / "lock"):
        if not _installed(venv, digest):
            _make(requirements, venv)
            (venv / MARKER).write_text(digest)
    return venv


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _installed(venv: Path, digest: str) -> bool:
    marker = venv / MARKER
    return marker.is_file() and marker.read_text() == digest and (venv / "bin" / "python").exists()


def _make(requirements: Path, venv: Path) -> None:
    if importlib.util.find_spec("ensurepip") is None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise LocalToolsMissing(f"Python's venv module lacks ensurepip. Install the package python{version}-venv.")
    _run([sys.executable, "-m", "venv", "--clear", str(venv)], "a virtual environment could not be made", venv)
    pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "--require-hashes", "--no-input"]
    _run(
        [*pip, "--disable-pip-version-check", "--quiet", "-r", str(requirements)],
        f"pip could not install {requirements.name}; it needs a Python package index "
        "(PIP_INDEX_URL, or PIP_FIND_LINKS for a folder of wheels, where the usual one can't be reached)",
        venv,
    )


def _run(command: list[str], complaint: str, venv: Path) -> None:
    log = venv.with_name("log")
    with log.open("a") as output:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False)
    if done.returncode:
        raise LocalToolsMissing(f"The embedded AWS is not installed: {complaint}. What was said is in {log}")


if __name__ == "__main__":
    try:
        ensure_tools()
    except LocalToolsMissing as error:
        sys.exit(str(error))
