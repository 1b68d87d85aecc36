"""Scorefiles that are odd in one way each, with what must come of them. The tests run them; `docs/` lists them."""

from __future__ import annotations

from genoferry.testing.odd_scorefiles import form, variants, weights
from genoferry.testing.odd_scorefiles.draft import Draft, OddScorefile, draft, draw_genomes

ROWS: tuple[OddScorefile, ...] = (*weights.ROWS, *variants.ROWS, *form.ROWS)

__all__ = ["ROWS", "Draft", "OddScorefile", "draft", "draw_genomes"]
