"""Files of a folder on this machine or a mount. Off unless the folder is in `GENOFERRY_ALLOW_FILE_ROOTS`."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from genoferry.errors import (
    GenoferryError,
    RangeNotSatisfiable,
    SourceChanged,
    SourceDenied,
    SourceMissing,
    SourceNotAllowed,
    SourceUnavailable,
)
from genoferry.staging.allowlist import check_file, check_path
from genoferry.staging.cancellation import Halt
from genoferry.staging.source import SourceStat

ERRNO: dict[int, type[GenoferryError]] = {
    errno.ENOENT: SourceMissing,
    errno.EACCES: SourceDenied,
    errno.EPERM: SourceDenied,
    errno.ELOOP: SourceNotAllowed,  # a symbolic link where none was when the path was checked
    errno.ENOTDIR: SourceNotAllowed,
    errno.EISDIR: SourceMissing,
}
"""Anything else is `SourceUnavailable`: what ails a network mount may pass."""


class FileSource:
    """Files below `root`, which `roots` must allow. See `Source`."""

    def __init__(self, root: str, roots: Iterable[str]) -> None:
        self._root, self._roots = Path(root), tuple(roots)

    def open(
        self,
        path: str,
        start: int,
        stop: int,
        if_match: str | None = None,
        halt: Halt | None = None,  # noqa: ARG002  # nothing waits
    ) -> FileBody:
        fd = open_allowed(self._root / check_path(path), self._roots)
        try:
            found = _stat(fd)
            if if_match not in (None, found.etag):
                raise SourceChanged
            if start >= found.size:
                raise RangeNotSatisfiable
            return FileBody(fd, start, stop, found)
        except BaseException:
            os.close(fd)
            raise


class FileBody:
    """See `Body`. Says at its end whether the file stayed as it was."""

    def __init__(self, fd: int, start: int, stop: int, found: SourceStat) -> None:
        self._fd, self._position, self._stop, self.stat = fd, start, stop, found

    def readinto(self, view: memoryview) -> int:
        try:
            got = os.preadv(self._fd, [view[: self._stop - self._position]], self._position)
            changed = _stat(self._fd) != self.stat
        except OSError as error:
            raise of_errno(error) from error
        if changed:
            raise SourceChanged
        self._position += got
        return got

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def abort(self) -> None:
        """Nothing to do: a read of a file ends by itself."""


def open_allowed(path: Path, roots: Iterable[str]) -> int:
    """A descriptor of a regular file in an allowed folder.

    Opened name by name from the root, no symbolic link followed, so that a link put there after the check leads
    nowhere. Raises `SourceNotAllowed`, `SourceMissing`, `SourceDenied`, `SourceUnavailable`.
    """
    try:
        root, place = check_file(path, roots)
        fd = _descend(root, place)
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise SourceMissing("A file of the request is not a regular file at its source.")
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of symbolic links, from pathlib
        raise of_errno(error) from error
    return fd


def _descend(root: Path, place: PurePosixPath) -> int:
    folder = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    for name in place.parts[:-1]:
        try:
            below = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        finally:
            os.close(folder)
        folder = below
    try:
        return os.open(place.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    finally:
        os.close(folder)


def of_errno(error: OSError | RuntimeError) -> GenoferryError:
    number = error.errno if isinstance(error, OSError) else errno.ELOOP
    return ERRNO.get(number or 0, SourceUnavailable)()


def _stat(fd: int) -> SourceStat:
    found = os.fstat(fd)
    return SourceStat(found.st_size, f"{found.st_ino:x}-{found.st_size:x}-{found.st_mtime_ns:x}")
