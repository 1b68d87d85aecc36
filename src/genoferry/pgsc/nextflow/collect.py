"""What a run of pgsc_calc left in its `outdir`, as the same files and reports that the embedded engine gives.

Source of the layout: pgsc_calc 2.2.0, docs/explanation/output.rst.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import yaml

from genoferry.errors import GenotypesInvalid, ScoresIncomplete
from genoferry.pgsc import match_log, outputs
from genoferry.pgsc.bounds import VCF
from genoferry.pgsc.finalize import Calculated, Engine, conclude
from genoferry.pgsc.inputs import Inputs, Outcome
from genoferry.pgsc.nextflow.trace import Trace, cpu_hours, peak_memory
from genoferry.pgsc.samples import read_samples
from genoferry.pgsc.scorefiles import FORMAT, Scorefile
from genoferry.pgsc.textio import open_text
from genoferry.pgsc.vcf import FIXED

THEIR_REPORT = "pgsc_calc_report.html"

T = TypeVar("T")


def collect(inputs: Inputs, asked: Sequence[Scorefile], trace: Trace, results: Path, out: Path) -> Outcome:
    """Copies what is to be published into `out`, and says of each score what became of it. Raises `ScoresIncomplete`
    where nothing usable is there, or the sums are not those of all variants that match; `ScorefileInvalid` where a
    scorefile that the pipeline downloaded has a weight that is no number."""
    folder = results / inputs.sampleset
    aggregated = _keep(folder / "score" / outputs.AGGREGATED, out)
    summary = _keep(folder / "match" / f"{inputs.sampleset}_summary.csv", out)
    log = _keep(folder / "match" / f"{inputs.sampleset}_log.csv.gz", out)
    files = [aggregated, summary, log]
    samples = count_samples(inputs)
    counts = match_log.read_counts(log, split=inputs.split)  # first: a weight that is no number explains the rest
    matching, sums = outputs.read_summary(summary), outputs.read_sums(aggregated, samples)
    match_log.check_summary(counts, matching)
    match_log.check_denominators(counts, sums, samples, aggregated)
    scores = [*asked, *_found(matching, asked)]
    found = Calculated(
        _by_asked(matching, scores, inputs.build),
        _by_asked(sums, scores, inputs.build),
        samples,
        unsupported_scores(trace.workdir(FORMAT)),
    )
    cost = {"cpu_hours": round(cpu_hours(trace.tasks), 6), "peak_memory": peak_memory(trace.tasks)}
    engine = Engine("nextflow", read_versions(results / "pipeline_info" / "software_versions.yml"), cost)
    outcome = conclude(inputs, scores, found, engine, files=files, out=out)
    if (theirs := folder / "score" / "report.html").exists():
        copy = Path(shutil.copyfile(theirs, out / THEIR_REPORT))
        return replace(outcome, outputs=(*outcome.outputs, copy))
    return outcome


def unsupported_scores(format_workdir: str | None) -> frozenset[str]:
    """The ids of scores left out since they have other than the three effect types: FORMAT_SCOREFILES says so in a
    file that pgsc_calc doesn't publish. None known where its work dir is not on this disk."""
    path = Path(format_workdir or "/nowhere") / "formatted" / "log_scorefiles.json"
    if not path.is_file():
        return frozenset()
    try:
        entries = json.loads(path.read_text())
        return frozenset(str(entry["pgs_id"]) for entry in entries if not entry["compatible_effect_type"])
    except (ValueError, KeyError, TypeError):
        return frozenset()  # another version's file: a finished calculation doesn't fail of it


def count_samples(inputs: Inputs) -> int:
    """Of the first row of the samplesheet. Raises `GenotypesInvalid`."""
    target = inputs.targets[0]
    path = inputs.files[target.pheno]
    if target.format != "vcf":
        return len(read_samples(path))
    # not by `vcf.read_samples_of`: what is strict must not undo a finished calculation
    with open_text(path, bounds=VCF) as lines:
        header = next((line for line in lines if line.startswith("#CHROM\t")), None)
    if header is None:
        raise GenotypesInvalid
    return len(header.rstrip("\n").split("\t")) - FIXED


def read_versions(path: Path) -> dict[str, str]:
    """Of what the pipeline used, by the tools' names; nothing where it didn't say."""
    if not path.exists():
        return {}
    processes = yaml.safe_load(path.read_text()) or {}
    return {str(tool): str(version) for tools in processes.values() for tool, version in dict(tools).items()}


def _found(matching: Mapping[str, outputs.Matching], asked: Sequence[Scorefile]) -> list[Scorefile]:
    """Scores that the catalogue's search found: the request didn't name them."""
    known = {score.id for score in asked}
    return [
        Scorefile(Path(accession), outputs.score_id(accession), None, outputs.HARMONISED in accession, None)
        for accession in matching
        if outputs.score_id(accession) not in known
    ]


def _by_asked(table: Mapping[str, T], scores: Sequence[Scorefile], build: str) -> dict[str, T]:
    """Under the accessions that the scores asked for go by: a lifted scorefile's is another in the tools' outputs."""
    names = {score.id: score.accession(build) for score in scores}
    return {names.get(outputs.score_id(accession), accession): value for accession, value in table.items()}


def _keep(path: Path, out: Path) -> Path:
    if not path.is_file():
        raise ScoresIncomplete
    return Path(shutil.copyfile(path, out / path.name))
