"""Genomes and scorefiles under names of ours: pgsc_calc's scripts don't quote what their files are called."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from genoferry.contracts.pipeline import PipelineParam
from genoferry.errors import GenomesMissing
from genoferry.pgsc.nextflow.places import Places
from genoferry.pgsc.nextflow.samplesheet import WHICH, file_name
from genoferry.pgsc.textio import GZIP


def stock(pipeline: PipelineParam, files: Mapping[str, Path], scorefiles: Sequence[Path], places: Places) -> None:
    """Fill `places.genomes` and `places.scores`; what an earlier attempt put there stays as it is, time of its last
    change and all, since Nextflow knows a file again by that. Raises `GenomesMissing`, `SamplesheetInvalid`."""
    places.genomes.mkdir(exist_ok=True)
    places.scores.mkdir(exist_ok=True)
    for row in pipeline.target_genomes:
        for which in WHICH:
            source = files.get(getattr(row, which))
            if source is None:
                raise GenomesMissing
            _put(source, places.genomes / file_name(row, which))
    for number, source in enumerate(scorefiles):
        _put(source, places.scores / f"score_{number}{_ending(source)}")


def _put(source: Path, target: Path) -> None:
    """A hard link, or a copy with the same time where the file is of another disk (a mirror)."""
    with suppress(FileExistsError):
        try:
            os.link(source.resolve(), target)
        except OSError as error:
            if isinstance(error, FileExistsError):
                raise
            scratch = target.with_name(f".{target.name}")  # a hidden file is in no glob
            shutil.copy2(source, scratch)
            scratch.rename(target)


def _ending(scorefile: Path) -> str:
    """The tools tell gzip by the name."""
    with scorefile.open("rb") as start:
        return ".txt.gz" if start.read(2) == GZIP else ".txt"
