"""The demo's verdict: what was calculated beside what was expected, score by score."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genoferry.testing.cohort import Expected

TOLERANCE = 1e-5
"""On SUM, as `docs/` promises."""
Sums = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Verdict:
    """One score. `difference` is the largest of all samples, None where there is nothing to compare."""

    id: str
    status: str
    matched: str
    samples: int
    difference: float | None
    reason: str | None
    passed: bool


def compare(expected: Mapping[str, Expected], sums: Sums, reports: Sequence[Mapping[str, Any]]) -> list[Verdict]:
    """`reports`: of report.json, one for each score asked for."""
    by_id = {str(report["id"]): report for report in reports}
    return [_verdict(pgs_id, wanted, sums.get(pgs_id), by_id.get(pgs_id)) for pgs_id, wanted in expected.items()]


def _verdict(
    pgs_id: str, wanted: Expected, got: Mapping[str, float] | None, report: Mapping[str, Any] | None
) -> Verdict:
    status = str(report["status"]) if report else "not reported"
    difference = _difference(wanted.sums, got)
    if wanted.sums is None:
        passed = status == "failed" and got is None and bool(report and report.get("reason"))
    else:
        passed = status == "calculated" and difference is not None and difference <= TOLERANCE
    variants = (report or {}).get("variants") or {}
    matched = f"{variants['matched']} of {variants['total']}" if variants else ""
    reason = str(report["reason"]) if report and report.get("reason") else None
    return Verdict(pgs_id, status, matched, len(got or {}), difference, reason, passed)


def _difference(wanted: Mapping[str, float] | None, got: Mapping[str, float] | None) -> float | None:
    """None unless both have the same samples, each with a number."""
    if wanted is None or got is None or set(wanted) != set(got):
        return None
    if not all(map(math.isfinite, got.values())):
        return None
    return max((abs(wanted[name] - got[name]) for name in wanted), default=None)
