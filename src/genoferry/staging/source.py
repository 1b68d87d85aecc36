"""What a source of encrypted files is: something that streams a byte range of a file into memory it is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from genoferry.staging.cancellation import Halt


@dataclass(frozen=True, slots=True)
class SourceStat:
    """`size` in bytes as stored. `etag` changes when the content does, as far as the source can tell."""

    size: int
    etag: str


class Body(Protocol):
    """One answer: the bytes from the range's start on, perhaps fewer than were asked for."""

    @property
    def stat(self) -> SourceStat:
        """Of the whole file, as this answer states it."""

    def readinto(self, view: memoryview) -> int:
        """Fill some of `view` and say how much; 0 at the end. Raises the errors of `Source.open`."""

    def close(self) -> None: ...

    def abort(self) -> None:
        """From another thread: make a `readinto` that waits return or raise soon."""


class Source(Protocol):
    def open(self, path: str, start: int, stop: int, if_match: str | None = None, halt: Halt | None = None) -> Body:
        """Bytes `[start, stop)` of a file, or what there is of them. `halt` ends the wait for an answer, where it can.

        Raises, transient (worth another try): `SourceUnavailable`, `SourceShort`; lasting: `SourceMissing`,
        `SourceDenied`, `SourceChanged` (the file's etag is not `if_match`), `RangeNotSatisfiable` (nothing there),
        `SourceIgnoresRange`, `SourceRedirects`, `SourceUntrusted`, `SourceNotAllowed`.
        """
