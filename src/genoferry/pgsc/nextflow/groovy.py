"""Groovy text, as a Nextflow config file has it: literals that mean exactly what they are made from, and blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

ESCAPES = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


@dataclass(frozen=True)
class Code:
    """Groovy of our own, written as it is."""

    text: str


Value = str | int | bool | Code
Block = Mapping[str, "Value | Block"]


def literal(text: str) -> str:
    """A single-quoted Groovy string, in which `$` is nothing special; all but printable ASCII as UTF-16 escapes
    (Groovy's syntax documentation, "Single-quoted string")."""
    return "'" + "".join(ESCAPES.get(char) or _plain(char) for char in text) + "'"


def _plain(char: str) -> str:
    if " " <= char <= "~":
        return char
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def value(item: Value) -> str:
    match item:
        case Code():
            return item.text
        case bool():
            return str(item).lower()
        case int():
            return str(item)
        case _:
            return literal(item)


def lines(block: Block, indent: str = "") -> Iterator[str]:
    """`name = value`, and `name { … }` for what is a block itself; an empty one is left out."""
    for name, item in block.items():
        if not isinstance(item, Mapping):
            yield f"{indent}{name} = {value(item)}"
        elif item:
            yield f"{indent}{name} {{"
            yield from lines(item, indent + "    ")
            yield f"{indent}}}"
