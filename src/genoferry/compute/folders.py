"""Folders of jobs: which there are, and their removal, whatever a tool has made of them."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from genoferry.errors import CleanUpFailed


def names_in(folder: Path) -> list[str]:
    return sorted(found.name for found in folder.iterdir()) if folder.is_dir() else []


def age(folder: Path) -> float:
    """Seconds since it last changed."""
    try:
        return time.time() - folder.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def clear(folder: Path) -> None:
    try:
        _remove(folder)
    except OSError as error:
        raise CleanUpFailed(f"A job's folder could not be removed: {error.strerror}. It is tried again.") from error


def _remove(folder: Path) -> None:
    """Till it is gone: another worker may be at the same files, and what is vanished ends a pass of `rmtree`.

    A tool may have left folders that their own user may not change.
    """
    tried = False
    while folder.exists():
        try:
            shutil.rmtree(folder)
        except FileNotFoundError:
            continue
        except PermissionError:
            if tried:
                raise
            tried = True
            _make_writable(folder)


def _make_writable(folder: Path) -> None:
    folder.chmod(0o700)
    for path, names, _ in os.walk(folder):  # from the top: a folder is entered after it was opened up
        for name in names:
            if not (below := Path(path) / name).is_symlink():
                below.chmod(0o700)
