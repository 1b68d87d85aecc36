"""The embedded engine: pgsc_calc's main way (format, match, score, aggregate, report) without Nextflow."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from genoferry.errors import CalculationError, DiskFull, JobOutOfDisk, ZeroMatches
from genoferry.files import is_full
from genoferry.pgsc import match, match_log, outcomes, outputs, report_json
from genoferry.pgsc.exit_codes import trace_name
from genoferry.pgsc.filesets import Fileset, check_same_samples, prepare
from genoferry.pgsc.finalize import Calculated, Engine, conclude
from genoferry.pgsc.inputs import Inputs, Outcome, Progress
from genoferry.pgsc.parallel import together
from genoferry.pgsc.parts import check_parts
from genoferry.pgsc.plink2 import PROCESS as SCORE
from genoferry.pgsc.plink2 import score_with_plink2
from genoferry.pgsc.process import Bench, Stop, run_tool, tail, tool
from genoferry.pgsc.score import score
from genoferry.pgsc.scorefile_rows import check_rows
from genoferry.pgsc.scorefiles import FORMAT, Scorefile, check_builds, name_of, read_scorefiles
from genoferry.pgsc.sscore import write_sscore
from genoferry.pgsc.weights import Weights
from genoferry.pgsc.zero_matches import explain

AGGREGATE, REPORT = "SCORE_AGGREGATE", "SCORE_REPORT"


def run(inputs: Inputs, *, work: Path, out: Path, progress: Progress, stop: threading.Event) -> Outcome:
    """Calculates every score of `inputs` and writes the files to publish into `out`.

    `work` gets a fresh folder for each call, since pgscatalog-aggregate appends to what it finds; it holds plaintext
    genotypes and is the caller's to delete. `progress` is called from several threads, one at a time. Raises a
    `CalculationError` with `scores` set (each score asked for, failed, with the reason) when there is no score to
    publish, `CalculationStopped` when `stop` was set.
    """
    scratch = work.absolute() / "calculation"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    out.mkdir(parents=True, exist_ok=True)
    bench = Bench(scratch, Stop(stop), max(1, inputs.threads))
    try:
        return _calculate(bench, inputs, out, _serial(progress))
    except DiskFull as error:
        raise JobOutOfDisk(f"{JobOutOfDisk()} {error.trace_name} found it full.") from error
    except OSError as error:
        if is_full(error):
            raise JobOutOfDisk from error
        raise CalculationError(f"The job's scratch folder failed: {error.strerror}.") from error
    except CalculationError as error:
        names = [name_of(path) for path in inputs.scorefiles]
        reason = f"Not calculated: {error.user_message}"
        error.scores = error.scores or tuple(outcomes.all_failed(names, reason, _rates(bench), inputs.min_overlap))
        raise


def _calculate(bench: Bench, inputs: Inputs, out: Path, progress: Progress) -> Outcome:
    with _step(FORMAT):
        scorefiles = read_scorefiles(inputs.scorefiles, inputs.build, check_build=False)
        check_rows(scorefiles, bench.stop)
        check_builds(scorefiles, inputs.build)
    formatted, filesets = _prepare(bench, inputs, scorefiles, progress)
    samples = check_same_samples(filesets)
    progress("match", 0, 1)
    candidates = match.match(bench, inputs, formatted, filesets)
    progress("match", 1, 1)
    try:
        matched = match.combine(bench, inputs, formatted, candidates)
    except ZeroMatches as error:
        raise explain(error, bench, inputs, scorefiles, formatted=formatted, candidates=candidates) from error
    progress("combine", 1, 1)
    _score(bench, inputs, filesets, matched, progress)
    aggregated = _aggregate(bench, matched.folder, out)
    progress("aggregate", 1, 1)
    with _step(AGGREGATE):
        check_parts(matched.weights, filesets[0].samples.iid, aggregated)
        sums, matching = outputs.read_sums(aggregated, samples), outputs.read_summary(matched.summary)
        _check_counts(inputs, matched, matching, tuple(sums))
    with _step(REPORT):
        found = Calculated(matching, sums, samples, formatted.unsupported)
        engine = Engine("embedded", report_json.embedded_versions(_plink2_version(bench, inputs)))
        files = [aggregated, *(_keep(path, out) for path in (matched.summary, matched.log))]
        outcome = conclude(inputs, scorefiles, found, engine, files=files, out=out)
    progress("report", 1, 1)
    return outcome


def _prepare(
    bench: Bench, inputs: Inputs, scorefiles: Sequence[Scorefile], progress: Progress
) -> tuple[match.Formatted, list[Fileset]]:
    """Formats the scorefiles while the genomes are made ready: neither needs the other."""
    formatted: list[match.Formatted] = []
    filesets: list[Fileset] = []
    total = len(inputs.targets)

    def format_all() -> None:
        formatted.append(match.format_scorefiles(bench, inputs, scorefiles))
        progress("format", 1, 1)

    def make_ready(row: int) -> None:
        target = inputs.targets[row]
        with _step({"vcf": "PLINK2_VCF", "bfile": "PLINK2_RELABELBIM"}.get(target.format, "PLINK2_RELABELPVAR")):
            filesets.append(prepare(bench, inputs, target))
        progress("prepare", len(filesets), total)

    steps: list[Callable[[], None]] = [format_all, *(partial(make_ready, row) for row in range(total))]
    together(bench.stop, steps, bench.threads)
    order = {target.chrom or "ALL": i for i, target in enumerate(inputs.targets)}
    return formatted[0], sorted(filesets, key=lambda fileset: order[fileset.chrom])


def _score(
    bench: Bench, inputs: Inputs, filesets: Sequence[Fileset], matched: match.Matched, progress: Progress
) -> None:
    by_chrom = {fileset.chrom: fileset for fileset in filesets}
    todo = matched.weights
    for done, weights in enumerate(todo):
        progress("score", done, len(todo))
        with _step(SCORE):
            _score_one(bench, inputs, by_chrom[weights.chrom], weights, matched.folder)
    progress("score", len(todo), len(todo))


def _score_one(bench: Bench, inputs: Inputs, fileset: Fileset, weights: Weights, folder: Path) -> None:
    if inputs.plink2:
        score_with_plink2(bench, inputs.plink2, fileset, weights, folder=folder, memory_mib=inputs.memory_mib)
    else:
        write_sscore(folder, weights, fileset.samples, score(fileset, weights, bench.stop))


def _aggregate(bench: Bench, folder: Path, out: Path) -> Path:
    """Sums over chromosomes and effect types, checked variant by variant (as pgsc_calc: --verify_variants)."""
    target = bench.scratch / "aggregated"
    target.mkdir()
    sscores = sorted(folder.glob("*.sscore.zst"))
    argv: list[str | Path] = [tool("pgscatalog-aggregate"), "-s", *sscores, "-o", target, "--no-split"]
    run_tool(bench, AGGREGATE, [*argv, "--verify_variants"])
    return _keep(target / outputs.AGGREGATED, out)


def _check_counts(
    inputs: Inputs, matched: match.Matched, matching: Mapping[str, outputs.Matching], calculated: Sequence[str]
) -> None:
    counts = match_log.read_counts(matched.log, split=inputs.split)
    match_log.check_summary(counts, matching)
    match_log.check_weights(counts, matched.weights, calculated)


def _keep(path: Path, out: Path) -> Path:
    return Path(shutil.copyfile(path, out / path.name))


def _plink2_version(bench: Bench, inputs: Inputs) -> str | None:
    return run_tool(bench, "PLINK2_VERSION", [inputs.plink2, "--version"]).strip() if inputs.plink2 else None


def _rates(bench: Bench) -> dict[str, float]:
    """The match rates that pgscatalog-matchmerge printed of scores below the overlap, by score id."""
    log = bench.log_of(match.COMBINE)
    found = outcomes.RATE.findall(tail(log)) if log.exists() else []
    return {outputs.score_id(accession): float(rate) for accession, rate in found}


@contextlib.contextmanager
def _step(process: str) -> Iterator[None]:
    """Names the process of an error that was raised in this package rather than by a tool."""
    try:
        yield
    except CalculationError as error:
        error.trace_name = error.trace_name or trace_name(process)
        raise


def _serial(progress: Progress) -> Progress:
    lock = threading.Lock()

    def report(phase: str, done: int, total: int) -> None:
        with lock:
            progress(phase, done, total)

    return report
