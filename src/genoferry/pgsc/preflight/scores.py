"""What the scorefiles say, and a sample of their variants.

Source: https://www.pgscatalog.org/downloads/ (format 2.0; harmonised columns); pgscatalog.core, `_normalise.py` (which
of two columns counts).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from genoferry.errors import ScorefileInvalid
from genoferry.pgsc.preflight.draw import Draw
from genoferry.pgsc.preflight.genome import CHROMS, MATCHED
from genoferry.pgsc.preflight.lines import Compression, Text
from genoferry.pgsc.preflight.matching import MAX_ALLELE, Wanted
from genoferry.pgsc.scorefiles import of_header, read_header

LONGEST_POSITION = 12
"""Digits of a position: more are none, and would only take memory."""

LONGEST_HEADER, MOST_HEADER = 1024, 10_000
"""Characters of a header line, and lines of a header; a real one has some 20."""

WEIGHTS = ("effect_weight", "dosage_0_weight")


@dataclass
class Score:
    """`id`: the header's, else `name`. `variants` were counted, `whole`: to the file's end. `lost`: of the sample,
    those without a position; `foreign`: those whose chromosome is named otherwise than the tools name it."""

    name: str
    id: str
    build: str | None = None
    harmonised: bool = False
    compression: Compression = "plain"
    variants: int = 0
    whole: bool = False
    sample: list[Wanted] = field(default_factory=list)
    lost: int = 0
    foreign: int = 0
    fault: Literal["empty", "header", "column", "unreadable", "unread"] | None = None


def read_score(text: Text, name: str, *, sample: int, most: int) -> Score:
    """Reads up to about `most` variants and draws `sample` of them, the same ones each time.

    Raises `Unreadable`, `CalculationStopped`, and what the stream raises.
    """
    score = Score(name, name, compression=text.compression)
    batches = text.batches()
    header, columns, rest = _head(batches)
    try:
        known = of_header(Path(name), header)
    except ScorefileInvalid:
        score.fault = "header"
        return score
    score.id, score.build, score.harmonised = known.id, known.build, known.harmonised
    where = _where(columns, known.harmonised)
    if where is None:
        score.fault = "column"
        return score
    drawn = Draw(sample, known.id, lambda line: _read(line, where))
    drawn.take(rest)
    for lines in batches:
        if drawn.count >= most:
            break
        drawn.take(lines)
    score.whole = text.whole
    score.variants = drawn.count
    score.sample = [wanted for wanted, _ in drawn.kept]
    score.lost, score.foreign = (sum(each == kind for _, each in drawn.kept) for kind in ("lost", "foreign"))
    score.fault = "empty" if text.whole and not drawn.count else None
    return score


def _head(batches: Iterator[list[bytes]]) -> tuple[Mapping[str, str], list[str], list[bytes]]:
    """The header, the columns, and the rows that were read with them."""
    header: list[str] = []
    for lines in batches:
        for index, line in enumerate(lines):
            text = line.decode(errors="replace").rstrip("\r")
            if not text.startswith("#"):
                return read_header(header), text.split("\t"), lines[index + 1 :]
            header.append(text[:LONGEST_HEADER])
            if len(header) > MOST_HEADER:
                return {}, [], []
    return read_header(header), [], []


@dataclass(frozen=True)
class _Columns:
    chrom: int
    pos: int
    effect: int
    others: tuple[int, ...]


def _where(columns: list[str], harmonised: bool) -> _Columns | None:
    chrom, pos = ("hm_chr", "hm_pos") if harmonised else ("chr_name", "chr_position")
    others = ("other_allele", *(("hm_inferOtherAllele",) if harmonised else ()))
    if not {chrom, pos, "effect_allele"} <= set(columns) or not set(WEIGHTS) & set(columns):
        return None
    index = columns.index
    return _Columns(
        index(chrom), index(pos), index("effect_allele"), tuple(index(name) for name in others if name in columns)
    )


Kind = Literal["placed", "lost", "foreign"]


def _read(line: bytes, where: _Columns) -> tuple[Wanted, Kind]:
    """A line that is too short has nothing where it ends. Only what is looked for is kept of it."""
    cells = line.rstrip(b"\r").split(b"\t")
    cells += [b""] * (max(where.chrom, where.pos, where.effect, *where.others, 0) + 1 - len(cells))
    chrom, pos = cells[where.chrom].decode(errors="replace"), cells[where.pos]
    other = next((cells[i] for i in where.others if cells[i]), None)
    kind: Kind = "placed"
    if not chrom or not pos.isdigit() or len(pos) > LONGEST_POSITION:
        kind, pos = "lost", b""
    elif chrom not in CHROMS:
        kind = "foreign"
    known = chrom if kind == "placed" and chrom in MATCHED else None
    unknown_other = other is None or b"/" in other
    return Wanted(
        known, pos if known else b"", _allele(cells[where.effect]), None if unknown_other else _allele(other)
    ), kind


def _allele(text: bytes | None) -> bytes:
    """Nothing, which matches nothing, where it is too long to match."""
    return text if text and len(text) <= MAX_ALLELE else b""
