"""Reads single-quoted Groovy strings back, from Groovy's own rules and not from ours."""

from __future__ import annotations

import re

STRING = re.compile(r"'((?:[^'\\\n\r]|\\.)*)'")
ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))")
NAMED = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", "'": "'"}


def strings(text: str) -> list[str]:
    """What each literal stands for, in order."""
    return [_read(found) for found in STRING.findall(text)]


def outline(text: str) -> str:
    """The text with every literal left out: what is code."""
    return STRING.sub("''", text)


def _read(inside: str) -> str:
    units = ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else NAMED[found[2]], inside)
    return units.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "surrogatepass")
