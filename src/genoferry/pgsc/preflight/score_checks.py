"""What can be wrong with the scores, and between them and the genomes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import chain

from genoferry.errors import (
    BuildMismatch,
    EffectTypeUnsupported,
    ScorefileInvalid,
    ScorefileMissing,
    ToolsMissing,
)
from genoferry.pgsc.preflight.facts import Facts
from genoferry.pgsc.preflight.findings import CANT_LOOK, called, doubtful, failed, ok, some
from genoferry.pgsc.preflight.repeats import is_counted, repeated_share
from genoferry.pgsc.preflight.verdict import Finding
from genoferry.pgsc.scorefile_faults import Fault, describe

BEYOND = 0.001
"""Share of a chromosome's variants that may lie past its end: a few are slips of whoever made the file."""

MOST_SLIPS = 10
"""So many may in any case."""

NOWHERE = (
    "Scores were asked for by PGS id, and this deployment has no mirror of the PGS Catalog (GENOFERRY_SCORE_MIRROR)."
    " Send scorefiles, or ask the operator for a mirror."
)


def scores(facts: Facts) -> Iterator[Finding]:
    """Whether every score asked for has a scorefile, and that can be read."""
    found = list(_scores(facts))
    left = (
        f" {facts.unasked} more accessions are left to pgsc_calc, which asks the PGS Catalog." if facts.unasked else ""
    )
    yield from found or [ok("scores", f"Scorefiles looked into: {len(facts.scores)}.{left}")]


def _scores(facts: Facts) -> Iterator[Finding]:
    build = facts.pipeline.nxf_params_file.target_build
    if facts.pipeline.nxf_params_file.pgs_ids and facts.site.ids == "nowhere":
        yield failed("scores", ScorefileMissing, NOWHERE)
    if facts.missing:
        message = f"There is no scorefile for {build} of: {some(list(facts.missing))}. Check the ids."
        yield failed("scores", ScorefileMissing, message)
    for score in facts.scores:
        if score.fault == "unread":
            yield failed("scores", ToolsMissing, CANT_LOOK.format("of scores"))
        elif score.fault == "over":
            yield failed("scores", ScorefileInvalid, f"{called(score)} {score.over}")
        elif score.fault:
            fault = Fault(score.fault, score.line, score.column)
            yield failed("scores", ScorefileInvalid, describe(called(score), fault))
    yield from _effects(facts)
    yield from _repeats(facts)
    counts = Counter(score.id for score in facts.scores if called(score) != "A scorefile")
    if twice := [name for name, count in counts.items() if count > 1]:
        yield failed("scores", ScorefileInvalid, f"Two scorefiles have the same id: {twice[0]}. Send each score once.")


def _effects(facts: Facts) -> Iterator[Finding]:
    """pgscatalog-format leaves out scores with weights by dosage alone, and fails where there is no other."""
    names = [score.id for score in facts.readable if not score.additive]
    if names and len(names) == len(facts.scores) and not facts.unasked:
        yield failed("scores", EffectTypeUnsupported)
    elif names:
        message = f"With weights by dosage alone, these will be left out: {some(names)}."
        yield doubtful("scores", EffectTypeUnsupported.code, message)


def _repeats(facts: Facts) -> Iterator[Finding]:
    """Rows that name the same variant are all left out, and then too few may be left."""
    most = 1 - facts.pipeline.nxf_params_file.min_overlap
    found = [score for score in facts.comparable if repeated_share(score) > most]
    sure = bool(found) and len(found) == len(facts.scores) and all(map(is_counted, found)) and not facts.unasked
    for score in found:
        share = f"{'' if is_counted(score) else 'about '}{repeated_share(score):.0%}"
        message = (
            f"{called(score)}: {share} of its rows name the same variant as another of its rows, and none of these"
        )
        message += " would count. Keep one row for each variant."
        yield (
            failed("scores", ScorefileInvalid, message) if sure else doubtful("scores", ScorefileInvalid.code, message)
        )


def build(facts: Facts) -> Iterator[Finding]:
    """The scorefiles' build by their headers, the genomes' by the chromosomes' lengths."""
    wanted = facts.pipeline.nxf_params_file.target_build
    found = list(chain(_builds(facts, wanted), _beyond(facts, wanted)))
    lifted = sum(score.build != wanted and not score.harmonised for score in facts.readable)
    yield from found or [ok("build", f"{wanted}{f'; {lifted} scores will be lifted to it' if lifted else ''}.")]


def _builds(facts: Facts, wanted: str) -> Iterator[Finding]:
    liftover = facts.pipeline.nxf_params_file.liftover
    for score in facts.readable:
        if score.harmonised and liftover and score.build != wanted:  # `_normalise.lift` passes over it
            message = f"{called(score)} is harmonised to another build, so it is not lifted. Use one of {wanted}."
            yield doubtful("build", BuildMismatch.code, message)
        elif score.build is None:
            message = f"{called(score)} states no genome build that is known. Use one harmonised to {wanted}."
            yield failed("build", BuildMismatch, message)
        elif score.build != wanted and not liftover:
            message = (
                f"{called(score)} is in {score.build}, not in {wanted}. Use one harmonised to it, or set liftover."
            )
            yield failed("build", BuildMismatch, message)


def _beyond(facts: Facts, wanted: str) -> Iterator[Finding]:
    for target in facts.targets:
        for chrom, region in target.regions.items():
            if region.beyond <= BEYOND * region.count:
                continue
            message = f"{region.beyond} variants of the genomes lie past the end of chromosome {chrom} in {wanted}."
            if region.beyond > MOST_SLIPS:
                yield failed("build", BuildMismatch, f"{message} Check target_build.")
            else:
                yield doubtful("build", BuildMismatch.code, message)
