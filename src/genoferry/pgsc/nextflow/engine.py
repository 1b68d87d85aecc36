"""The Nextflow engine: PGScatalog/pgsc_calc, run in a workspace that the next attempt goes on with."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from genoferry.contracts.events import ProgressInfo
from genoferry.contracts.pipeline import PipelineParam
from genoferry.errors import CalculationError, CalculationStopped, DiskFull, ScorefileInvalid, ZeroMatches
from genoferry.files import FULL
from genoferry.pgsc import outcomes
from genoferry.pgsc.genome_text import check_genomes
from genoferry.pgsc.inputs import Inputs, Outcome
from genoferry.pgsc.nextflow.bucket import fetch_pipeline, read_tail
from genoferry.pgsc.nextflow.collect import collect
from genoferry.pgsc.nextflow.failure import explain
from genoferry.pgsc.nextflow.head import environment, run_head, tail
from genoferry.pgsc.nextflow.heartbeat import Heart
from genoferry.pgsc.nextflow.input_links import stock
from genoferry.pgsc.nextflow.layout import Places
from genoferry.pgsc.nextflow.render import Rendered, fetched, render, write
from genoferry.pgsc.nextflow.steps import expected
from genoferry.pgsc.nextflow.takeover import take_over
from genoferry.pgsc.nextflow.watch import Watch
from genoferry.pgsc.repeated_rows import count_repeats
from genoferry.pgsc.scorefile_copy import readable_by_tools
from genoferry.pgsc.scorefile_rows import check_rows
from genoferry.pgsc.scorefiles import Scorefile, read_scorefiles
from genoferry.settings import NextflowSettings

log = structlog.get_logger()


@dataclass(frozen=True)
class Calculation:
    """A run of pgsc_calc. What `inputs.scorefiles` lacks of the scores asked for, the pipeline downloads."""

    inputs: Inputs
    pipeline: PipelineParam
    site: NextflowSettings
    places: Places

    @property
    def downloads(self) -> bool:
        nxf = self.pipeline.nxf_params_file
        return bool(nxf.pgp_ids or nxf.efo_ids or (nxf.pgs_ids and not self.inputs.scorefiles))

    def scores_here(self) -> tuple[Scorefile, ...]:
        """Those whose files are here."""
        here = self.inputs.scorefiles
        return read_scorefiles(here, self.inputs.build, check_build=False) if here else ()

    def scores(self, stop: threading.Event) -> tuple[Scorefile, ...]:
        """Those that the request names, whether their files are here or the pipeline downloads them. Each row of the
        files that are here is looked at. Raises `ScorefileInvalid`, `CalculationStopped`."""
        known = self.scores_here()
        check_rows(known, stop)
        ids, build, nxf = {score.id for score in known}, self.inputs.build, self.pipeline.nxf_params_file
        return (*known, *(Scorefile(Path(name), name, build, True, None) for name in nxf.pgs_ids if name not in ids))


def run(job: Calculation, *, out: Path, progress: Callable[[ProgressInfo], None], stop: threading.Event) -> Outcome:
    """Calculates every score asked for and writes the files to publish into `out`.

    Raises a `CalculationError` with `scores` set when there is no score to publish; a retryable one where another
    attempt would go on from here.
    """
    asked: tuple[Scorefile, ...] = ()
    try:
        with _disk():
            with _before_any_process():
                asked = job.scores(stop)
                check_genomes(job.inputs, stop)
            heart = Heart(job.places.workspace / "heart", stop)
            try:
                watch = _run(job, _prepare(job, heart), heart, progress)
            finally:
                heart.end()
            return collect(job.inputs, asked, watch.trace, job.places.out, out)
    except CalculationError as error:
        reason = f"Not calculated: {error.user_message}"
        names = [score.id for score in asked]
        error.scores = tuple(outcomes.all_failed(names, reason, {}, job.inputs.min_overlap))
        raise


def _prepare(job: Calculation, heart: Heart) -> Rendered:
    """The workspace as this attempt needs it: what the last one left is ended, or kept where it is of use."""
    places = job.places
    take_over(places.workspace, places.launch, heart)
    heart.beat()
    places.launch.mkdir(exist_ok=True)
    places.log.unlink(missing_ok=True)  # or an earlier attempt's end would be taken for this one's
    shutil.rmtree(places.attempt_folder, ignore_errors=True)
    places.attempt_folder.mkdir()
    if job.site.pipeline.startswith("s3://"):
        fetch_pipeline(job.site.pipeline, fetched(places))
    stock(job.pipeline, job.inputs.files, _readable(job), places)
    rendered = render(
        job.pipeline,
        job.site,
        places,
        local_scores=bool(job.inputs.scorefiles),
    )
    write(rendered, places.rendered)
    return rendered


def _readable(job: Calculation) -> list[Path]:
    """The scorefiles as the tools can read them."""
    folder = job.places.workspace / "copies"
    folder.mkdir(exist_ok=True)
    paths = enumerate(path.absolute() for path in job.inputs.scorefiles)
    return [readable_by_tools(path, folder / f"score_{number}.txt.gz") for number, path in paths]


def _run(job: Calculation, rendered: Rendered, heart: Heart, progress: Callable[[ProgressInfo], None]) -> Watch:
    """What was seen of it. Raises what it failed of."""
    places, site = job.places, job.site
    steps = expected(job.pipeline, download=job.downloads, report=not site.only_score)
    watch = Watch(places.trace, places.console, steps)

    def look() -> None:
        """Hours of work must not end for want of a word about them."""
        try:
            heart.beat()
            progress(watch.look())
        except Exception:
            log.exception("could not look at the run")

    code = run_head(
        rendered.command,
        environment(places, rendered.environment, aws=site.executor == "awsbatch" or places.bucket_work is not None),
        places,
        look=look,
        poll_seconds=site.poll_seconds,
        stop=heart.stop,
    )
    if heart.stop.is_set():
        raise CalculationStopped
    if code:
        error = explain(watch.trace.tasks, watch.console, tail(places.log), code, read_tail)
        raise _repeated(job, error, heart.stop) or error
    return watch


def _repeated(job: Calculation, error: CalculationError, stop: threading.Event) -> CalculationError | None:
    """What zero matches come to where a scorefile that is here has too many rows twice."""
    if not isinstance(error, ZeroMatches):
        return None
    for score in job.scores_here():
        repeats = count_repeats(score, stop)
        if repeats.explain_overlap_below(job.inputs.min_overlap):
            words = outcomes.repeats(repeats.repeated, repeats.rows)
            message = f"The scorefile of {score.id} can't be used: {words}"
            explanation = ScorefileInvalid(message, trace_name=error.trace_name, trace_exit=error.trace_exit)
            explanation.log_tail = error.log_tail
            return explanation
    return None


@contextlib.contextmanager
def _before_any_process() -> Iterator[None]:
    """What is refused here, no process of pgsc_calc has failed of."""
    try:
        yield
    except CalculationError as error:
        error.trace_name = error.trace_exit = None
        raise


@contextlib.contextmanager
def _disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise DiskFull from error
        raise CalculationError(f"The job's workspace failed: {error.strerror}.") from error
