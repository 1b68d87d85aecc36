"""Scorefiles of the PGS Catalog: which file is a score's in a mirror folder, and what a file's header says.

Source: https://www.pgscatalog.org/downloads/ (names, folders, header of format 2.0).
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from genoferry.errors import BuildMismatch, CalculationError, ScorefileInvalid, ScorefileMissing
from genoferry.pgsc.bounds import MIB, SCOREFILE
from genoferry.pgsc.exit_codes import refusal
from genoferry.pgsc.scorefile_faults import FAULTS

ID_KEYS = ("pgs_id", "omicspred_id", "score_id")
BUILDS = {"GRCh37": "GRCh37", "hg19": "GRCh37", "GRCh38": "GRCh38", "hg38": "GRCh38"}
"""As they may be written in a header; the tools mind capitals (pgscatalog.core, `genomebuild.py`)."""

MAX_HEADER = MIB
"""Characters of a header; a real one has some 20 lines."""

FORMAT, DOWNLOAD = "FORMAT_SCOREFILES", "DOWNLOAD_SCOREFILES"
SCORE_ID = re.compile(r"(?!.*_SUM)[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""Without `_SUM`, which pgscatalog-aggregate cuts out of names, wherever it stands (pgscatalog.calc 0.3, `melt`): the
score's sums would be published as another one's."""


@dataclass(frozen=True)
class Scorefile:
    """`build`: of the positions that will be used, the harmonised ones where there are any; None if not stated."""

    path: Path
    id: str
    build: str | None
    harmonised: bool
    trait: str | None

    def accession(self, build: str) -> str:
        """The score's name in the tools' outputs."""
        return f"{self.id}_hmPOS_{build}" if self.harmonised else self.id


def candidates(pgs_id: str, build: str) -> tuple[str, ...]:
    """Paths below a mirror where a score's file may be, best first: flat, or in the catalogue's own folders."""
    harmonised, plain = f"{pgs_id}_hmPOS_{build}.txt.gz", f"{pgs_id}.txt.gz"
    folder = f"{pgs_id}/ScoringFiles"
    return (
        harmonised,
        f"{folder}/Harmonized/{harmonised}",
        f"scores/{folder}/Harmonized/{harmonised}",
        plain,
        f"{folder}/{plain}",
        f"scores/{folder}/{plain}",
    )


def find(pgs_id: str, mirror: Path, build: str) -> Path | None:
    """The best of its files that the folder `mirror` has."""
    paths = (mirror / name for name in candidates(pgs_id, build))
    return next((path for path in paths if path.is_file()), None)


def resolve(pgs_ids: Iterable[str], mirror: Path, build: str) -> tuple[Path, ...]:
    """The files of `pgs_ids` in the folder `mirror`, harmonised to `build` where there are. Raises
    `ScorefileMissing` naming the ids that aren't there."""
    found = {name: find(name, mirror, build) for name in dict.fromkeys(pgs_ids)}
    if absent := [name for name, path in found.items() if path is None]:
        message = f"The score mirror has no scorefile for {build} of: {', '.join(absent[:10])}. Check the ids."
        raise refusal(ScorefileMissing, DOWNLOAD, message)
    return tuple(path for path in found.values() if path is not None)


def read_scorefiles(paths: Sequence[Path], build: str, *, check_build: bool = True) -> tuple[Scorefile, ...]:
    """Reads the headers and refuses what `pgscatalog-format` would refuse, but naming the score at fault.

    `check_build`: False where that is left to who knows of lifting over.

    Raises `ScorefileMissing`, `ScorefileInvalid`, `BuildMismatch`.
    """
    files = tuple(_read_header(path.absolute()) for path in paths)
    if not files:
        raise refusal(ScorefileMissing, FORMAT, "The request names no score. Give PGS ids or scorefiles.")
    ids = [file.id for file in files]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        message = f"Two scorefiles have the same id: {twice[0]}. Send each score once."
        raise refusal(ScorefileInvalid, FORMAT, message)
    names = [file.accession(build) for file in files]
    if alike := next((file.id for file, name in zip(files, names, strict=True) if names.count(name) > 1), None):
        message = (
            f"Two scorefiles, one of them that of {alike}, have the same name in the results: give one another id."
        )
        raise refusal(ScorefileInvalid, FORMAT, message)
    if check_build:
        check_builds(files, build)
    return files


def check_builds(files: Sequence[Scorefile], build: str) -> None:
    """Raise `BuildMismatch` unless all are in `build`."""
    for file in files:
        if file.build != build:
            message = f"The scorefile of {file.id} is not in {build}. Use one that is, or one harmonised to {build}."
            raise refusal(BuildMismatch, FORMAT, message)


def name_of(path: Path) -> str:
    """The id of a scorefile that may be unreadable: its header's, else its file's name without the rest."""
    with contextlib.suppress(CalculationError):
        return _read_header(path.absolute()).id
    return path.name.split(".")[0].split("_hmPOS_")[0]


def read_header(lines: Iterable[str]) -> Mapping[str, str]:
    """The header that the lines of a scorefile begin with. No line after it but one is read. Raises
    `ScorefileInvalid` for a byte order mark."""
    header: dict[str, str] = {}
    for line in lines:
        if line.startswith("\ufeff"):
            raise refusal(ScorefileInvalid, FORMAT, f"A scorefile {FAULTS['mark']}")
        if not line.startswith("#"):
            break
        key, equals, value = line.lstrip("#").strip().partition("=")
        if equals and not line.startswith("##"):
            header[key] = value
    return header


def of_header(path: Path, header: Mapping[str, str]) -> Scorefile:
    """Raises `ScorefileInvalid` where the header states no id."""
    name = next((header[key] for key in ID_KEYS if key in header), "")
    if not SCORE_ID.fullmatch(name):
        raise refusal(ScorefileInvalid, FORMAT, f"A scorefile {FAULTS['header']}")
    harmonised = "HmPOS_build" in header and "HmPOS_date" in header
    build = header.get("HmPOS_build" if harmonised else "genome_build", "")
    return Scorefile(path, name, BUILDS.get(build), harmonised, header.get("trait_reported"))


def _header_lines(lines: Iterable[str]) -> Iterator[str]:
    """Raises `ScorefileInvalid` where the header is longer than any is."""
    size = 0
    for line in lines:
        size += len(line)
        if size > MAX_HEADER:
            raise refusal(ScorefileInvalid, FORMAT, "A scorefile's header is over 1 MiB, which no scorefile's is.")
        yield line


def _read_header(path: Path) -> Scorefile:
    from genoferry.pgsc.textio import open_text  # needs zstandard, which a worker may lack

    if not path.is_file():
        raise refusal(ScorefileMissing, FORMAT)
    try:
        with open_text(path, damaged=ScorefileInvalid, bounds=SCOREFILE) as lines:
            return of_header(path, read_header(_header_lines(lines)))
    except ScorefileInvalid as error:
        if error.trace_name is not None:
            raise
        raise refusal(ScorefileInvalid, FORMAT, error.user_message) from error
