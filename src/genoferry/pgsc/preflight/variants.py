"""What the variant files say: chromosomes, positions, alleles; and which of the scores' variants are among them.

Sources: plink 2 file formats (https://www.cog-genomics.org/plink/2.0/formats: .pvar, .bim) and VCF 4.3, section 1.6.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from genoferry.pgsc.preflight.chromosomes import MATCHED, called, prefixed
from genoferry.pgsc.preflight.matching import Kept, Wanted
from genoferry.pgsc.preflight.text_stream import LONG, Text
from genoferry.pgsc.preflight.variant_header import LONG_HEADER, Layout, read_head
from genoferry.pgsc.preflight.variant_summary import OTHER, Region, Variants

NO_LIMIT = 2**63
"""The length of a chromosome whose name nobody knows."""

Sought = Mapping[str, Mapping[int, Sequence[Wanted]]]
"""Of all scores, by chromosome and position."""

_LEADING = re.compile(rb"[+-]?[0-9]+")
"""What plink2 reads of a position: it stops at the first character that is no digit (so 1e3 is 1)."""


class Looking(NamedTuple):
    """What is looked for. `lengths` of the chromosomes in the build that is wanted."""

    sought: Sought
    kept: Kept
    lengths: Mapping[str, int]


def scan(text: Text, layout: Layout, chrom: str | None, looking: Looking, most: int) -> Variants:
    """Reads a file of chromosome `chrom` (None: of all), and shows up to `most` variants to those that are sought.

    Raises `Unreadable`, `CalculationStopped`, and what the stream raises.
    """
    batches = text.batches()
    text.longest = LONG_HEADER if layout == "vcf" else LONG
    head = read_head(text, batches, layout)
    text.longest = LONG
    seen = Variants(chrom, text.compression, fault=head.fault, samples=head.samples)
    if head.columns is not None:
        _scan(text, _Reader(seen, head.columns, looking), chain([head.rest], batches), most)
    seen.bytes = text.bytes
    return seen


def _scan(text: Text, reader: _Reader, batches: Iterator[list[bytes]], most: int) -> None:
    seen = reader.seen
    for lines in batches:
        room = most - seen.count
        if room <= 0:
            break
        reader.take(lines[:room])
        if seen.fault or len(lines) > room:
            break
    else:
        seen.whole = text.whole
        if not seen.count:
            seen.fault = "long" if text.cut else "empty"


class _Reader:
    def __init__(self, seen: Variants, columns: tuple[bytes, ...], looking: Looking) -> None:
        self.seen, self._looking = seen, looking
        self._where = tuple(columns.index(name) for name in (b"#CHROM", b"POS", b"REF", b"ALT"))
        self._name, self._region, self._limit = b"", Region(), 0
        self._here: Mapping[int, Sequence[Wanted]] = {}
        self._form = columns.index(b"FORMAT") if b"FORMAT" in columns else None

    def take(self, lines: list[bytes]) -> None:
        """Millions of lines come by here: it is one loop for speed's sake."""
        seen, kept, (c, p, r, a) = self.seen, self._looking.kept, self._where
        width = max(self._where) + 1
        self._look_for_keys(lines)
        for line in lines:
            fields = line.split(None, width)
            try:
                name, ref, alt = fields[c], fields[r], fields[a]
                place = int(fields[p])
            except IndexError:
                if not fields:
                    continue
                if len(line) >= LONG:  # its alleles were cut
                    seen.count += 1
                    continue
                seen.fault = "line"
                return
            except ValueError:
                if (leading := _LEADING.match(fields[p])) is None:
                    seen.fault = "line"
                    return
                place = int(leading[0])
            if name != self._name:
                self._turn(name, place)
            region = self._region
            seen.count += 1
            region.count += 1
            if place < region.last:
                region.sorted &= place < 0  # plink2 leaves those out
            else:
                region.last = place
            if place > self._limit:
                region.beyond += 1
            if b"," in alt:
                seen.multiallelic += 1
            for wanted in self._here.get(place, ()):
                wanted.meet(ref, alt.split(b","), kept)

    def _look_for_keys(self, lines: list[bytes]) -> None:
        """Look at FORMAT until there is a GT: whether a VCF has genotypes that are read at all."""
        if self._form is None or "GT" in self.seen.keys:
            return
        for line in lines:
            keys = line.split(b"\t", self._form + 1)[self._form : self._form + 1]
            first, *rest = keys[0].split(b":") if keys else [b""]
            if b"DS" in (first, *rest):
                self.seen.keys |= {"DS"}
            if first == b"GT":
                self.seen.keys |= {"GT"}
                return

    def _turn(self, name: bytes, place: int) -> None:
        """Another chromosome begins, or one goes on that had ended: then the file isn't sorted."""
        self._region.ended = True
        chrom = called(name)
        self._name = name
        self.seen.prefixed |= prefixed(name)
        self._region = self.seen.regions.setdefault(chrom or OTHER, Region(first=max(0, place)))
        self._region.sorted &= not self._region.ended
        self._region.ended = False
        self._limit = self._looking.lengths.get(chrom or OTHER, NO_LIMIT)
        wanted = chrom in MATCHED and self.seen.chrom in (None, chrom)
        self._here = self._looking.sought.get(chrom or OTHER, {}) if wanted else {}
