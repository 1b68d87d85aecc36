"""The pre-flight: all checks over facts that are gathered once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from genoferry.contracts.pipeline import PipelineParam
from genoferry.pgsc.preflight import genome_checks, overlap_checks, sample_checks, score_checks, sheet_checks
from genoferry.pgsc.preflight.facts import Facts, Files, Lookup, Site
from genoferry.pgsc.preflight.gather import Gathering
from genoferry.pgsc.preflight.text_stream import Opener
from genoferry.pgsc.preflight.verdict import Finding, Verdict
from genoferry.pgsc.scorefiles import find
from genoferry.settings import PreflightSettings

CHECKS: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
    sheet_checks.samplesheet,
    genome_checks.files,
    genome_checks.compression,
    genome_checks.genotypes,
    genome_checks.chromosomes,
    genome_checks.alleles,
    sample_checks.samples,
    score_checks.scores,
    score_checks.build,
    overlap_checks.overlap,
    overlap_checks.memory,
)
"""In the order in which they are told of; the first that fails names the error."""


ANYWHERE = Site()


def check(
    pipeline: PipelineParam,
    files: Files,
    settings: PreflightSettings,
    *,
    lookup: Lookup | None = None,
    site: Site = ANYWHERE,
    stop: threading.Event,
) -> Verdict:
    """Looks at the files' beginnings, and says what will come of the calculation. Blocking: call it on a thread.

    `lookup` finds the score ids that the request asks for; without it, the scorefiles among `files` are theirs, and
    where there are none, they are left to pgsc_calc. `site` is what the deployment has. Raises `CalculationStopped`
    soon after `stop` is set, and whatever the openers and their streams raise.
    """
    facts = Gathering(pipeline, files, settings, lookup, stop).run(site)
    findings = tuple(finding for each in CHECKS for finding in each(facts))
    known = (row.samples for row in facts.rows if row.samples)
    samples = next((each.count for each in known if each.whole and not each.fault), None)
    return Verdict(findings, facts.overlaps, samples)


def mirror(folder: Path, build: str) -> Lookup:
    """Finds scores in a folder that is laid out as `pgsc.scorefiles.candidates` has it."""

    def lookup(pgs_id: str) -> Opener | None:
        found = find(pgs_id, folder, build)
        return None if found is None else lambda: found.open("rb")

    return lookup
