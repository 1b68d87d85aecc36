"""Weights as scorefiles write them: which are numbers that every tool on the way reads alike.

What pgscatalog-format takes is what Python's `float` takes (pgscatalog.core 1.1, `models.py`,
`effect_weight_must_float`), which is more than numbers: `nan`, `inf`, `1_000`, digits of other scripts. plink2 refuses
all of these ("invalid coefficient"; tried with 2.00a3), so pgsc_calc calculates none of them. The embedded engine's own
scorer would take them: a NaN makes a NaN sum, and pgscatalog-aggregate, which adds with pandas' `add(fill_value=0)`,
takes a sum that is NaN in one part for one that isn't there, and drops it without a word (pgscatalog.calc 0.3,
`polygenicscore.py`, `__add__`). Its `--verify_variants` compares only the ids of variants, never a sum.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from math import isfinite
from typing import Literal

WeightFault = Literal["weight", "finite"]
NUMBER = re.compile(r"[\t-\r ]*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[\t-\r ]*")
"""In ASCII's white space, which both Python and plink2 pass over."""

MOST = sys.float_info.max / 2
"""What the magnitudes of a score's weights may come to: everybody may have two copies of each effect allele."""

_NOT_FINITE = re.compile(r"\s*[+-]?(?:nan|inf|infinity)\s*", re.IGNORECASE)


def weight_fault(cell: str) -> WeightFault | None:
    """`weight`: it is no number; `finite`: it is none that can be added up, or is too large for one."""
    if _NOT_FINITE.fullmatch(cell):
        return "finite"
    if not NUMBER.fullmatch(cell):
        return "weight"
    return None if isfinite(float(cell)) else "finite"


def magnitude(cells: Sequence[bytes] | Sequence[str]) -> float | None:
    """The sum of the magnitudes of many weights, None where one of them may have a fault. This is for speed: `float`
    takes whatever `weight_fault` takes, and the little more that it takes is ruled out for all cells at once."""
    try:
        total = sum(map(abs, map(float, cells)))
    except ValueError:
        return None
    return total if not cells or (isfinite(total) and _plain(cells)) else None


def _plain(cells: Sequence[bytes] | Sequence[str]) -> bool:
    text = b"".join(cells) if isinstance(cells[0], bytes) else "".join(cells).encode()  # type: ignore[arg-type]
    return text.isascii() and b"_" not in text
