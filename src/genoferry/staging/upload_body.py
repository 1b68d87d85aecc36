"""Memory as the body of a request: botocore takes no memoryview, and copies bytes; a file it reads piece by piece."""

from __future__ import annotations

import os

from genoferry.staging.cancellation import Halt

PIECE = 1024**2
"""Bytes handed over at once, whatever less is asked for: http.client would ask for 8 or 16 KiB each time."""


class Abandoned(BaseException):
    """Ends a request in its middle. No `Exception`, since botocore would take that for trouble and try again."""


class Body:
    """A file-like view of memory, without copying any. Sending it ends with `Abandoned` once `halt` is set."""

    def __init__(self, view: memoryview, halt: Halt) -> None:
        self._view, self._halt, self._position = view, halt, 0

    def read(self, size: int = -1) -> memoryview:
        """More than `size`, where that is small: whoever sends or sums by this takes what it gets."""
        if self._halt.event.is_set():
            raise Abandoned
        stop = len(self._view) if size < 0 else self._position + max(size, PIECE)
        piece = self._view[self._position : stop]
        self._position += len(piece)
        return piece

    def readinto(self, room: memoryview) -> int:
        """Strictly as much as there is room for: the signer of awscrt, where that is installed, reads by this."""
        piece = self._view[self._position : self._position + len(room)]
        room[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: len(self._view)}[whence]
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def __len__(self) -> int:
        return len(self._view)
