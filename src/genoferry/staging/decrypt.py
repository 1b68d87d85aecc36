"""Opening segments: from the source into a small scratch, and from there, in one step, to where they belong.

A sealed segment is read into scratch memory that stays in the processor's cache, and `decrypt_into` writes its
plaintext to its final place in the part: nothing is allocated for a segment, and nothing is copied that an edit list
doesn't cut. Not in place, because a key that doesn't fit overwrites what it tried, and the next key would find
nothing. Both halves (`recv_into`, `decrypt_into`) release the interpreter's lock.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag

from genoferry.errors import SegmentCorrupt
from genoferry.staging.cancellation import Halt
from genoferry.staging.header import DataKey
from genoferry.staging.ranges import Origin, RangeReader, Retry
from genoferry.staging.segments import OVERHEAD, SEALED, SEGMENT, Layout, Wanted, runs

BATCH = 4
"""Segments read at once: 256 KiB, which the second-level cache holds beside the plaintext."""


class Opener:
    """Opens one file's segments on one thread; keeps its own scratch, and which key opened the last segment.

    That key is tried first (Crypt4GH, section 4.1), then those after it in the header: a file that was put together of
    others has their keys in their order, and one whose keys take turns costs one try more a segment.
    """

    def __init__(self, origin: Origin, layout: Layout, keys: tuple[DataKey, ...], retry: Retry, halt: Halt) -> None:
        self._origin, self._layout, self._retry, self._halt = origin, layout, retry, halt
        self._keys, self._last = keys, 0
        self._sealed = memoryview(bytearray(BATCH * SEALED))
        self._plain = memoryview(bytearray(SEGMENT))

    def fill(self, rows: tuple[Wanted, ...], out: memoryview) -> None:
        """Write what `rows` want, one after the other, to `out`.

        Raises `SegmentCorrupt` for a segment that no key opens, and the errors of `RangeReader.fill`.
        """
        for run in runs(rows):
            out = out[self._run(run, out) :]

    def _run(self, run: tuple[Wanted, ...], out: memoryview) -> int:
        first, last = run[0].segment, run[-1].segment
        wanted = {row.segment: row.pieces for row in run}
        done = 0
        with RangeReader(self._origin, *self._layout.sealed(first, last), retry=self._retry, halt=self._halt) as reader:
            for start in range(first, last + 1, BATCH):
                stop = min(start + BATCH, last + 1)
                begin, end = self._layout.sealed(start, stop - 1)
                batch = self._sealed[: end - begin]
                reader.fill(batch)
                for segment in range(start, stop):
                    sealed = batch[(segment - start) * SEALED :][:SEALED]
                    done += self._place(segment, sealed, wanted.get(segment, ()), out[done:])
        return done

    def _place(self, segment: int, sealed: memoryview, pieces: tuple[tuple[int, int], ...], out: memoryview) -> int:
        size = len(sealed) - OVERHEAD
        if pieces == ((0, size),):
            self._open(segment, sealed, out[:size])
            return size
        if pieces:
            self._open(segment, sealed, self._plain[:size])
        done = 0
        for start, stop in pieces:
            out[done : done + stop - start] = self._plain[start:stop]
            done += stop - start
        return done

    def _open(self, segment: int, sealed: memoryview, out: memoryview) -> None:
        nonce, data = sealed[:12], sealed[12:]
        for place in (*range(self._last, len(self._keys)), *range(self._last)):
            key = self._keys[place]
            try:
                key.cipher.decrypt_into(nonce, data, key.associated(segment), out)
            except InvalidTag:
                continue
            self._last = place
            return
        raise SegmentCorrupt

    def check_tail(self) -> None:
        """Open the last segment where it is an empty one: it ends a file whose segments are numbered."""
        if self._layout.tail == OVERHEAD:
            last = self._layout.segments - 1
            with RangeReader(
                self._origin, *self._layout.sealed(last, last), retry=self._retry, halt=self._halt
            ) as reader:
                reader.fill(self._sealed[:OVERHEAD])
            self._open(last, self._sealed[:OVERHEAD], self._plain[:0])
