"""Scorefiles to `plink2 --score` files, by the PGS Catalog's own tools as pgsc_calc runs them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from genoferry.pgsc.filesets import Fileset
from genoferry.pgsc.inputs import Inputs
from genoferry.pgsc.parallel import together
from genoferry.pgsc.process import Bench, run_tool, tool
from genoferry.pgsc.scorefile_copy import readable_by_tools
from genoferry.pgsc.scorefiles import FORMAT, Scorefile
from genoferry.pgsc.textio import GZIP
from genoferry.pgsc.weights import Weights

MATCH, COMBINE = "MATCH_VARIANTS", "MATCH_COMBINE"


@dataclass(frozen=True)
class Formatted:
    """Normalised scorefiles, and the ids of scores left out since they have other than the three effect types."""

    paths: tuple[Path, ...]
    unsupported: frozenset[str]


@dataclass(frozen=True)
class Matched:
    folder: Path
    summary: Path
    log: Path

    @property
    def weights(self) -> list[Weights]:
        return [Weights(path) for path in sorted(self.folder.glob("*.scorefile.gz"))]


def format_scorefiles(bench: Bench, inputs: Inputs, scorefiles: Sequence[Scorefile]) -> Formatted:
    """Raises a `CalculationError`, `ScorefileInvalid` mostly."""
    folder = bench.scratch / "formatted"
    folder.mkdir()
    links = [_link(bench.scratch, scorefile, inputs.build) for scorefile in scorefiles]
    argv: list[str | Path] = [tool("pgscatalog-format"), "-s", *links, "-t", inputs.build, "-o", folder]
    run_tool(bench, FORMAT, [*argv, "-l", "log_scorefiles.json", "--threads", str(bench.threads)])
    log = json.loads((folder / "log_scorefiles.json").read_text())
    return Formatted(
        tuple(sorted(folder.glob("normalised_*"))),
        frozenset(entry["pgs_id"] for entry in log if not entry["compatible_effect_type"]),
    )


def match(bench: Bench, inputs: Inputs, formatted: Formatted, filesets: Sequence[Fileset]) -> list[Path]:
    """Match candidates of all filesets. A process takes seconds to start, so there is one a core, not one a
    chromosome; the ids that relabelling gave make both come to the same. Raises a `CalculationError`."""
    groups = [filesets[i :: bench.threads] for i in range(min(bench.threads, len(filesets)))]
    each = replace(bench, threads=max(1, bench.threads // len(groups)))
    steps = [partial(_match, each, inputs, formatted, group) for group in groups]
    return [path for found in together(bench.stop, steps, bench.threads) for path in found]


def combine(bench: Bench, inputs: Inputs, formatted: Formatted, candidates: Sequence[Path]) -> Matched:
    """The best matches as scorefiles by chromosome (or all in one), effect type and number.

    Raises a `CalculationError`: `ZeroMatches` when no score reaches `min_overlap`.
    """
    matched = combined(bench, inputs)
    matched.folder.mkdir()
    argv: list[str | Path] = [tool("pgscatalog-matchmerge"), "-d", inputs.sampleset, "-s", *formatted.paths]
    argv += ["-m", *candidates, "--min_overlap", str(inputs.min_overlap), "--outdir", matched.folder]
    argv += ["--split" if inputs.split else "--combined"]
    argv += ["--keep_ambiguous"] if inputs.keep_ambiguous else []
    argv += ["--keep_multiallelic"] if inputs.keep_multiallelic else []
    run_tool(bench, COMBINE, argv)
    return matched


def combined(bench: Bench, inputs: Inputs) -> Matched:
    """Where `combine` writes."""
    folder = bench.scratch / "combined"
    return Matched(folder, folder / f"{inputs.sampleset}_summary.csv", folder / f"{inputs.sampleset}_log.csv.gz")


def _match(bench: Bench, inputs: Inputs, formatted: Formatted, group: Sequence[Fileset]) -> list[Path]:
    label = group[0].chrom
    folder = bench.scratch / f"matches_{label}"
    folder.mkdir()
    argv: list[str | Path] = [tool("pgscatalog-match"), "-d", inputs.sampleset, "-s", *formatted.paths]
    argv += ["--target", *(fileset.variants.path for fileset in group), "--only_match", "--outdir", folder]
    argv += ["--chrom", label] if inputs.split and len(group) == 1 else []
    run_tool(bench, MATCH, argv, label=f".{label}")
    return sorted(folder.glob("*.ipc.zst"))


def _link(scratch: Path, scorefile: Scorefile, build: str) -> Path:
    """The tools write what they make of a file under its name, and tell gzip by it: so names are ours."""
    path = readable_by_tools(scorefile.path, scratch / f"copy_of_{scorefile.id}.gz")
    with path.open("rb") as start:
        suffix = ".txt.gz" if start.read(2) == GZIP else ".txt"
    link = scratch / (scorefile.accession(build) + suffix)
    link.symlink_to(path)
    return link
