"""What can be wrong between scores and genomes, and with what both together need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from genoferry.errors import (
    BuildMismatch,
    CalculationError,
    ChromosomesMismatch,
    MemoryCeiling,
    OverlapTooLow,
    ScorefileInvalid,
    ZeroMatches,
)
from genoferry.pgsc.preflight import memory_estimate as needs
from genoferry.pgsc.preflight.facts import Facts, Row
from genoferry.pgsc.preflight.findings import doubtful, failed, ok
from genoferry.pgsc.preflight.overlap import Coverage, agree
from genoferry.pgsc.preflight.verdict import ExpectedOverlap, Finding


def overlap(facts: Facts) -> Iterator[Finding]:
    """Whether each score will reach `min_overlap`. pgsc_calc leaves out those that don't, and fails where none does."""
    overlaps, least = facts.overlaps, facts.pipeline.nxf_params_file.min_overlap
    if not overlaps:
        yield ok("overlap", "It could not be estimated.")
        return
    whole = {score.id for score in facts.scores if score.whole}
    below = [each for each in overlaps if each.id in whole and (each.best < least or each.best == 0)]
    coverage = Coverage(facts.targets)
    chance = agree(facts.comparable, coverage).by_chance
    if chance:
        build = facts.pipeline.nxf_params_file.target_build
        message = f"The genomes fit the scores no better than by chance, as those do that aren't in {build}."
        by_chance = [each for each in overlaps if each in below or _by_chance(facts, each, coverage)]
        if _are_all(facts, by_chance):
            yield failed("overlap", BuildMismatch, f"{message} Check target_build.")
            return
        yield doubtful("overlap", BuildMismatch.code, message)
    elif _are_all(facts, below):
        kind, why = _why(facts, below)
        best = max(each.best for each in below)
        yield failed(
            "overlap", kind, f"{why} The best score has an overlap of {best:.0%} at most, {least:.0%} is needed."
        )
        return
    found = [finding for each in overlaps if (finding := _doubt(each, least, sure=each in below))]
    yield from found
    if not found and not chance:
        yield ok("overlap", f"Every score is expected to reach {least:.0%}.")


def _are_all(facts: Facts, lost: Sequence[ExpectedOverlap]) -> bool:
    """Whether no score is left then that pgsc_calc might calculate."""
    return bool(lost) and len(lost) == sum(score.additive for score in facts.scores) and not facts.unasked


def _by_chance(facts: Facts, each: ExpectedOverlap, coverage: Coverage) -> bool:
    """Whether a score by itself says that the genomes are of another build: where it or they weren't read whole, it
    must say so on several chromosomes, as one region may be unlike the others."""
    least = facts.pipeline.nxf_params_file.min_overlap
    scores = [score for score in facts.comparable if score.id == each.id]
    agreement = agree(scores, coverage)
    whole = all(target.whole for target in facts.targets) and all(score.whole for score in scores)
    return agreement.by_chance and (whole or agreement.chroms > 1) and (each.high < least or least == 0)


def _doubt(each: ExpectedOverlap, least: float, *, sure: bool) -> Finding | None:
    if sure:
        share = f"{each.rate:.0%}" if each.rate is not None else f"at most {each.high:.0%}"
        message = (
            f"{each.id} will be left out: {share} of its variants are expected in the genomes, {least:.0%} needed."
        )
    elif each.rate is None:
        message = f"{each.id}: none of the genomes that were looked at tell how many of its variants they hold."
    elif each.low < least:
        share = f"{each.low:.0%} to {each.high:.0%}"
        message = f"{each.id} may be left out: {share} of its variants are expected, {least:.0%} needed."
    else:
        return None
    return doubtful("overlap", OverlapTooLow.code, message)


def _why(facts: Facts, below: Sequence[ExpectedOverlap]) -> tuple[type[CalculationError], str]:
    sampled, lost = sum(len(score.sample) for score in facts.scores), sum(score.lost for score in facts.scores)
    if lost > sampled / 2:
        return ScorefileInvalid, f"{lost} of {sampled} rows of the scorefiles have no position."
    if sum(score.foreign for score in facts.scores) > sampled / 2:
        return ChromosomesMismatch, "The scorefiles name their chromosomes otherwise than 1-22, X and Y."
    if not any(each.matched for each in below):
        return ZeroMatches, "No variant of the scores is found in the genomes."
    return OverlapTooLow, "No score is found in the genomes often enough."


def memory(facts: Facts) -> Iterator[Finding]:
    """The estimate against the ceiling of one process."""
    variants = max((_variants(row) for row in facts.rows), default=0)
    samples = max((row.samples.count for row in facts.rows if row.samples), default=0)
    need = needs.need(variants, samples, sum(score.variants for score in facts.scores))
    ceiling = facts.site.max_memory_bytes
    if ceiling is None or need.high <= ceiling:
        yield ok("memory", f"The largest process is expected to need {_gb(need.high)} at most.")
    elif need.low > ceiling:
        message = f"A process needs {_gb(need.low)} of memory at least, and may have {_gb(ceiling)}."
        yield failed("memory", MemoryCeiling, f"{message} Raise the ceiling, or send one file per chromosome.")
    else:
        yield doubtful(
            "memory", MemoryCeiling.code, f"A process may need {_gb(need.high)} of memory, and may have {_gb(ceiling)}."
        )


def _variants(row: Row) -> int:
    """As its genotype file counts them, or as many as were seen."""
    counted = row.geno.variants if row.geno else None
    return counted or (row.variants.count if row.variants else 0)


def _gb(size: int) -> str:
    return f"{size / 1024**3:.1f} GiB"
