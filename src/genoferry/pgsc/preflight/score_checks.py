"""What can be wrong with the scores, and between them and the genomes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import chain

from genoferry.errors import (
    BuildMismatch,
    ScorefileInvalid,
    ScorefileMissing,
    ToolsMissing,
)
from genoferry.pgsc.preflight.facts import Facts
from genoferry.pgsc.preflight.findings import called, doubtful, failed, ok, some
from genoferry.pgsc.preflight.verdict import Finding

BEYOND = 0.001
"""Share of a chromosome's variants that may lie past its end: a few are slips of whoever made the file."""

FAULTS: Mapping[str, str] = {
    "empty": "holds no variants.",
    "header": "has no header with a valid pgs_id. Scorefiles must be in PGS Catalog format 2.0.",
    "column": "lacks a column: it needs a chromosome, a position, effect_allele and effect_weight (of a harmonised one,"
    " hm_chr and hm_pos).",
    "unreadable": "can't be decompressed: it is damaged, or was cut.",
}


def scores(facts: Facts) -> Iterator[Finding]:
    """Whether every score asked for has a scorefile, and that can be read."""
    found = list(_scores(facts))
    left = (
        f" {facts.unasked} more accessions are left to pgsc_calc, which asks the PGS Catalog." if facts.unasked else ""
    )
    yield from found or [ok("scores", f"Scorefiles looked into: {len(facts.scores)}.{left}")]


def _scores(facts: Facts) -> Iterator[Finding]:
    build = facts.pipeline.nxf_params_file.target_build
    if facts.missing:
        message = f"There is no scorefile for {build} of: {some(list(facts.missing))}. Check the ids."
        yield failed("scores", ScorefileMissing, message)
    for score in facts.scores:
        if score.fault == "unread":
            yield doubtful("scores", ToolsMissing.code, f"{called(score)} can't be read here (zstd).")
        elif score.fault:
            yield failed("scores", ScorefileInvalid, f"{called(score)} {FAULTS[score.fault]}")
    counts = Counter(score.id for score in facts.scores if called(score) != "A scorefile")
    if twice := [name for name, count in counts.items() if count > 1]:
        yield failed("scores", ScorefileInvalid, f"Two scorefiles have the same id: {twice[0]}. Send each score once.")


def build(facts: Facts) -> Iterator[Finding]:
    """The scorefiles' build by their headers, the genomes' by the chromosomes' lengths."""
    wanted = facts.pipeline.nxf_params_file.target_build
    found = list(chain(_builds(facts, wanted), _beyond(facts, wanted)))
    lifted = sum(score.build != wanted for score in facts.readable)
    yield from found or [ok("build", f"{wanted}{f'; {lifted} scores will be lifted to it' if lifted else ''}.")]


def _builds(facts: Facts, wanted: str) -> Iterator[Finding]:
    liftover = facts.pipeline.nxf_params_file.liftover
    for score in facts.readable:
        if score.build is None:
            message = f"{called(score)} states no genome build that is known. Use one harmonised to {wanted}."
            yield failed("build", BuildMismatch, message)
        elif score.build != wanted and not liftover:
            message = (
                f"{called(score)} is in {score.build}, not in {wanted}. Use one harmonised to it, or set liftover."
            )
            yield failed("build", BuildMismatch, message)
        elif score.build != wanted and score.harmonised:  # pgscatalog.core, `_normalise.lift`, passes over it
            message = (
                f"{called(score)} is harmonised to {score.build}, so it is not lifted. Use one harmonised to {wanted}."
            )
            yield failed("build", BuildMismatch, message)


def _beyond(facts: Facts, wanted: str) -> Iterator[Finding]:
    for target in facts.targets:
        for chrom, region in target.regions.items():
            if region.beyond > BEYOND * region.count:
                message = f"{region.beyond} variants of the genomes lie past the end of chromosome {chrom} in {wanted}."
                yield failed("build", BuildMismatch, f"{message} Check target_build.")
