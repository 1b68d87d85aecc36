"""What pgsc_calc left is published only where sums, summary and log agree on what was scored."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Sequence
from pathlib import Path

import pytest

from genoferry.contracts.pipeline import TargetGenome
from genoferry.errors import ScorefileInvalid, ScoresIncomplete
from genoferry.pgsc.inputs import Inputs, Outcome
from genoferry.pgsc.nextflow.collect import collect
from genoferry.pgsc.nextflow.trace import Trace
from genoferry.pgsc.scorefiles import Scorefile

NAME = "PGS000001_hmPOS_GRCh38"
SAMPLES = tuple(f"S{number}" for number in range(60))
SUMMARY = (
    "dataset,accession,score_pass,match_status,ambiguous,is_multiallelic,duplicate_best_match,duplicate_ID,"
    "match_flipped,match_IDs,count,percent\n"
    f"c,{NAME},true,matched,false,false,false,false,false,NA,3,75\n"
    f"c,{NAME},true,unmatched,,,,,,,1,25\n"
)
LOGGED = [(NAME, chrom, "additive", "0.1", "matched") for chrom in ("21", "22", "22")]


def collected(folder: Path, *, logged: Sequence[Sequence[str]] = LOGGED, total: str = "0.5", denom: int = 6) -> Outcome:
    results, out = folder / "results", folder / "out"
    for part in ("c/match", "c/score"):
        (results / part).mkdir(parents=True)
    out.mkdir()
    (results / "c/match/c_summary.csv").write_text(SUMMARY)
    with gzip.open(results / "c/match/c_log.csv.gz", "wt") as file:
        names = ("accession", "chr_name", "effect_type", "effect_weight", "match_status")
        csv.writer(file).writerows([names, *logged, (NAME, "22", "additive", "nan", "unmatched")])
    rows = [f"c\t0\t{iid}\t{NAME}\t{total}\t{denom}\t0" for iid in SAMPLES]
    text = "\n".join(["sampleset\tFID\tIID\tPGS\tSUM\tDENOM\tAVG", *rows, ""])
    (results / "c/score/aggregated_scores.txt.gz").write_bytes(gzip.compress(text.encode()))
    (folder / "c.psam").write_text("#IID\n" + "".join(f"{iid}\n" for iid in SAMPLES))
    target = TargetGenome(
        sampleset="c",
        chrom=None,
        format="pfile",
        vcf_import_dosage=False,
        geno="g.pgen",
        variants="v.pvar",
        pheno="c.psam",
    )
    inputs = Inputs("R", [target], {"c.psam": folder / "c.psam"}, [], "GRCh38")
    asked = [Scorefile(Path("PGS000001"), "PGS000001", "GRCh38", True, None)]
    return collect(inputs, asked, Trace(), results, out)


def test_sums_of_all_that_matches_are_published(tmp_path: Path) -> None:
    (score,) = collected(tmp_path).scores
    assert (score.status, score.variants_matched, score.variants_total) == ("calculated", 3, 4)


@pytest.mark.parametrize("weight", ["nan", "inf", "-inf", "1e400"])
def test_a_downloaded_weight_must_be_a_number(tmp_path: Path, weight: str) -> None:
    logged = [*LOGGED[:2], (NAME, "22", "additive", weight, "matched")]
    with pytest.raises(ScorefileInvalid, match="PGS000001"):
        collected(tmp_path, logged=logged)


@pytest.mark.parametrize("total", ["nan", "inf", ""])
def test_a_sum_that_is_no_number_is_found(tmp_path: Path, total: str) -> None:
    with pytest.raises(ScoresIncomplete):
        collected(tmp_path, total=total)


def test_log_and_summary_that_differ_are_found(tmp_path: Path) -> None:
    with pytest.raises(ScoresIncomplete, match="summary"):
        collected(tmp_path, logged=LOGGED[:2])


@pytest.mark.parametrize("denom", [4, 8])
def test_sums_of_other_variants_are_found(tmp_path: Path, denom: int) -> None:
    with pytest.raises(ScoresIncomplete, match="all variants that match"):
        collected(tmp_path, denom=denom)
