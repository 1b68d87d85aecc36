"""The end of a file, however long that is; a full disk, whoever tells of it."""

from __future__ import annotations

import errno
from pathlib import Path

FULL = {errno.ENOSPC, errno.EDQUOT}
"""Of a disk without room, or of a user's share of it (write(2))."""
FULL_WORDS = ("No space left on device", "Disk quota exceeded")
"""The same as programs print them (strerror(3))."""


def end_of(path: Path, size: int) -> tuple[bytes, int]:
    """Its last `size` bytes, and where in it they begin. Raises `OSError`."""
    with path.open("rb") as file:
        start = max(0, path.stat().st_size - size)
        file.seek(start)
        return file.read(size), start


def last_lines(path: Path, size: int) -> list[str]:
    """The lines in its last `size` bytes; none where there is no such file."""
    try:
        data, _ = end_of(path, size)
    except FileNotFoundError:
        return []
    return data.decode(errors="replace").splitlines()


def is_full(error: BaseException | None) -> bool:
    """Return whether an error is of a full disk, or follows from one that is."""
    chain: list[BaseException] = []
    while error is not None and error not in chain:
        if isinstance(error, OSError) and error.errno in FULL:
            return True
        chain.append(error)
        error = error.__cause__ or error.__context__
    return False
