"""What one staging will do: the file's header read and opened, its size checked, its content cut into parts."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from genoferry.errors import Crypt4GHError, RangeNotSatisfiable, SizeMismatch, SourceChanged
from genoferry.staging.cancellation import Halt
from genoferry.staging.header import MAX_HEADER, Header, header_length, parse_header
from genoferry.staging.private_key import PrivateKey
from genoferry.staging.ranges import Origin, RangeReader, Retry
from genoferry.staging.segments import Layout, Part, content, part_size, parts
from genoferry.staging.source import Source, SourceStat

FIRST_READ = 64 * 1024
"""Bytes of the first read: any usual header, and the whole of a small file."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`size` in bytes of the content; `stat` of the file as stored; `part_size` of all parts but the last."""

    origin: Origin
    stat: SourceStat
    header: Header
    layout: Layout
    parts: tuple[Part, ...]
    part_size: int
    size: int

    @property
    def fingerprint(self) -> str:
        """Names this version of this file. It goes with the object, by which a later attempt knows it for its own."""
        text = f"{self.origin.path}\n{self.stat.etag}\n{self.stat.size}"
        return sha256(text.encode(errors="surrogatepass")).hexdigest()


def make_plan(
    source: Source,
    path: str,
    key: PrivateKey,
    *,
    expect_size: int | None,
    etag: str | None,
    wanted_part: int,
    retry: Retry,
    halt: Halt,
) -> Plan:
    """Reads the header. Raises `SizeMismatch`, `SourceChanged` (where `etag` is given and isn't the file's), the
    errors of `parse_header` and of `RangeReader.fill`, `FileTooLarge`."""
    origin = read_start(source, path, expect_size=expect_size, etag=etag, retry=retry, halt=halt)
    stat = origin.stat
    assert stat is not None  # noqa: S101  # for the type checker: an answer always has one
    header = parse_header(origin.start, key)
    layout = Layout(header.length, stat.size)
    if header.sequenced and layout.tail == 0:
        raise Crypt4GHError("A file lacks its last segment: it was cut. Send it again.")
    extents = content(header.edits, layout.plain)
    size = sum(extent.size for extent in extents)
    each = part_size(size, wanted_part)
    return Plan(origin, stat, header, layout, parts(extents, each), each, size)


def read_start(
    source: Source, path: str, *, expect_size: int | None, etag: str | None, retry: Retry, halt: Halt
) -> Origin:
    """The file with its first bytes: at least its header, if it has one that is whole."""
    start, stat = _first(Origin(source, path), retry, halt)
    if expect_size is not None and stat.size != expect_size:
        raise SizeMismatch
    if etag not in (None, stat.etag):
        raise SourceChanged
    if header_length(start) is None and stat.size > len(start):
        rest = bytearray(min(MAX_HEADER, stat.size) - len(start))
        known = Origin(source, path, stat)
        with RangeReader(known, len(start), len(start) + len(rest), retry=retry, halt=halt) as reader:
            reader.fill(memoryview(rest))
        start += bytes(rest)
    return Origin(source, path, stat, start)


def _first(origin: Origin, retry: Retry, halt: Halt) -> tuple[bytes, SourceStat]:
    buffer = bytearray(FIRST_READ)
    view = memoryview(buffer)
    with RangeReader(origin, 0, FIRST_READ, retry=retry, halt=halt) as reader:
        try:
            done = reader.some(view)
        except RangeNotSatisfiable:
            raise Crypt4GHError("A file is empty at its source, so it is not a Crypt4GH file.") from None
        stat = reader.stat
        assert stat is not None  # noqa: S101  # `some` has read of it
        known = Origin(origin.source, origin.path, stat, bytes(view[:done]))
    size = min(FIRST_READ, stat.size)
    if done < size:
        with RangeReader(known, 0, size, retry=retry, halt=halt) as reader:
            reader.fill(view[:size])
    return bytes(view[:size]), stat
