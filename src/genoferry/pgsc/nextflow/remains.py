"""What a head that died has left in the workspace: processes that live on, and a session lock that nobody holds.

Nextflow keeps its cache in a LevelDB below `.nextflow/cache/<session>/db`, whose file `LOCK` is locked while a head
runs (java.nio `FileChannel.tryLock`, on Linux fcntl(2)). The kernel lets go of the lock with its process; a network
disk may not hear of the death of a node, and then no `-resume` gets further.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

import psutil
import structlog

from genoferry.errors import HeadStillRuns

log = structlog.get_logger()
TERM_SECONDS = 10.0


def end_remains(workspace: Path) -> int:
    """End the processes of this machine that work in the workspace, heads and tasks of attempts that are over; how
    many there were. Raises `HeadStillRuns` where one can't be ended."""
    found = _working_in(workspace)
    for process in found:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(found, timeout=TERM_SECONDS)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    if psutil.wait_procs(alive, timeout=TERM_SECONDS)[1]:
        raise HeadStillRuns
    if found:
        log.warning("ended what an earlier attempt left running", processes=len(found))
    return len(found)


def clear_stale_locks(launch: Path) -> int:
    """Remove the session locks that are still held although no process here works in the workspace (`end_remains`
    comes first); how many there were.

    Whoever held one belonged to an attempt that is over: its job.json has a tombstone, so that nothing that it
    still does can be published.
    """
    stale = [path for path in launch.glob(".nextflow/cache/*/db/LOCK") if _is_held(path)]
    for path in stale:
        path.unlink()  # the lock goes with the file that it is on; Nextflow makes a new one
        log.warning("removed the lock of a session that is over", session=path.parent.parent.name)
    return len(stale)


def _is_held(path: Path) -> bool:
    with path.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):  # EAGAIN or EACCES: fcntl(2), F_SETLK
            return True
    return False


def _working_in(workspace: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # it ended while we looked, or is another user's
            if process.pid != os.getpid() and Path(process.cwd()).is_relative_to(workspace):
                found.append(process)
    return found
