"""Every row of a scorefile, looked at before any tool runs: a fault is told with its file, line and column.

pgscatalog-format refuses most of what is refused here too, but names neither file nor line, and it takes weights that
are no numbers (`weight_cells` says what comes of them).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from genoferry.errors import CalculationStopped, ScorefileInvalid
from genoferry.pgsc.bounds import SCOREFILE, OverBound
from genoferry.pgsc.exit_codes import refusal
from genoferry.pgsc.preflight.score_cells import MODELS, is_true
from genoferry.pgsc.preflight.score_head import is_taken, split, wrong_column
from genoferry.pgsc.preflight.score_rows import LONGEST_POSITION, Columns, columns_of, row_fault
from genoferry.pgsc.scorefile_faults import Fault, describe
from genoferry.pgsc.scorefiles import FORMAT, Scorefile
from genoferry.pgsc.textio import open_text
from genoferry.pgsc.weight_cells import MOST, magnitude

BLOCK = 8 * 1024
"""Characters of the rows that are looked at together, or one longer row: most blocks have no fault, and that is quickly
seen of all their rows at once. Measured: blocks of 5000 usual rows take half as long again as of 200."""

Line = tuple[int, str]
"""A line's number in the file, from 1, and its text without its end."""


class Stop(Protocol):
    def is_set(self) -> bool: ...


def check_rows(scorefiles: Sequence[Scorefile], stop: Stop) -> None:
    """Read the files to their ends. Raises `ScorefileInvalid`, which names the file, and `CalculationStopped`."""
    for scorefile in scorefiles:
        if fault := find_fault(scorefile, stop):
            message = describe(f"The scorefile of {scorefile.id}", fault)
            raise refusal(ScorefileInvalid, FORMAT, message)


def find_fault(scorefile: Scorefile, stop: Stop) -> Fault | None:
    """The first fault of the file, in the order of its lines. Raises `CalculationStopped`, and `ScorefileInvalid`
    where it is over its bounds."""
    try:
        with open_text(scorefile.path, damaged=ScorefileInvalid, bounds=SCOREFILE) as lines:
            numbered = enumerate((line.rstrip("\n") for line in lines), 1)
            header, columns = read_head(numbered)
            if kind := wrong_column(columns) if is_taken(header) else "stated":
                return Fault(kind)
            return _rows_fault(numbered, columns_of(columns, scorefile.harmonised), stop)
    except ScorefileInvalid as error:
        if isinstance(error.__cause__, OverBound):
            raise refusal(ScorefileInvalid, FORMAT, error.user_message) from error
        return Fault("unreadable")


def read_head(numbered: Iterator[Line]) -> tuple[list[str], list[str]]:
    """The header's lines, and the names of the columns, which stand in the first line after them."""
    header: list[str] = []
    for _, text in numbered:
        if not text.startswith("#"):
            return header, split(text)
        header.append(text)
    return header, []


def _rows_fault(numbered: Iterator[Line], where: Columns, stop: Stop) -> Fault | None:
    total, empty = 0.0, True
    for block in _blocks(numbered):
        if stop.is_set():
            raise CalculationStopped
        empty = False
        block_total = _plain_magnitude([text for _, text in block], where)
        if block_total is not None and total + block_total <= MOST:
            total += block_total
            continue
        fault, total = _look_closely(block, where, total)
        if fault:
            return fault
    return Fault("empty") if empty else None


def _blocks(numbered: Iterable[Line]) -> Iterator[list[Line]]:
    block, room = list[Line](), BLOCK
    for line in numbered:
        text = line[1]
        if text and text[0] != "#":
            block.append(line)
            room -= len(text)
            if room <= 0:
                yield block
                block, room = [], BLOCK
    if block:
        yield block


def _look_closely(block: Sequence[Line], where: Columns, total: float) -> tuple[Fault | None, float]:
    """The block's first fault, and what the weights' magnitudes come to with it."""
    for number, text in block:
        if fault := row_fault(text, where):
            return fault._replace(line=number), total
        cells = split(text)
        for at in where.weights:
            total += abs(float(cells[at]))
            if total > MOST:
                return Fault("overflow", number, where.names[at]), total
    return None, total


def _plain_magnitude(lines: Sequence[str], where: Columns) -> float | None:
    """What the weights' magnitudes come to in rows that are plainly good; None where one has to be looked at."""
    if {line.count("\t") for line in lines} != {len(where.names) - 1} or any('"' in line for line in lines):
        return None
    rows = [line.split("\t") for line in lines]
    columns = list(zip(*rows, strict=True))
    if where.judged and not (_plainly_placed(columns, where) and _plainly_valued(columns, where)):
        return None
    return magnitude([cell for at in where.weights for cell in columns[at]])


def _plainly_placed(columns: Sequence[Sequence[str]], where: Columns) -> bool:
    """Whole positions where there are any, and in each row a chromosome with one, or an rsID."""

    def cells(name: str) -> Sequence[str]:
        at = where.at(name)
        return [""] * len(columns[0]) if at is None else columns[at]

    chroms, positions = cells("chr_name"), cells("chr_position")
    if not (_are_whole(filter(None, positions), 1) and _are_whole(filter(None, cells("hm_pos")), 0)):
        return False
    if all(positions):
        return all(map(str.strip, chroms))
    has_names = all(rsid.strip() not in ("", ".") for rsid in cells("rsID" if where.at("rsID") is not None else "rsid"))
    return has_names and all(chrom.strip() for chrom, position in zip(chroms, positions, strict=True) if position)


def _plainly_valued(columns: Sequence[Sequence[str]], where: Columns) -> bool:
    """Flags and numbers that the tools take, and no row with a model of its own: few files have any."""
    if not all(all(map(is_good, {*columns[at]})) for at, _, is_good in where.checked):
        return False
    models = [columns[at] for at in map(where.at, MODELS) if at is not None]
    return len(models) < len(MODELS) or not any(all(map(is_true, pair)) for pair in {*zip(*models, strict=True)})


def _are_whole(cells: Iterable[str], least: int) -> bool:
    numbers = list(cells)
    if not numbers:
        return True
    digits = all(map(str.isdecimal, numbers)) and "".join(numbers).isascii()
    return digits and max(map(len, numbers)) <= LONGEST_POSITION and min(map(int, numbers)) >= least
