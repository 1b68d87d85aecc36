"""Every row of a scorefile is looked at, and a fault is told with its line and column."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterable
from pathlib import Path

import pytest

from genoferry.errors import CalculationStopped, ScorefileInvalid
from genoferry.pgsc.scorefile_faults import Fault
from genoferry.pgsc.scorefile_rows import BLOCK, check_rows, find_fault
from genoferry.pgsc.scorefiles import Scorefile, read_scorefiles

HEAD = "#pgs_id=PGS000001\n#trait_reported=t\n#genome_build=GRCh38\n"
COLUMNS = "rsID\tchr_name\tchr_position\teffect_allele\tother_allele\teffect_weight"
DOSAGES = "\tdosage_0_weight\tdosage_1_weight\tdosage_2_weight"


def row(number: int, weight: object = 0.01) -> str:
    return f"rs{number}\t1\t{number}\tA\tG\t{weight}"


def written(folder: Path, rows: Iterable[str], columns: str = COLUMNS, head: str = HEAD) -> Scorefile:
    path = folder / "score.txt.gz"
    path.write_bytes(gzip.compress((head + "\n".join([columns, *rows]) + "\n").encode()))
    return read_scorefiles([path], "GRCh38")[0]


def fault(folder: Path, rows: Iterable[str], columns: str = COLUMNS) -> Fault | None:
    return find_fault(written(folder, rows, columns), threading.Event())


@pytest.mark.parametrize("at", [0, 1, BLOCK - 1, BLOCK, 2 * BLOCK + 7])
def test_a_weight_in_any_row_is_found(tmp_path: Path, at: int) -> None:
    rows = [row(number + 1, "nan" if number == at else 0.01) for number in range(2 * BLOCK + 8)]
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


def test_a_stop_ends_the_look(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(CalculationStopped):
        find_fault(written(tmp_path, [row(1)]), stop)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    score = written(tmp_path, (row(number, f"0.{number * 7919}") for number in range(1, 2 * BLOCK)))
    score.path.write_bytes(score.path.read_bytes()[:-100])
    assert find_fault(score, threading.Event()) == Fault("unreadable")
