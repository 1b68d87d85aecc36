"""Family ids as pgscatalog-aggregate tells them apart: not all that differ in the sample files differ there."""

from __future__ import annotations

from genoferry.errors import DuplicateSamples
from genoferry.pgsc.samples import Samples

MISSING = frozenset(
    (
        "", "na", "n/a", "nan", "-nan", "null", "none", "<na>", "#n/a", "#na", "#n/a n/a", "1.#ind", "-1.#ind",
        "1.#qnan", "-1.#qnan",
    )
)  # fmt: skip
"""What pandas reads as no value (pandas, `parsers.STR_NA_VALUES`), in lower case."""

TOLD_AS_ONE = (
    "Two samples have the same id, in families that are one to the PGS Catalog's tools (01 and 1, or NA and NULL). "
    "Give every sample an id of its own."
)


def check_families(samples: Samples) -> None:
    """Raise `DuplicateSamples` where the tools would take two samples for one and publish both sums under one id.

    pgscatalog-aggregate (`polygenicscore.py`) lets pandas read the FIDs, and so as numbers where they look like it.
    """
    if len(set(samples.iid)) == len(samples):
        return
    families = zip(map(family_as_read, samples.fid), samples.iid, strict=True)
    if len(set(families)) < len(samples):
        raise DuplicateSamples(TOLD_AS_ONE)


def family_as_read(fid: str) -> str | float:
    if fid.lower() in MISSING:
        return ""
    try:
        return float(fid)
    except ValueError:
        return fid.lower() if fid.lower() in ("true", "false") else fid
