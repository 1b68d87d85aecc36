"""Rows of a scorefile that name the same place and alleles as another one, counted over the whole file.

pgscatalog-matchmerge leaves all of these out (pgscatalog.match 0.4, `_label_duplicate_id`), and says only that too few
variants match.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import numpy as np

from genoferry.errors import CalculationStopped, ScorefileInvalid
from genoferry.pgsc.bounds import SCOREFILE
from genoferry.pgsc.preflight.score_head import split
from genoferry.pgsc.preflight.score_rows import columns_of
from genoferry.pgsc.scorefile_rows import Stop, read_head
from genoferry.pgsc.scorefiles import Scorefile
from genoferry.pgsc.textio import open_text


@dataclass(frozen=True)
class Repeats:
    rows: int
    repeated: int

    def explain_overlap_below(self, min_overlap: float) -> bool:
        """Whether what is left is less than `min_overlap`, even if all of it matches."""
        return bool(self.rows) and (self.rows - self.repeated) / self.rows < min_overlap


def count_repeats(scorefile: Scorefile, stop: Stop) -> Repeats:
    """Read a file whose rows have no fault, in eight bytes of memory a row. Raises `CalculationStopped`."""
    keys = array("q")
    with open_text(scorefile.path, damaged=ScorefileInvalid, bounds=SCOREFILE) as lines:
        numbered = enumerate((line.rstrip("\n") for line in lines), 1)
        _, names = read_head(numbered)
        where = columns_of(names, scorefile.harmonised)
        columns = [at for at in (where.chrom, where.pos, where.effect, *where.others[:1]) if at is not None]
        for _, text in numbered:
            if stop.is_set():
                raise CalculationStopped
            if text and not text.startswith("#"):
                cells = split(text)
                keys.append(hash(tuple(cells[at] if at < len(cells) else "" for at in columns)))
    _, counts = np.unique(np.frombuffer(keys, np.int64), return_counts=True)
    return Repeats(len(keys), int(counts[counts > 1].sum()))
