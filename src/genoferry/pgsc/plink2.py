"""Scores with plink2, by the options of pgsc_calc's PLINK2_SCORE."""

from __future__ import annotations

from pathlib import Path

from genoferry.pgsc.filesets import Fileset
from genoferry.pgsc.process import Bench, run_tool
from genoferry.pgsc.weights import Weights

PROCESS = "PLINK2_SCORE"
COLUMNS = "cols=+scoresums,+denom,+fid"


def score_with_plink2(
    bench: Bench, plink2: Path, fileset: Fileset, weights: Weights, *, folder: Path, memory_mib: int
) -> Path:
    """Writes `.sscore.zst` and `.sscore.vars` into `folder`. Raises a `CalculationError`."""
    model = [] if weights.model == "additive" else [weights.model]
    impute = [] if fileset.samples.impute_mean else ["no-mean-imputation"]
    argv: list[str | Path] = [plink2, "--threads", str(bench.threads), "--memory", str(memory_mib), "--seed", "31"]
    argv += ["--extract", weights.path, "--allow-extra-chr", *_genomes(fileset)]
    argv += ["--score", weights.path, "zs", "header-read", COLUMNS, "list-variants", *impute, *model]
    last = len(weights.scores()) + 2
    argv += ["--score-col-nums", f"3-{last}"] if last > 3 else []  # plink2 takes 3-3 for the same column twice
    argv += ["--out", folder / weights.stem]
    run_tool(bench, PROCESS, argv, label=f".{weights.stem}")
    return folder / f"{weights.stem}.sscore.zst"


def _genomes(fileset: Fileset) -> list[str | Path]:
    names = ("--pgen", "--pvar", "--psam") if fileset.is_pfile else ("--bed", "--bim", "--fam")
    paths = (fileset.geno, fileset.variants.path, fileset.sample_file)
    return [part for pair in zip(names, paths, strict=True) for part in pair]
