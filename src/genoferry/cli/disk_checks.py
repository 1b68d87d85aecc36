"""What `genoferry doctor` looks at of the disk that the local runner's jobs write to."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from genoferry.cli import output
from genoferry.cli.finding import Finding

if TYPE_CHECKING:
    from genoferry.settings import Settings

WHAT = "disk"
GB = 10**9
LEAST = 1 * GB
"""Under this nothing is calculated."""
ROOM = 10 * GB
"""For each job that may run: its inputs in clear, and what the calculation writes beside them."""


def disk(known: Settings) -> Iterator[Finding]:
    """Of the folders that jobs of this machine have; nothing where they run elsewhere."""
    if known.compute.runner != "local":
        return
    yield folder_finding(known.compute.local_dir, "GENOFERRY_LOCAL_DIR", known.compute.max_running)
    if known.compute.engine == "nextflow" and known.workspaces != known.compute.local_dir:
        yield folder_finding(known.workspaces, "GENOFERRY_WORKSPACES", known.compute.max_running)


def folder_finding(folder: Path, variable: str, jobs: int) -> Finding:
    """Whether it can be written to, and whether so many jobs have room in it."""
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        mend = f"Set {variable} to a folder that the worker may write to."
        return Finding("fail", WHAT, f"{folder}: {there} can't be written to", mend)
    free = shutil.disk_usage(there).free
    detail = f"{folder}: {output.size(free)} free, {jobs} job{'' if jobs == 1 else 's'} at once"
    if free >= jobs * ROOM:
        return Finding("ok", WHAT, detail)
    advice = f"Free some space, set {variable} to a folder on a larger disk, or lower GENOFERRY_MAX_RUNNING."
    return Finding("warn" if free >= LEAST else "fail", WHAT, f"{detail}; {ROOM // GB} GB each are advised", advice)
