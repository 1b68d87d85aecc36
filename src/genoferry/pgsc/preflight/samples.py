"""Sample ids: how many, whether one stands twice, and whether files hold the same. No id is kept.

Source: plink 2 file formats (https://www.cog-genomics.org/plink/2.0/formats: .psam, .fam). A sample is known by its
family's and its own id (pgscatalog.calc, `polygenicscore.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from genoferry.pgsc.bounds import MAX_SAMPLES
from genoferry.pgsc.preflight.decompress import Compression
from genoferry.pgsc.preflight.text_stream import Text

FAM = (b"FID", b"IID", b"PAT", b"MAT", b"SEX")
MAX_TOLD_APART = 1_000_000
"""Samples of which one may stand twice, in some 80 bytes each; those that follow are counted and compared with those of
other files."""

MOST_LINES = MAX_SAMPLES
"""Lines of a sample file that are read."""

WORD = 2**64


@dataclass(frozen=True)
class Samples:
    """`fingerprint` is the same for the same samples in any order, within one process. `whole`: all were counted.
    `parts`: a person may have several samples, told apart by SID. `over`: which bound the file is over."""

    count: int = 0
    twice: bool = False
    fingerprint: int = 0
    fault: Literal["line", "over", "unreadable", "unread"] | None = None
    compression: Compression = "plain"
    whole: bool = True
    parts: bool = False
    over: str = ""


def of_ids(ids: Iterable[bytes], compression: Compression = "plain") -> Samples:
    """Of ids as they stand."""
    known: set[int] = set()
    count = fingerprint = 0
    for count, name in enumerate(ids, 1):
        mark = hash(name)
        fingerprint = (fingerprint + mark) % WORD
        if count <= MAX_TOLD_APART:
            known.add(mark)
    return Samples(count, len(known) < min(count, MAX_TOLD_APART), fingerprint, None, compression)


def read_samples(text: Text) -> Samples:
    """Of a psam or fam file. Raises `Unreadable`, `CalculationStopped`, and what the stream raises."""
    rows = _Rows(text)
    try:
        found = of_ids(rows.ids(), text.compression)
    except (IndexError, ValueError):
        return Samples(fault="line", compression=text.compression)
    return replace(found, whole=text.whole, parts=rows.parts)


def vcf_ids(names: Iterable[bytes]) -> Iterator[bytes]:
    """The samples of a VCF, which have no families."""
    return (b"0\t" + name for name in names)


class _Rows:
    def __init__(self, text: Text) -> None:
        self._text, self.parts = text, False

    def ids(self) -> Iterator[bytes]:
        """Raises `IndexError`, `ValueError` for a line that is too short, or a header without IID."""
        family, own = FAM.index(b"FID"), FAM.index(b"IID")
        for line in self._lines():
            fields = line.split()
            if not fields:
                continue
            if not line.startswith(b"#"):
                yield (b"0" if family < 0 else fields[family]) + b"\t" + fields[own]
            elif fields[0] in (b"#FID", b"#IID"):
                names = [name.lstrip(b"#") for name in fields]
                family, own = names.index(b"FID") if b"FID" in names else -1, names.index(b"IID")
                self.parts = b"SID" in names

    def _lines(self) -> Iterator[bytes]:
        count = 0
        for lines in self._text.batches():
            yield from lines
            count += len(lines)
            if count >= MOST_LINES:
                return
