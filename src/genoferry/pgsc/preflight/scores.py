"""What the scorefiles say, and a sample of their variants."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Literal, get_args

from genoferry.errors import ScorefileInvalid
from genoferry.pgsc.preflight.decompress import Compression
from genoferry.pgsc.preflight.matching import Wanted
from genoferry.pgsc.preflight.reservoir import Draw
from genoferry.pgsc.preflight.score_head import is_taken, read_head, wrong_column
from genoferry.pgsc.preflight.score_rows import Kind, columns_of, read_row
from genoferry.pgsc.preflight.score_weights import WeightCheck, rows_of
from genoferry.pgsc.preflight.text_stream import Text
from genoferry.pgsc.scorefile_faults import HeadFault, RowFault
from genoferry.pgsc.scorefiles import of_header, read_header

ScoreFault = HeadFault | RowFault | Literal["over", "unread"]


@dataclass
class Score:
    """`id`: the header's, else `name`. `variants` were counted, `whole`: to the file's end. `lost`: of the sample,
    those without a position; `foreign`: those whose chromosome is named otherwise than the tools name it.
    `additive`: False where it has weights by dosage alone, and so is left out. `line`, `column`: where the fault is,
    if that is known; `over`: which bound it is over."""

    name: str
    id: str
    build: str | None = None
    harmonised: bool = False
    compression: Compression = "plain"
    variants: int = 0
    whole: bool = False
    additive: bool = True
    sample: list[Wanted] = field(default_factory=list)
    lost: int = 0
    foreign: int = 0
    fault: ScoreFault | None = None
    line: int | None = None
    column: str | None = None
    over: str = ""


def read_score(text: Text, name: str, *, sample: int, most: int) -> Score:
    """Reads up to about `most` variants and draws `sample` of them, the same ones each time.

    Raises `Unreadable`, `CalculationStopped`, and what the stream raises.
    """
    score = Score(name, name, compression=text.compression)
    batches = text.batches()
    head = read_head(text, batches)
    if head.cut:
        score.fault = "long"
        return score
    if head.garbled:
        score.fault = "unreadable"
        return score
    try:
        known = of_header(Path(name), read_header(head.lines))
    except ScorefileInvalid:
        score.fault = "header"
        return score
    score.id, score.build, score.harmonised = known.id, known.build, known.harmonised
    score.fault = wrong_column(head.columns) if is_taken(head.lines) else "stated"
    if score.fault:
        return score
    where = columns_of(head.columns, known.harmonised)
    score.additive = "effect_weight" in head.columns
    drawn = Draw(sample, known.id, lambda line: read_row(line, where))
    weights = WeightCheck(where, len(head.lines) + 1)
    for lines in chain([head.rest], batches):
        if drawn.count >= most or weights.fault:
            break
        rows = rows_of(lines)
        drawn.take(rows)
        weights.take(lines, rows)
    score.whole, score.variants = text.whole, drawn.count
    _tell(score, drawn)
    if weights.fault:
        score.fault, score.line, score.column = weights.fault
    return score


def _tell(score: Score, drawn: Draw[tuple[Wanted, Kind]]) -> None:
    kinds = Counter[str](kind for _, kind in drawn.kept)
    score.sample = [wanted for wanted, _ in drawn.kept]
    score.lost, score.foreign = kinds["lost"], kinds["foreign"]
    if score.whole and not drawn.count:
        score.fault = "empty"
    else:
        score.fault = next((fault for fault in get_args(RowFault) if kinds[fault]), None)
