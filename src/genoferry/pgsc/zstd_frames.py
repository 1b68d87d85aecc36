"""Whether a zstd file was cut within a frame: zstandard's streams end there as they end a whole file.

Source: RFC 8878, sections 3.1.1 and 3.1.2.
"""

from __future__ import annotations

import os
from typing import BinaryIO

import zstandard

SKIPPABLE = range(0x184D2A50, 0x184D2A60)
LONGEST_HEADER = 18
BLOCK_HEADER = 3
RLE = 1
"""The type of a block that is one byte, whatever its size says."""

CHECKSUM = 4


def is_whole(file: BinaryIO) -> bool:
    """Walk from frame to frame by their headers, which holds for files that were decompressed without an error."""
    end, place = file.seek(0, os.SEEK_END), 0
    while place < end:
        try:
            place = _frame_end(file, place)
        except (zstandard.ZstdError, EOFError):
            return False
    return place == end


def _frame_end(file: BinaryIO, place: int) -> int:
    head = _read(file, place, LONGEST_HEADER)
    if int.from_bytes(head[:4], "little") in SKIPPABLE:
        return place + 8 + int.from_bytes(head[4:8], "little")
    place += zstandard.frame_header_size(head)
    last = False
    while not last:
        block = int.from_bytes(_read(file, place, BLOCK_HEADER), "little")
        last, kind, size = bool(block & 1), block >> 1 & 3, block >> 3
        place += BLOCK_HEADER + (1 if kind == RLE else size)
    return place + (CHECKSUM if zstandard.get_frame_parameters(head).has_checksum else 0)


def _read(file: BinaryIO, place: int, size: int) -> bytes:
    """Up to `size` bytes; raise `EOFError` where there are fewer than a block's header has."""
    file.seek(place)
    data = file.read(size)
    if len(data) < BLOCK_HEADER:
        raise EOFError
    return data
