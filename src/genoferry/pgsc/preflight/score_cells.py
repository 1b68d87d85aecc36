"""Cells of a scorefile beside weights and places: flags, ratios and frequencies, as the PGS Catalog's tools read them.

Source: pgscatalog.core 1.1, `models.py` (`CatalogScoreVariant`: which of them may be empty), and pydantic's conversion
table (a `bool` of a string).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

TRUE = frozenset(("1", "on", "t", "true", "y", "yes"))
FLAGS = TRUE | {"0", "off", "f", "false", "n", "no"}
MODELS = ("is_dominant", "is_recessive")
"""Flags of which a row may have one at most (`effect_type`)."""

FREQUENCY = "allelefrequency_effect_"


def is_flag(cell: str) -> bool:
    return cell.lower() in FLAGS


def is_true(cell: str) -> bool:
    return cell.lower() in TRUE


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def is_flag_or_empty(cell: str) -> bool:
    return not cell.strip() or is_flag(cell)


def is_number_or_empty(cell: str) -> bool:
    return not cell.strip() or is_number(cell)


CHECKS: Mapping[str, Callable[[str], bool]] = {
    "is_dominant": is_flag,
    "is_recessive": is_flag,
    "is_interaction": is_flag,
    "is_haplotype": is_flag_or_empty,
    "is_diplotype": is_flag_or_empty,
    "hm_match_chr": is_flag_or_empty,
    "hm_match_pos": is_flag_or_empty,
    "OR": is_number_or_empty,
    "HR": is_number_or_empty,
    "allelefrequency_effect": is_number_or_empty,
}


def check_of(column: str) -> Callable[[str], bool] | None:
    """What the cells of a column must be, None where they may be anything."""
    return is_number if column.startswith(FREQUENCY) else CHECKS.get(column)


def label_of(column: str) -> str:
    """A column's name without what a sender made up of it: messages quote none of that."""
    return f"{FREQUENCY}..." if column.startswith(FREQUENCY) else column
