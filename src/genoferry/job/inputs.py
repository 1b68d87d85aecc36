"""A job's inputs from the work bucket: fetched once, checked while they come, found again by the next attempt."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from genoferry.contracts.jobfile import JobFile, StagedInput
from genoferry.errors import StagingStopped
from genoferry.job.reporter import Reporter
from genoferry.job.storage import Storage, sha256_of

FETCHES_AT_ONCE = 4


def fetch(
    job: JobFile, storage: Storage, folder: Path, reporter: Reporter, stop: threading.Event
) -> dict[str, dict[str, Path]]:
    """The inputs into `folder`, by role and name; one that an earlier attempt fetched there is taken as it is, if it is
    whole and, where its digest was stated, right. Raises `DigestMismatch`, `SizeMismatch`, `StagingStopped`."""
    total, done, lock = sum(item.size for item in job.inputs), 0, threading.Lock()

    def moved(size: int) -> None:
        nonlocal done
        if stop.is_set():
            raise StagingStopped
        with lock:
            done += size
        reporter.progress("fetch", done, total, "bytes")

    def one(item: StagedInput) -> tuple[str, str, Path]:
        target = folder / item.role / item.name
        if _is_whole(target, item):
            moved(item.size)
            return item.role, item.name, target
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.{job.attempt}")  # an attempt has one process
        storage.fetch(job.work_bucket, item.key, partial, size=item.size, sha256=item.sha256, moved=moved)
        partial.rename(target)
        return item.role, item.name, target

    files: dict[str, dict[str, Path]] = {}
    with ThreadPoolExecutor(FETCHES_AT_ONCE) as pool:
        for role, name, path in pool.map(one, job.inputs):
            files.setdefault(role, {})[name] = path
    return files


def _is_whole(path: Path, item: StagedInput) -> bool:
    if not path.exists() or path.stat().st_size != item.size:
        return False
    return item.sha256 is None or sha256_of(path) == item.sha256
