"""Files that are odd in one way: what is expected of each is stated with it, and the reference pages list them."""

from __future__ import annotations

from dataclasses import dataclass

CALCULATED = "calculated"


@dataclass(frozen=True)
class OddFile:
    """`outcome`: `CALCULATED`, with the right sums, or the code of the error that names the file; `why`: what pgsc_calc
    does with it, or why it isn't asked to."""

    name: str
    oddity: str
    outcome: str
    why: str
