"""How sure a share is that was counted in a sample: the Wilson score interval.

Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American
Statistical Association 22 (1927), 209-212.
"""

from __future__ import annotations

from math import sqrt

Z = 3.2905
"""Of the normal distribution: 99.9 % lie within so many standard deviations."""


def wilson(found: int, of: int, z: float = Z) -> tuple[float, float]:
    """The share that `found` of `of` stands for, from and to; anything where `of` is 0."""
    if of == 0:
        return 0.0, 1.0
    share, weight = found / of, z * z / of
    middle = (share + weight / 2) / (1 + weight)
    reach = z * sqrt(share * (1 - share) / of + weight / (4 * of)) / (1 + weight)
    low = 0.0 if found == 0 else max(0.0, middle - reach)
    high = 1.0 if found == of else min(1.0, middle + reach)
    return min(low, share), max(high, share)
