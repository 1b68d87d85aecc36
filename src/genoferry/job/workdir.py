"""Where a job works: its scratch, and what it shares with the attempts that read the same inputs."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from genoferry.contracts.jobfile import JobFile
from genoferry.contracts.keys import workspace_prefix
from genoferry.errors import WorkspaceTaken
from genoferry.handlers.protocol import Shared
from genoferry.settings import Settings

log = structlog.get_logger()


@dataclass(frozen=True)
class Place:
    """Where a job works, and what ends it. `scratch` is this attempt's alone and is deleted at its end."""

    settings: Settings
    scratch: Path
    shared: Shared | None
    stop: threading.Event

    def folder(self, name: str) -> Path:
        folder = self.scratch / name
        folder.mkdir()
        return folder

    def inputs(self) -> Path:
        """Where inputs go: the next attempt finds them again where there is something shared."""
        if self.shared is None:
            return self.folder("inputs")
        self.shared.folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # it holds genotypes in clear
        check_own(self.shared.folder)
        folder = self.shared.folder / "inputs"
        folder.mkdir(exist_ok=True)
        return folder


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder of the attempt's own, which holds genotypes in clear and is gone at its end. Raises `OSError` where it
    can't be made. One that can't be removed is its runner's to clean: the exit report is not lost for it."""
    scratch = Path(tempfile.mkdtemp(prefix="job-", dir=os.environ.get("GENOFERRY_SCRATCH")))
    try:
        yield scratch
    finally:
        try:
            shutil.rmtree(scratch)
        except OSError as error:
            log.warning("scratch not removed", cause=error.strerror)


def check_own(folder: Path) -> None:
    """Raises `WorkspaceTaken` where another user made the folder, or put a link there, before us."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise WorkspaceTaken


def shared_by(job: JobFile, settings: Settings, workspace: Path | None, scratch: Path) -> Shared | None:
    """Nothing where the engine needs none; the attempt's own where a runner gives none that would outlive it."""
    if settings.compute.engine != "nextflow" and workspace is None:
        return None
    prefix = f"s3://{job.work_bucket}/{workspace_prefix(job.uuid, job.staged_in)}"
    return Shared(workspace or scratch / "workspace", prefix)
