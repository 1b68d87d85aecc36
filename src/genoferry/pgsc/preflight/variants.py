"""What the variant files say: chromosomes, positions, alleles; and which of the scores' variants are among them.

Sources: plink 2 file formats (https://www.cog-genomics.org/plink/2.0/formats: .pvar, .bim) and VCF 4.3, section 1.6.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

from genoferry.pgsc.preflight.genome import MATCHED, NAMES, PREFIXED
from genoferry.pgsc.preflight.heads import Fault, Layout, read_head
from genoferry.pgsc.preflight.lines import LONG, Compression, Text
from genoferry.pgsc.preflight.matching import Kept, Wanted
from genoferry.pgsc.preflight.samples import Samples

OTHER, NO_LIMIT = "other", 2**63
"""Stands for the chromosomes whose names nobody knows; and for their lengths."""

Sought = Mapping[str, Mapping[bytes, Sequence[Wanted]]]
"""Of all scores, by chromosome and position as it is written."""

LONG_HEADER = 16 * 1024**2
"""Bytes that the line of a VCF which names its samples may have."""


class Most(NamedTuple):
    """Where reading stops: variants, and bytes of text."""

    variants: int
    text: int


@dataclass
class Region:
    """What was seen of a chromosome, positions in bases. `ended`: another one followed."""

    count: int = 0
    first: int = 0
    last: int = 0
    ended: bool = False
    sorted: bool = True
    beyond: int = 0


@dataclass
class Variants:
    """What was seen of a variant file. `whole`: all of it. `regions` by chromosome, unknown ones as `OTHER`."""

    chrom: str | None
    compression: Compression = "plain"
    regions: dict[str, Region] = field(default_factory=dict)
    count: int = 0
    prefixed: bool = False
    multiallelic: int = 0
    bytes: int = 0
    whole: bool = False
    fault: Fault | None = None
    samples: Samples | None = None


class Looking(NamedTuple):
    """What is looked for. `lengths` of the chromosomes in the build that is wanted."""

    sought: Sought
    kept: Kept
    lengths: Mapping[str, int]


def scan(text: Text, layout: Layout, chrom: str | None, looking: Looking, most: Most) -> Variants:
    """Reads a file of chromosome `chrom` (None: of all), and shows its variants to those that are sought.

    Raises `Unreadable`, `CalculationStopped`, and what the stream raises.
    """
    batches = text.batches()
    text.longest = LONG_HEADER
    head = read_head(batches, layout)
    text.longest = LONG
    seen = Variants(chrom, text.compression, fault=head.fault, samples=head.samples)
    if head.columns is not None:
        _scan(text, _Reader(seen, head.columns, looking), chain([head.rest], batches), most)
    seen.bytes = text.bytes
    return seen


def _scan(text: Text, reader: _Reader, batches: Iterator[list[bytes]], most: Most) -> None:
    seen = reader.seen
    for lines in batches:
        room = most.variants - seen.count
        if room <= 0 or text.bytes >= most.text:
            break
        reader.take(lines[:room])
        if seen.fault or len(lines) > room:
            break
    else:
        seen.whole = True
        seen.fault = None if seen.count else "empty"


class _Reader:
    def __init__(self, seen: Variants, columns: tuple[bytes, ...], looking: Looking) -> None:
        self.seen, self._looking = seen, looking
        self._where = tuple(columns.index(name) for name in (b"#CHROM", b"POS", b"REF", b"ALT"))
        self._name, self._region, self._limit = b"", Region(), 0
        self._here: Mapping[bytes, Sequence[Wanted]] = {}

    def take(self, lines: list[bytes]) -> None:
        """Millions of lines come by here: it is one loop for speed's sake."""
        seen, kept, (c, p, r, a) = self.seen, self._looking.kept, self._where
        width = max(self._where) + 1
        for line in lines:
            fields = line.split(None, width)
            try:
                name, pos, ref, alt = fields[c], fields[p], fields[r], fields[a]
                place = int(pos)
            except (IndexError, ValueError):
                if not fields:
                    continue
                seen.fault = "line"
                return
            if name != self._name:
                self._turn(name, place)
            region = self._region
            seen.count += 1
            region.count += 1
            if place < region.last:
                region.sorted = False
            else:
                region.last = place
            if place > self._limit:
                region.beyond += 1
            if b"," in alt:
                seen.multiallelic += 1
            for wanted in self._here.get(pos, ()):
                wanted.meet(ref, alt.split(b","), kept)

    def _turn(self, name: bytes, place: int) -> None:
        """Another chromosome begins, or one goes on that had ended: then the file isn't sorted."""
        self._region.ended = True
        chrom = NAMES.get(name)
        self._name = name
        self.seen.prefixed |= name in PREFIXED
        self._region = self.seen.regions.setdefault(chrom or OTHER, Region(first=place))
        self._region.sorted &= not self._region.ended
        self._region.ended = False
        self._limit = self._looking.lengths.get(chrom or OTHER, NO_LIMIT)
        wanted = chrom in MATCHED and self.seen.chrom in (None, chrom)
        self._here = self._looking.sought.get(chrom or OTHER, {}) if wanted else {}
