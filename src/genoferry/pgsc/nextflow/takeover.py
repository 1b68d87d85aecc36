"""What an attempt that died has left in the workspace: processes that live on, and a session lock that nobody holds.

Nextflow keeps its cache in a LevelDB below `.nextflow/cache/<session>/db`, whose file `LOCK` is locked while a head
runs (java.nio `FileChannel.tryLock`, on Linux fcntl(2)). The kernel lets go of the lock with its process; a network
disk may not hear of the death of a node, and then no `-resume` gets further.
"""

from __future__ import annotations

import fcntl
from pathlib import Path

import structlog

from genoferry.errors import HeadStillRuns
from genoferry.pgsc.nextflow.heartbeat import Heart
from genoferry.procfs import end_all, working_below

log = structlog.get_logger()
TERM_SECONDS = 10.0


def take_over(workspace: Path, launch: Path, heart: Heart) -> None:
    """Make the workspace this attempt's: end what works in it here, wait until nothing elsewhere does, and remove the
    session lock that is left.

    Raises `HeadStillRuns` where another machine's head goes on, or a process here can't be ended.
    """
    if not end_remains(workspace):
        raise HeadStillRuns
    heart.await_silence()
    clear_stale_locks(launch)


def end_remains(workspace: Path, session: int | None = None) -> bool:
    """End the processes of this machine that work in the workspace, of one session or of any. Whether all have."""
    found = working_below(workspace, session=session)
    if found:
        log.warning("ended what was left running", processes=len(found))
    return not end_all(found, TERM_SECONDS)


def clear_stale_locks(launch: Path) -> int:
    """Remove the session locks that are still held; how many there were. Only where nothing can hold them."""
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
