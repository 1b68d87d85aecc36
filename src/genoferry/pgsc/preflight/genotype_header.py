"""The first bytes of a genotype file: whether it is one, and how many variants and samples it holds.

Sources: plink 2's pgen specification (https://github.com/chrchang/plink-ng/tree/master/pgen_spec) and plink 1's .bed
(https://www.cog-genomics.org/plink/1.9/formats#bed).
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import unpack_from

MAGIC = b"\x6c\x1b"
BED, SAMPLE_MAJOR = 0x01, 0x00
COUNTED = frozenset((0x02, 0x03, 0x04, 0x10))
"""Storage modes whose header goes on with the numbers of variants and samples."""

PGEN = COUNTED | {BED, 0x11, 0x20, 0x21}


@dataclass(frozen=True)
class Geno:
    """`fault`: it isn't what its row says. The numbers are None where the first bytes don't tell."""

    fault: bool = False
    variants: int | None = None
    samples: int | None = None


def look(start: bytes, *, is_pgen: bool) -> Geno:
    """Of a file's first bytes, 11 at least where it has as many."""
    mode = start[2] if len(start) > 2 and start.startswith(MAGIC) else None
    if mode is None or mode not in (PGEN if is_pgen else {BED}):
        return Geno(fault=True)
    if mode in COUNTED and len(start) >= 11:
        variants, samples = unpack_from("<II", start, 3)
        return Geno(variants=variants, samples=samples)
    return Geno()
