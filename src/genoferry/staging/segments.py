"""Where the bytes are: segments, edit lists and parts, as arithmetic alone.

A Crypt4GH body is a row of segments: 65,536 bytes of plaintext each, the last one shorter, every one sealed alone
with a 12-byte nonce before it and a 16-byte tag after it (Crypt4GH 1.0, section 3.4.1). So plaintext offset p is in
segment p // 65,536, and that segment is a known byte range of the file. An edit list (section 4.2) says which ranges
of the plaintext are the content; without one, the content is the plaintext.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise

from genoferry.errors import Crypt4GHError, FileTooLarge

SEGMENT = 65_536
"""Bytes of plaintext in a full segment."""

OVERHEAD = 28
"""Bytes that sealing adds to a segment: nonce and tag."""

SEALED = SEGMENT + OVERHEAD

MIN_PART = 5 * 1024**2
MAX_PARTS = 10_000
MAX_OBJECT = 5 * 1024**4
"""S3's limits of a multipart upload (Amazon S3 User Guide, "Multipart upload limits")."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Bytes `[start, stop)` of the plaintext."""

    start: int
    stop: int

    @property
    def size(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the upload: its number (from 1), its offset in the content, and what of the plaintext it holds."""

    number: int
    offset: int
    extents: tuple[Extent, ...]

    @property
    def size(self) -> int:
        return sum(extent.size for extent in self.extents)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of one segment: `pieces` are `(start, stop)` within it, in the content's order."""

    segment: int
    pieces: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """The body of one file. Raises `Crypt4GHError` where no body can have that size."""

    header: int
    size: int

    def __post_init__(self) -> None:
        if self.size < self.header or 0 < self.body % SEALED < OVERHEAD:
            raise Crypt4GHError("A file ends in the middle of a Crypt4GH segment's frame: it was cut. Send it again.")

    @property
    def body(self) -> int:
        return self.size - self.header

    @property
    def segments(self) -> int:
        return -(-self.body // SEALED)

    @property
    def plain(self) -> int:
        """Bytes of plaintext."""
        return self.body - self.segments * OVERHEAD

    @property
    def tail(self) -> int:
        """Bytes of the last segment as stored: 0 where it is a full one."""
        return self.body % SEALED

    def sealed(self, first: int, last: int) -> tuple[int, int]:
        """The byte range `[start, stop)` of the file that holds segments first to last, both included."""
        return self.header + first * SEALED, min(self.size, self.header + (last + 1) * SEALED)


def content(edits: tuple[int, ...] | None, plain: int) -> tuple[Extent, ...]:
    """What of `plain` bytes of plaintext an edit list keeps, empty and adjoining extents put together.

    `edits` alternates bytes to discard and bytes to keep; where it ends with a discard, the rest is kept, and an
    empty list keeps everything (Crypt4GH, section 4.2, ApplyEditList).
    """
    if not edits:
        return (Extent(0, plain),) if plain else ()
    kept: list[Extent] = []
    position = 0
    for discard, keep in zip(edits[::2], (*edits[1::2], plain)[: len(edits[::2])], strict=True):
        start = min(plain, position + discard)
        stop = min(plain, start + keep)
        position += discard + keep
        if kept and kept[-1].stop == start:
            start = kept.pop().start
        if stop > start:
            kept.append(Extent(start, stop))
    return tuple(kept)


def part_size(total: int, wanted: int) -> int:
    """Bytes of each part but the last: `wanted`, or as much more as `MAX_PARTS` parts need, in whole segments.

    Raises `FileTooLarge` over `MAX_OBJECT`.
    """
    if total > MAX_OBJECT:
        raise FileTooLarge
    least = max(wanted, MIN_PART, -(-total // MAX_PARTS))
    return -(-least // SEGMENT) * SEGMENT


def parts(extents: tuple[Extent, ...], size: int) -> tuple[Part, ...]:
    """The content cut into parts of `size` bytes, the last one shorter."""
    cut = [(offset // size, offset, extent) for offset, extent in _cut(extents, size)]
    return tuple(
        Part(index + 1, index * size, tuple(extent for _, _, extent in group))
        for index, group in ((index, list(rows)) for index, rows in groupby(cut, key=lambda row: row[0]))
    )


def _cut(extents: tuple[Extent, ...], size: int) -> Iterator[tuple[int, Extent]]:
    offset = 0
    for extent in extents:
        start = extent.start
        while start < extent.stop:
            stop = min(extent.stop, start + size - offset % size)
            yield offset, Extent(start, stop)
            offset += stop - start
            start = stop


def wanted(extents: tuple[Extent, ...]) -> tuple[Wanted, ...]:
    """What the extents need of each segment, in order."""
    rows = ((start // SEGMENT, piece) for extent in extents for start, piece in _pieces(extent))
    return tuple(
        Wanted(segment, tuple(piece for _, piece in group)) for segment, group in groupby(rows, key=lambda row: row[0])
    )


def _pieces(extent: Extent) -> Iterator[tuple[int, tuple[int, int]]]:
    start = extent.start
    while start < extent.stop:
        base = start - start % SEGMENT
        stop = min(extent.stop, base + SEGMENT)
        yield start, (start - base, stop - base)
        start = stop


def runs(rows: tuple[Wanted, ...], gap: int = 16) -> tuple[tuple[Wanted, ...], ...]:
    """Rows that one ranged read serves best: a hole of up to `gap` segments is read through, a longer one is not."""
    if not rows:
        return ()
    breaks = [i for i, (a, b) in enumerate(pairwise(rows), 1) if b.segment - a.segment > gap + 1]
    return tuple(rows[start:stop] for start, stop in pairwise([0, *breaks, len(rows)]))
