"""How much memory the largest process of a calculation needs.

Measured with pgscatalog.match 0.3 and plink2 (20241020 alpha) on made-up variants of one letter an allele, peak
resident set in MiB:

    pgscatalog-match       0.25 M variants of the genomes, 0.001 / 0.25 / 1 M of scores:  167 / 259 / 523
                           1 M variants of the genomes, the same of scores:               486 / 586 / 845
    pgscatalog-matchmerge  0.001 / 0.25 / 1 M variants of scores that match:               89 / 354 / 899
    plink2 --freq          0.2 M variants x 2000 samples:    71;   1 M variants x 50 samples: 139
    plink2 --score         4000 variants x 40000 samples:   111;   1 M variants x 50 samples: 100

So a match takes 446 bytes a variant of the largest file and 376 a variant of the scores, merging 850 a variant that
matched, plink2 110 a variant and 2 KiB a sample (it scores 240 variants at once, in 8 bytes a genotype), each beside
what the program itself takes. Longer alleles and ids take more, so a real calculation may need half as much again.
"""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024**2
BASE = 60 * MIB
MATCH_TARGET, MATCH_SCORE, MERGE_SCORE = 446, 376, 850
PLINK_VARIANT, PLINK_SAMPLE = 110, 2048
LEAST, MOST = 0.5, 1.5
"""A calculation may do with so much of what was measured, or need so much of it."""


@dataclass(frozen=True)
class Need:
    """Bytes: at least, and at most by what was measured."""

    low: int
    high: int


def need(variants: int, samples: int, score_variants: int) -> Need:
    """Of the largest process: `variants` of the largest file, of all scores together."""
    matching = BASE + MATCH_TARGET * variants + MATCH_SCORE * score_variants
    merging = BASE + MERGE_SCORE * score_variants
    scoring = BASE + PLINK_VARIANT * variants + PLINK_SAMPLE * samples
    matched_less = BASE + MATCH_TARGET * variants
    least = max(matched_less, scoring)  # a score of which nothing matches takes little
    return Need(int(LEAST * least), int(MOST * max(matching, merging, scoring)))
