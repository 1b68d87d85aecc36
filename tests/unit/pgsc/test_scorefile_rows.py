"""Every row of a scorefile is looked at, and a fault is told with its line and column."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genoferry.errors import CalculationStopped, ScorefileInvalid
from genoferry.pgsc.preflight.score_rows import columns_of, row_fault
from genoferry.pgsc.scorefile_faults import Fault
from genoferry.pgsc.scorefile_rows import BLOCK, _plain_magnitude, check_rows, find_fault
from genoferry.pgsc.scorefiles import Scorefile, read_scorefiles

HEAD = "#pgs_id=PGS000001\n#trait_reported=t\n#genome_build=GRCh38\n"
COLUMNS = "rsID\tchr_name\tchr_position\teffect_allele\tother_allele\teffect_weight"
DOSAGES = "\tdosage_0_weight\tdosage_1_weight\tdosage_2_weight"


def row(number: int, weight: object = 0.01) -> str:
    return f"rs{number}\t1\t{number}\tA\tG\t{weight}"


ROWS = BLOCK // len(row(100))
"""About as many as are looked at together."""


def written(folder: Path, rows: Iterable[str], columns: str = COLUMNS, head: str = HEAD) -> Scorefile:
    path = folder / "score.txt.gz"
    path.write_bytes(gzip.compress((head + "\n".join([columns, *rows]) + "\n").encode()))
    return read_scorefiles([path], "GRCh38")[0]


def fault(folder: Path, rows: Iterable[str], columns: str = COLUMNS) -> Fault | None:
    return find_fault(written(folder, rows, columns), threading.Event())


@pytest.mark.parametrize("at", [0, 1, ROWS - 1, ROWS, 2 * ROWS + 7])
def test_a_weight_in_any_row_is_found(tmp_path: Path, at: int) -> None:
    rows = [row(number + 1, "nan" if number == at else 0.01) for number in range(2 * ROWS + 8)]
    assert fault(tmp_path, rows) == Fault("finite", at + 5, "effect_weight")


def test_comments_and_blank_lines_are_counted(tmp_path: Path) -> None:
    assert fault(tmp_path, [row(1), "", "#a note", row(2, "inf")]) == Fault("finite", 8, "effect_weight")


@pytest.mark.parametrize("column", [0, 1, 2])
def test_weights_by_dosage_are_looked_at_too(tmp_path: Path, column: int) -> None:
    cells = ["0.1", "0.2", "0.3"]
    good, bad = "\t".join(cells), "\t".join([*cells[:column], "nan", *cells[column + 1 :]])
    rows = [f"{row(1)}\t{good}", f"{row(2)}\t{bad}"]
    assert fault(tmp_path, rows, COLUMNS + DOSAGES) == Fault("finite", 6, f"dosage_{column}_weight")
    assert fault(tmp_path, rows[:1], COLUMNS + DOSAGES) is None


def test_weights_whose_sum_overflows_are_found(tmp_path: Path) -> None:
    rows = [row(number, "1e307") for number in range(1, 20)]
    assert fault(tmp_path, rows) == Fault("overflow", 4 + 9, "effect_weight")
    assert fault(tmp_path, rows[:8]) is None


def test_a_quote_left_open_is_found(tmp_path: Path) -> None:
    rows = [f'{row(1)}\t"a locus"', f'{row(2)}\t"open', f"{row(3)}\tclosed"]
    assert fault(tmp_path, rows, COLUMNS + "\tlocus_name") == Fault("quote", 6)
    assert fault(tmp_path, rows[::2], COLUMNS + "\tlocus_name") is None


@pytest.mark.parametrize(
    ("cells", "kind", "column"),
    [
        ("rs2\t1\t5\tA\tG", "weight", "effect_weight"),
        ("rs2\t1\t5\tA", "cells", None),
        ("rs2\t1\t5\tA\tG\t0.1\tx", "cells", None),
        ("rs2\t1\t0\tA\tG\t0.1", "position", "chr_position"),
        ("rs2\t1\t-5\tA\tG\t0.1", "position", "chr_position"),
        ("\t1\t\tA\tG\t0.1", "place", None),
        ("rs2\t1\t5\tA\tG\t0,1", "weight", "effect_weight"),
    ],
)
def test_what_the_tools_refuse_is_named(tmp_path: Path, cells: str, kind: str, column: str | None) -> None:
    assert fault(tmp_path, [row(1), cells]) == (kind, 6, column)


def test_the_error_names_score_line_and_column(tmp_path: Path) -> None:
    score = written(tmp_path, [row(1), row(2, "-Infinity")])
    with pytest.raises(ScorefileInvalid) as raised:
        check_rows([score], threading.Event())
    assert "PGS000001" in str(raised.value)
    assert "line 6, column effect_weight" in str(raised.value)
    assert "Infinity" not in str(raised.value)
    assert raised.value.trace_name == "PGSCATALOG:EMBEDDED:FORMAT_SCOREFILES"


def test_made_up_column_names_are_not_quoted(tmp_path: Path) -> None:
    column = "allelefrequency_effect_<b>secret"
    assert fault(tmp_path, [f"{row(1)}\tNA"], f"{COLUMNS}\t{column}") == Fault("cell", 5, "allelefrequency_effect_...")
    assert fault(tmp_path, [f"{row(1)}\t0.5"], f"{COLUMNS}\t{column}") is None


def test_a_stop_ends_the_look(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(CalculationStopped):
        find_fault(written(tmp_path, [row(1)]), stop)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    score = written(tmp_path, (row(number, f"0.{number * 7919}") for number in range(1, 2 * ROWS)))
    score.path.write_bytes(score.path.read_bytes()[:-100])
    assert find_fault(score, threading.Event()) == Fault("unreadable")


CELLS = {
    "rsID": ["rs1", "", ".", " "],
    "chr_name": ["1", "X", "", " "],
    "chr_position": ["5", "", "0", "5.0", "-5", "\u0663", "9" * 13, " 5"],
    "effect_allele": ["A", "", "P", "a"],
    "other_allele": ["G", "", "A/C"],
    "effect_weight": ["0.1", "nan", "", "1_0", "1e308", '"0.1"', '"0.1'],
    "is_dominant": ["True", "False", "1", "", "2"],
    "is_recessive": ["True", "False", "t", "", " True"],
    "OR": ["", "1.2", "NA"],
    "hm_source": ["ENSEMBL", "Unknown", ""],
    "hm_pos": ["5", "", "0", "x"],
}
GOOD = {name: cells[0] for name, cells in CELLS.items()} | {"is_recessive": "False"}


@st.composite
def odd_rows(draw: st.DrawFn) -> tuple[tuple[str, ...], list[str]]:
    """Some columns, and rows with a few odd cells."""
    needed = {"chr_name", "chr_position", "effect_allele", "other_allele", "effect_weight"}
    columns = tuple(name for name in CELLS if name in needed or draw(st.booleans()))
    lines = []
    for _ in range(draw(st.integers(1, 3))):
        odd = draw(st.sets(st.sampled_from(columns), max_size=2))
        cells = [draw(st.sampled_from(CELLS[name])) if name in odd else GOOD[name] for name in columns]
        lines.append("\t".join([*cells, *draw(st.sampled_from([[], [], ["x"]]))]))
    return columns, lines


@settings(max_examples=500)
@given(odd_rows(), st.booleans())
def test_the_look_at_many_rows_misses_none(drawn: tuple[tuple[str, ...], list[str]], harmonised: bool) -> None:
    columns, lines = drawn
    where = columns_of(columns, harmonised)
    if _plain_magnitude(lines, where) is not None:
        assert [row_fault(line, where) for line in lines] == [None] * len(lines)
