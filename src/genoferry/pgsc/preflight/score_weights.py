"""Every weight that the pre-flight reads of a scorefile, not only those of the rows that are drawn.

One in a million that is no number makes every sum wrong (`weight_cells`), and no sample would find it.
"""

from __future__ import annotations

from collections.abc import Sequence

from genoferry.pgsc.preflight.score_head import split
from genoferry.pgsc.preflight.score_rows import Columns, is_open_quote, weights_fault
from genoferry.pgsc.preflight.text_stream import LONG
from genoferry.pgsc.scorefile_faults import Fault
from genoferry.pgsc.weight_cells import MOST, magnitude

COMMENT = ord("#")


def rows_of(lines: Sequence[bytes]) -> list[bytes]:
    """Without comments and empty lines."""
    return [line for line in lines if line and line[0] != COMMENT and line != b"\r"]


class WeightCheck:
    """`fault`: the first that was found in what was taken, `line` counted from the file's first line."""

    def __init__(self, where: Columns, lines_before: int) -> None:
        self._where, self._line, self._total = where, lines_before, 0.0
        self.fault: Fault | None = None

    def take(self, lines: Sequence[bytes], rows: Sequence[bytes]) -> None:
        """`rows`: those among `lines`."""
        text = b"".join(rows)
        if not _is_utf8(text) and max(map(len, rows)) < LONG:  # a longer one was cut, through a character perhaps
            self.fault = Fault("unreadable")
            return
        total = None if b'"' in text else _plain_magnitude(rows, self._where)
        if total is None or self._total + total > MOST:
            self._look_closely(lines)
        else:
            self._total += total
        self._line += len(lines)

    def _look_closely(self, lines: Sequence[bytes]) -> None:
        for number, line in enumerate(lines, self._line + 1):
            if len(line) < LONG and rows_of([line]):  # a longer one was cut
                self.fault = self._row_fault(line.rstrip(b"\r").decode(errors="replace"))
            if self.fault:
                self.fault = self.fault._replace(line=number)
                return

    def _row_fault(self, line: str) -> Fault | None:
        cells, where = split(line), self._where
        if fault := Fault("quote") if is_open_quote(line) else weights_fault(cells, where):
            return fault
        for at in where.weights:
            self._total += abs(float(cells[at]))
            if self._total > MOST:
                return Fault("overflow", column=where.names[at])
        return None


def _is_utf8(text: bytes) -> bool:
    try:
        return text.isascii() or bool(text.decode())
    except UnicodeDecodeError:
        return False


def _plain_magnitude(rows: Sequence[bytes], where: Columns) -> float | None:
    last = max(where.weights) + 1
    try:
        return magnitude([cells[at] for cells in (row.split(b"\t", last) for row in rows) for at in where.weights])
    except IndexError:
        return None
