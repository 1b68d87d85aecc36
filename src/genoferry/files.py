"""The end of a file, however long that is."""

from __future__ import annotations

from pathlib import Path


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
