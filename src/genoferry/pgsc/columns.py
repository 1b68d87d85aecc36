"""Columns of plink's text files."""

from __future__ import annotations

import re

BLANK = " \t\r\n"
_BLANKS = re.compile(f"[{BLANK}]+")


def split_columns(line: str, most: int = -1) -> list[str]:
    """Return the columns of a line, cut at `most` blanks at most (-1: at all), as plink2 has them: `str.split` alone
    takes Unicode's spaces, too, for blanks, and so would cut an id that holds one."""
    if line.isascii():
        return line.split(None, most)
    return _BLANKS.split(line.strip(BLANK), max(most, 0))
