"""A row of a scorefile: where its variant is, and whether the PGS Catalog's tools take it.

Sources: pgscatalog.core 1.1, `models.py` (`CatalogScoreVariant`: what a row needs) and `_normalise.py` (which of two
columns counts). A row that they don't take ends the whole of `pgscatalog-format`; each rule was tried with it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from genoferry.pgsc.preflight.chromosomes import CHROMS, MATCHED
from genoferry.pgsc.preflight.matching import MAX_ALLELE, Wanted
from genoferry.pgsc.preflight.score_cells import MODELS, check_of, is_true, label_of
from genoferry.pgsc.preflight.score_head import COMPLEX, DOSAGES, split
from genoferry.pgsc.preflight.text_stream import LONG
from genoferry.pgsc.scorefile_faults import Fault, HeadFault, RowFault
from genoferry.pgsc.weight_cells import weight_fault

LONGEST_POSITION = 12
"""Digits of a position: more are none, and would only take memory."""

WEIGHTS = ("effect_weight", *DOSAGES)
Kind = Literal["placed", "lost", "foreign"] | RowFault | HeadFault
POSITION = re.compile(r"\+?([0-9][0-9_]*)(?:\.0+)?")
_BASES = frozenset("ACGT")


@dataclass(frozen=True)
class Columns:
    """Where each is, None where there is none. `judged`: whether a row is looked at for faults; `placed`: for a
    place too."""

    names: tuple[str, ...]
    chrom: int | None
    pos: int | None
    effect: int
    others: tuple[int, ...]
    judged: bool
    placed: bool

    def at(self, name: str) -> int | None:
        return self._index.get(name)

    @cached_property
    def weights(self) -> tuple[int, ...]:
        return tuple(self._index[name] for name in WEIGHTS if name in self._index)

    @cached_property
    def checked(self) -> tuple[tuple[int, str, Callable[[str], bool]], ...]:
        """The other columns whose cells can be wrong: where each is, what to call it, and what its cells must be."""
        found = ((at, name, check_of(name)) for name, at in self._index.items())
        return tuple((at, label_of(name), check) for at, name, check in found if check)

    @cached_property
    def _index(self) -> dict[str, int]:
        return {name: at for at, name in enumerate(self.names)}


def columns_of(names: Sequence[str], harmonised: bool) -> Columns:
    """Of a file whose columns the tools take. One with weights by dosage may be left out before its rows matter."""
    known = tuple(names)
    chrom, pos = ("hm_chr", "hm_pos") if harmonised else ("chr_name", "chr_position")
    others = ("other_allele", *(("hm_inferOtherAllele",) if harmonised else ()))
    return Columns(
        known,
        known.index(chrom) if chrom in known else None,
        known.index(pos) if pos in known else None,
        known.index("effect_allele"),
        tuple(known.index(name) for name in others if name in known),
        judged=not set(DOSAGES) & set(known),
        placed=not COMPLEX & set(known),
    )


def read_row(line: bytes, where: Columns) -> tuple[Wanted, Kind]:
    """Only what is looked for is kept of it. Of a line that was cut, or with a quote that goes on in the next one, no
    fault is told."""
    text = line.rstrip(b"\r").decode(errors="replace")
    cells = split(text)
    judged = where.judged and len(line) < LONG and text.count('"') % 2 == 0
    fault = _cells_fault(cells, where) if judged else None
    chrom, pos = _cell(cells, where.chrom), position(_cell(cells, where.pos))
    placed = bool(chrom.strip()) and isinstance(pos, int)
    place: Kind = "lost" if not placed else "placed" if chrom in CHROMS else "foreign"
    kind: Kind = fault.kind if fault else place
    known = kind == "placed" and chrom in MATCHED and isinstance(pos, int)
    other = next((cell for at in where.others if (cell := _cell(cells, at))), None)
    return Wanted(
        chrom if known else None,
        pos if known and isinstance(pos, int) else 0,
        _allele(_cell(cells, where.effect)),
        None if other is None or "/" in other else _allele(other),
    ), kind


def position(text: str) -> int | Literal["none", "wrong"]:
    """As pydantic takes a whole number: with spaces round it, a plus, zeros after the point."""
    if not (plain := text.strip()):
        return "none"
    if (found := POSITION.fullmatch(plain)) is None:
        return "wrong"
    digits = found[1].replace("_", "")
    return int(digits) if len(digits) <= LONGEST_POSITION else "none"


def row_fault(line: str, where: Columns) -> Fault | None:
    """What is wrong with a line, without its number."""
    if is_open_quote(line):
        return Fault("quote")
    return _cells_fault(split(line), where)


def weights_fault(cells: Sequence[str], where: Columns) -> Fault | None:
    faults = ((weight_fault(_cell(cells, at)), where.names[at]) for at in where.weights)
    return next((Fault(kind, column=column) for kind, column in faults if kind), None)


def _cells_fault(cells: Sequence[str], where: Columns) -> Fault | None:
    if not where.judged:
        return weights_fault(cells, where)
    if len(cells) > len(where.names) or len(cells) <= max(where.effect, *where.others, 0):
        return Fault("cells")
    pos = position(_cell(cells, where.at("chr_position")))
    misplaced = Fault("place") if where.placed and not _has_place(cells, where, pos) else None
    return weights_fault(cells, where) or _value_fault(cells, where) or _position_fault(cells, where, pos) or misplaced


def _value_fault(cells: Sequence[str], where: Columns) -> Fault | None:
    wrong = next((name for at, name, is_good in where.checked if not is_good(_cell(cells, at))), None)
    if wrong:
        return Fault("cell", column=wrong)
    models = tuple(_cell(cells, where.at(name)) for name in MODELS)
    return Fault("models", column=MODELS[-1]) if all(map(is_true, models)) else None


def _position_fault(cells: Sequence[str], where: Columns, pos: int | str) -> Fault | None:
    if pos in ("wrong", 0):
        return Fault("position", column="chr_position")
    return Fault("position", column="hm_pos") if position(_cell(cells, where.at("hm_pos"))) == "wrong" else None


def is_open_quote(line: str) -> bool:
    """Whether a quote is left open, so that the tools' csv reader takes the next line for more of the cell."""
    if '"' not in line:
        return False
    rows = csv.reader([line, ""], delimiter="\t")
    next(rows)
    return rows.line_num > 1


def _has_place(cells: Sequence[str], where: Columns, pos: int | str) -> bool:
    """A place, or an rsID and no position; of what is no plain variant, or couldn't be harmonised, neither."""
    if not set(_cell(cells, where.effect)) <= _BASES or _cell(cells, where.at("hm_source")) == "Unknown":
        return True
    if pos != "none":
        return bool(_cell(cells, where.at("chr_name")).strip())
    return any(_cell(cells, where.at(name)).strip() not in ("", ".") for name in ("rsID", "rsid"))


def _cell(cells: Sequence[str], at: int | None) -> str:
    """A line that is too short has nothing where it ends."""
    return cells[at] if at is not None and at < len(cells) else ""


def _allele(text: str) -> bytes:
    """Nothing, which matches nothing, where it is too long to match."""
    return text.encode() if len(text) <= MAX_ALLELE else b""
