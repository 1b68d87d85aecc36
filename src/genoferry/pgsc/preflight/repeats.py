"""Rows of a score that name the same variant: the tools leave all of these out (pgscatalog.match 0.4,
`_label_duplicate_id`), and a score of which too many are left out is not calculated."""

from __future__ import annotations

from collections import Counter

from genoferry.pgsc.preflight.scores import Score

FEW = 10
"""Sampled rows with another one of theirs in the sample that must be there before more is concluded from a sample."""


def repeated_share(score: Score) -> float:
    """The share of a score's rows that name the same variant as another of its rows: counted where every row was
    drawn, else estimated as if each had one other, which is in the sample as often as any row is."""
    placed = [(each.chrom, each.pos, each.effect, each.other) for each in score.sample if each.chrom is not None]
    counts = Counter(placed)
    repeated, drawn = sum(counts[key] > 1 for key in placed), len(score.sample)
    if drawn == score.variants or not repeated:
        return repeated / max(1, drawn)
    if repeated < FEW or drawn < FEW:
        return 0.0
    return min(1.0, repeated / drawn * (score.variants - 1) / (drawn - 1))


def is_counted(score: Score) -> bool:
    return score.whole and len(score.sample) == score.variants
