"""Why no score reached the overlap: pgscatalog-matchmerge then writes nothing that says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from genoferry.errors import CalculationError, CalculationStopped, ScorefileInvalid, ZeroMatches
from genoferry.pgsc import match, outcomes
from genoferry.pgsc.exit_codes import refusal
from genoferry.pgsc.inputs import Inputs
from genoferry.pgsc.outputs import Matching, read_summary
from genoferry.pgsc.process import Bench
from genoferry.pgsc.scorefiles import Scorefile


def explain(
    error: ZeroMatches,
    bench: Bench,
    inputs: Inputs,
    scorefiles: Sequence[Scorefile],
    *,
    formatted: match.Formatted,
    candidates: Sequence[Path],
) -> CalculationError:
    """Return `error` with what became of each score, or a `ScorefileInvalid` where a scorefile's repeated rows alone
    are why. Raises `CalculationStopped`."""
    matching = _matching(bench, inputs, formatted, candidates)
    if not matching:
        return error
    culprit = next((score for score in scorefiles if _has_repeats(score, inputs, matching)), None)
    if culprit:
        fate = matching[culprit.accession(inputs.build)]
        message = f"The scorefile of {culprit.id} can't be used: {outcomes.repeats(fate.duplicate, fate.total)}"
        explanation = refusal(ScorefileInvalid, match.COMBINE, message)
    else:
        explanation = error
    explanation.scores = tuple(
        outcomes.outcome(
            score,
            inputs.build,
            matching=matching,
            calculated=(),
            unsupported=formatted.unsupported,
            min_overlap=inputs.min_overlap,
        )
        for score in scorefiles
    )
    return explanation


def _has_repeats(score: Scorefile, inputs: Inputs, matching: Mapping[str, Matching]) -> bool:
    fate = matching.get(score.accession(inputs.build))
    return fate is not None and outcomes.lacks_only_repeats(fate, inputs.min_overlap)


def _matching(
    bench: Bench, inputs: Inputs, formatted: match.Formatted, candidates: Sequence[Path]
) -> Mapping[str, Matching]:
    """The summary of the same matches with every overlap allowed; nothing where no variant is even a candidate. The
    tool may fail of having no match after it has written that."""
    apart = replace(bench, scratch=bench.scratch / "explained")
    apart.scratch.mkdir()
    try:
        match.combine(apart, replace(inputs, min_overlap=0.0), formatted, candidates)
    except CalculationStopped:
        raise
    except CalculationError:
        pass
    summary = match.combined(apart, inputs).summary
    return read_summary(summary) if summary.is_file() else {}
