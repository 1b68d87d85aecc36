"""Reading a file that another process still writes: only what is new, and only whole lines."""

from __future__ import annotations

from pathlib import Path


class Lines:
    """Cuts bytes into lines, wherever the pieces were cut; a line that has no end yet waits for its rest."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """The lines that `data` brings to their end, without line ends; what is not UTF-8 is replaced."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        return [line.decode(errors="replace").rstrip("\r") for line in whole]


class Growing:
    """A local file that grows; it may not be there yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def read(self) -> bytes:
        """What was appended since the last read."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            return b""
        self._offset += len(data)
        return data
