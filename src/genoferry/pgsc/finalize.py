"""What a calculation comes to, whichever engine did it: an outcome for each score, and the two reports."""

from __future__ import annotations

from array import array
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genoferry.pgsc import outcomes, report_html, report_json
from genoferry.pgsc.inputs import Inputs, Outcome
from genoferry.pgsc.outputs import Matching
from genoferry.pgsc.scorefiles import Scorefile


@dataclass(frozen=True)
class Calculated:
    """What the tools wrote, by accession: what became of the variants, and the SUM of each of `samples`;
    `unsupported`: ids of scores that they left out for their effect types."""

    matching: Mapping[str, Matching]
    sums: Mapping[str, array[float]]
    samples: int
    unsupported: Container[str]


@dataclass(frozen=True)
class Engine:
    """What calculated: its name, the versions of what it used, by name, and what that took, where it is known."""

    name: str
    versions: Mapping[str, str]
    cost: Mapping[str, Any] | None = None


def conclude(
    inputs: Inputs, scores: Sequence[Scorefile], found: Calculated, engine: Engine, *, files: Sequence[Path], out: Path
) -> Outcome:
    """Writes both reports into `out`, which are published after `files`. A score that the tools left out without a
    word is failed."""
    told = tuple(
        outcomes.outcome(
            score,
            inputs.build,
            matching=found.matching,
            calculated=found.sums,
            unsupported=found.unsupported,
            min_overlap=inputs.min_overlap,
        )
        for score in scores
    )
    report = report_json.build(
        inputs,
        scores,
        told,
        matching=found.matching,
        sums=found.sums,
        samples=found.samples,
        engine=engine.name,
        versions=engine.versions,
        cost=engine.cost,
    )
    page, document = report_html.write(report, out / "report.html"), report_json.write(report, out / "report.json")
    return Outcome(told, (*files, page, document), found.samples)
