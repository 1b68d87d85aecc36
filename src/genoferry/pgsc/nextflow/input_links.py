"""Genomes and scorefiles under names of ours: pgsc_calc's scripts don't quote what their files are called."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from genoferry.contracts.pipeline import PipelineParam
from genoferry.errors import GenomesMissing
from genoferry.pgsc.nextflow.layout import Places
from genoferry.pgsc.nextflow.samplesheet import WHICH, file_name
from genoferry.pgsc.textio import GZIP


def stock(pipeline: PipelineParam, files: Mapping[str, Path], scorefiles: Sequence[Path], places: Places) -> None:
    """Fill `places.genomes` and `places.scores`. What an earlier attempt put there stays as it is, time of its last
    change and all, since Nextflow knows a file again by that; but not where the input was fetched again since.

    Raises `GenomesMissing`, `SamplesheetInvalid`.
    """
    places.genomes.mkdir(exist_ok=True)
    places.scores.mkdir(exist_ok=True)
    for row in pipeline.target_genomes:
        for which in WHICH:
            source = files.get(getattr(row, which))
            if source is None:
                raise GenomesMissing
            _put(source, places.genomes / file_name(row, which), places.workspace)
    for number, source in enumerate(scorefiles):
        _put(source, places.scores / f"score_{number}{_ending(source)}", places.workspace)


def _put(source: Path, target: Path, workspace: Path) -> None:
    """A link to a file of the workspace's own; a copy with the same time of another's (a mirror), which is not to be
    changed by whatever a process does to its input."""
    if _is_there(source, target):
        return
    scratch = target.with_name(f".{target.name}")  # a hidden file is in no glob
    scratch.unlink(missing_ok=True)
    if source.resolve().is_relative_to(workspace.resolve()):
        os.link(source.resolve(), scratch)
    else:
        shutil.copy2(source, scratch)
    scratch.rename(target)


def _is_there(source: Path, target: Path) -> bool:
    if not target.exists():
        return False
    ours, theirs = target.stat(), source.stat()
    return target.samefile(source) or (ours.st_size, ours.st_mtime_ns) == (theirs.st_size, theirs.st_mtime_ns)


def _ending(scorefile: Path) -> str:
    """The tools tell gzip by the name."""
    with scorefile.open("rb") as start:
        return ".txt.gz" if start.read(2) == GZIP else ".txt"
