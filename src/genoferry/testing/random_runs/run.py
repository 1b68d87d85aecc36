"""One random run: whatever is calculated must have the right sums, and what is refused a code that fits."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import numpy.typing as npt

from genoferry.contracts.reports import ScoreReport
from genoferry.errors import CalculationError
from genoferry.pgsc.engine import run
from genoferry.pgsc.inputs import Inputs
from genoferry.pgsc.outputs import read_aggregated
from genoferry.testing.expected import expected_sums
from genoferry.testing.random_runs.genomes import Cohort, draw_cohort
from genoferry.testing.random_runs.matching import Matched, ScoreLine, match
from genoferry.testing.random_runs.scores import draw_score, spoil, write_score

SCORES = 44
TOLERANCE = 1e-9
"""Of the sum of the weights' sizes."""

Floats = npt.NDArray[np.float64]


class WrongResult(AssertionError):
    """The engine calculated another sum than the independent routine, or said something else of a score."""


@dataclass(frozen=True)
class Expected:
    matched: Matched
    sums: Mapping[str, float]
    size: float


def check_scores(seed: int, folder: Path, scores: int = SCORES) -> int:
    """Draw a cohort and its scores from `seed`, run them, and return how many pairs of score and cohort were compared.
    Raise `WrongResult`."""
    rng = Random(seed)  # noqa: S311  # the same each time
    cohort = draw_cohort(rng, folder)
    drawn = {f"PGS{number:06d}": draw_score(rng, cohort) for number in range(1, scores + 1)}
    expected = {name: expect(lines, cohort) for name, lines in drawn.items()}
    try:
        reports, sums = _run(folder, cohort, drawn)
    except CalculationError as error:
        if error.code != "zero-matches" or any(each.matched.passes for each in expected.values()):
            raise WrongResult(f"seed {seed}: refused with {error.code}") from error
        return scores
    for name, right in expected.items():
        _compare(f"seed {seed}, {name}", right, reports[name], sums.get(name))
    return scores


def check_refusal(seed: int, folder: Path) -> int:
    """Spoil one weight of a random score: the run must be refused for its scorefile. Raise `WrongResult`."""
    rng = Random(seed)  # noqa: S311  # the same each time
    cohort = draw_cohort(rng, folder)
    drawn = {"PGS000001": draw_score(rng, cohort), "PGS000002": spoil(rng, draw_score(rng, cohort))}
    return _refused(f"seed {seed}", folder, cohort, drawn, "scorefile-invalid")


def check_cut(seed: int, folder: Path) -> int:
    """Cut a genotype file anywhere: the run must be refused for it. Raise `WrongResult`."""
    rng = Random(seed)  # noqa: S311  # the same each time
    cohort = draw_cohort(rng, folder)
    drawn = {"PGS000001": draw_score(rng, cohort)}
    path = cohort.files[rng.choice(cohort.targets).geno]
    path.write_bytes(path.read_bytes()[: rng.randrange(path.stat().st_size)])
    return _refused(f"seed {seed}", folder, cohort, drawn, "genotypes-invalid")


def expect(lines: Sequence[ScoreLine], cohort: Cohort) -> Expected:
    """Work out a score from the drawn matrices alone."""
    matched = match(lines, cohort.places, keep_ambiguous=cohort.keep_ambiguous)
    total = np.zeros(len(cohort.samples))
    for chromosome in cohort.chromosomes:
        terms = matched.terms.get(chromosome.name, [])
        total += expected_sums(chromosome.copies, terms, founders=chromosome.founders, men_on_x=chromosome.men_on_x)
    size = sum(abs(term.weight) for terms in matched.terms.values() for term in terms)
    return Expected(matched, dict(zip(cohort.samples, total.tolist(), strict=True)), size)


def _refused(name: str, folder: Path, cohort: Cohort, drawn: Mapping[str, Sequence[ScoreLine]], code: str) -> int:
    try:
        _run(folder, cohort, drawn)
    except CalculationError as error:
        if error.code != code:
            raise WrongResult(f"{name}: refused with {error.code} in place of {code}") from error
        return len(drawn)
    raise WrongResult(f"{name}: calculated in place of {code}")


def _run(
    folder: Path, cohort: Cohort, drawn: Mapping[str, Sequence[ScoreLine]]
) -> tuple[dict[str, ScoreReport], dict[str, dict[str, float]]]:
    scorefiles = [write_score(folder / f"{name}.txt", name, lines) for name, lines in drawn.items()]
    inputs = Inputs(
        "RANDOM",
        cohort.targets,
        cohort.files,
        scorefiles,
        "GRCh38",
        keep_ambiguous=cohort.keep_ambiguous,
        plink2=None,
        threads=2,
    )
    out = folder / "out"
    outcome = run(inputs, work=folder / "work", out=out, progress=lambda *_: None, stop=threading.Event())
    return {report.id: report for report in outcome.scores}, read_aggregated(out / "aggregated_scores.txt.gz")


def _compare(name: str, right: Expected, report: ScoreReport, sums: Mapping[str, float] | None) -> None:
    said = (report.status, report.variants_matched, report.variants_total)
    wanted = ("calculated" if right.matched.passes else "failed", right.matched.count, right.matched.total)
    if said != wanted:
        raise WrongResult(f"{name}: {said} in place of {wanted}")
    if not right.matched.passes:
        if sums is not None or not report.reason:
            raise WrongResult(f"{name}: a failed score has sums, or no reason")
        return
    if sums is None or sums.keys() != right.sums.keys():
        raise WrongResult(f"{name}: its sums are not those of the cohort's samples")
    worst = max(abs(sums[sample] - right.sums[sample]) for sample in sums)
    if not worst <= TOLERANCE * max(right.size, 1e-300):
        raise WrongResult(f"{name}: a sum is off by {worst}")
