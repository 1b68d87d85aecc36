"""How much text a file of a sender may hold: some kilobytes can be decompressed to any amount."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

MIB = 1024**2
GIB = 1024**3
TIB = 1024**4

FREE = 256 * MIB
"""Bytes of text that a file may hold, however well it is compressed: read as a stream, so little does no harm."""

MAX_SAMPLES = 5_000_000
"""Samples of a file: as many as the largest cohort that is planned (Our Future Health); UK Biobank has a tenth."""


MAX_COLUMNS = 100
"""Columns of a pvar's header that are told apart; it has nine at most that plink2 knows."""

MAX_WINDOW = 128 * MIB
"""Bytes that a zstd file may want to be kept in memory: libzstd, and so plink2, takes no more (`zstd.h`,
`ZSTD_WINDOWLOG_LIMIT_DEFAULT`)."""


class Bounds(NamedTuple):
    """Bytes of a line and of the whole text, decompressed, and of text for each byte that is stored (None: any)."""

    name: str
    line: int
    text: int
    ratio: int | None = None


SCOREFILE = Bounds("A scorefile", 1 * MIB, 16 * GIB, 100)
"""A cell may have 131,072 characters (csv's `field_size_limit`, which pgscatalog.core leaves as it is), and a row has
some 20. The PGS Catalog's largest files have under 1 GiB as stored. Measured: text of 4 to 10 times what is stored."""

VARIANTS = Bounds("A variant file", 64 * MIB, 1 * TIB, 1000)
"""Alleles and INFO may be long: some MiB in what is published. dbSNP has 1.1 thousand million variants; a TiB is 1 kB
for each. Measured: text of 4 to 6 times what is stored for usual pvar files, and 515 times for one of every base of a
chromosome without ALT, by zstd's level 19."""

VCF = Bounds("A VCF", 128 * MIB, 16 * TIB)
"""134 bytes for each of a million samples. No ratio: rare variants of 400,000 samples, which are nearly all 0|0, were
measured at 11,189 times what is stored (zstd) and 1,013 times (gzip): as much as a bomb."""

SAMPLES = Bounds("A sample file", 1 * MIB, 1 * GIB, 1000)
"""200 bytes for each of `MAX_SAMPLES`. Measured: 130 times what is stored where ids are numbers, by zstd's level 19."""

OUTPUT = Bounds("A file of the calculation", 64 * MIB, 16 * TIB)
"""What the tools wrote. A line has a cell or three for each score."""


class OverBound(Exception):
    """Says which bound, as the end of a sentence about a file."""


class Meter:
    """Counts the text of one file. `stored` tells how many bytes were read of it as it is stored."""

    def __init__(self, bounds: Bounds, stored: Callable[[], int]) -> None:
        self._bounds, self._stored = bounds, stored
        self._line = self._text = 0

    def add(self, chunk: bytes) -> None:
        """Raises `OverBound`. Lines within a chunk are as long as that at most."""
        self._text += len(chunk)
        last = chunk.rfind(b"\n")
        longest = self._line + (len(chunk) if last < 0 else chunk.find(b"\n"))
        self._line = longest if last < 0 else len(chunk) - last - 1
        if longest > self._bounds.line:
            raise OverBound(f"has a line of over {self._bounds.line // MIB} MiB: it is damaged, or of another format.")
        if self._text > FREE:
            self._check_text()

    def _check_text(self) -> None:
        text, ratio = self._bounds.text, self._bounds.ratio
        if self._text > text:
            raise OverBound(f"holds over {text // GIB} GiB of text, which is more than is read.")
        if ratio is not None and self._text > ratio * self._stored():
            raise OverBound(
                f"is over {FREE // MIB} MiB of text, and over {ratio} times what is stored. Send it uncompressed."
            )
