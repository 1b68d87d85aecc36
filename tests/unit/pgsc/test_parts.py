"""An aggregate that lacks a part of a score, or has a part that is no number, is never published."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import zstandard

from genoferry.errors import CalculationError, ScorefileInvalid, ScoresIncomplete
from genoferry.pgsc.match_log import check_summary, check_weights, read_counts
from genoferry.pgsc.outputs import Matching
from genoferry.pgsc.parts import check_parts
from genoferry.pgsc.weights import Weights

SAMPLES = ("A", "B", "C")
Sums = Mapping[str, Sequence[float | str]]
PARTS: Mapping[str, Sums] = {
    "c_21_additive_0": {"S": (0.1, 0.2, 0.3), "T": (1.0, 1.0, 1.0)},
    "c_22_additive_0": {"S": (-0.1, 5.0, 0.25)},
    "c_22_recessive_0": {"S": (1e-5, 0.0, 2e-5)},
}
TOTALS = {"S": (1e-5, 5.2, 0.55002), "T": (1.0, 1.0, 1.0)}


def part(folder: Path, stem: str, sums: Sums, samples: Sequence[str] = SAMPLES) -> Weights:
    """One variant a score, and what scoring writes of it."""
    rows = [["ID", "effect_allele", *sums], ["21:1:A:C", "A", *("0.1" for _ in sums)]]
    (folder / f"{stem}.scorefile.gz").write_bytes(gzip.compress(tabled(rows)))
    head = ["#FID", "IID", "ALLELE_CT", "DENOM", "NAMED_ALLELE_DOSAGE_SUM"]
    head += [f"{name}_AVG" for name in sums] + [f"{name}_SUM" for name in sums]
    columns = list(zip(*sums.values(), strict=True))
    lines = [["0", iid, 2, 2, 1, *(0 for _ in sums), *row] for iid, row in zip(samples, columns, strict=True)]
    (folder / f"{stem}.sscore.zst").write_bytes(zstandard.compress(tabled([head, *lines])))
    return Weights(folder / f"{stem}.scorefile.gz")


def tabled(rows: Sequence[Sequence[object]]) -> bytes:
    return "".join("\t".join(map(str, row)) + "\n" for row in rows).encode()


def aggregate(folder: Path, totals: Sums, samples: Sequence[str] = SAMPLES) -> Path:
    rows = [["c", "0", iid, name, value, 2, 0] for name, sums in totals.items() for iid, value in zip(samples, sums)]  # noqa: B905
    path = folder / "aggregated_scores.txt.gz"
    path.write_bytes(gzip.compress(tabled([["sampleset", "FID", "IID", "PGS", "SUM", "DENOM", "AVG"], *rows])))
    return path


def checked(folder: Path, parts: Mapping[str, Sums], totals: Sums) -> None:
    check_parts([part(folder, *each) for each in parts.items()], SAMPLES, aggregate(folder, totals))


def test_the_sum_of_all_parts_is_taken(tmp_path: Path) -> None:
    checked(tmp_path, PARTS, TOTALS)


@pytest.mark.parametrize("dropped", PARTS)
def test_an_aggregate_without_a_part_is_found(tmp_path: Path, dropped: str) -> None:
    totals = {
        name: [
            sum(float(sums[name][row]) for stem, sums in PARTS.items() if name in sums and stem != dropped)
            for row in range(len(SAMPLES))
        ]
        for name in TOTALS
    }
    with pytest.raises(ScoresIncomplete, match="The sums of S"):
        checked(tmp_path, PARTS, totals)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "NA"])
def test_a_part_that_is_no_number_is_found(tmp_path: Path, value: str) -> None:
    parts = {**PARTS, "c_22_recessive_0": {"S": (1e-5, value, 2e-5)}}
    with pytest.raises(ScoresIncomplete):
        checked(tmp_path, parts, TOTALS)


@pytest.mark.parametrize(
    "totals",
    [
        {"S": TOTALS["S"]},
        {**TOTALS, "U": (0.0, 0.0, 0.0)},
        {**TOTALS, "S": ("", 5.2, 0.55002)},
        {**TOTALS, "S": (1e-5, 5.2)},
        {**TOTALS, "S": (5.2, 1e-5, 0.55002)},
    ],
    ids=["no score", "another score", "no number", "no sample", "samples swapped"],
)
def test_totals_that_are_not_the_parts_are_found(tmp_path: Path, totals: Sums) -> None:
    with pytest.raises(ScoresIncomplete):
        checked(tmp_path, PARTS, totals)


def test_samples_in_another_order_are_the_same(tmp_path: Path) -> None:
    parts = [part(tmp_path, *each) for each in PARTS.items()]
    part(tmp_path, "c_22_additive_0", {"S": (0.25, -0.1, 5.0)}, ("C", "A", "B"))
    check_parts(parts, SAMPLES, aggregate(tmp_path, TOTALS))


@pytest.mark.parametrize("samples", [("A", "B"), ("A", "B", "X")])
def test_a_part_of_other_samples_is_found(tmp_path: Path, samples: Sequence[str]) -> None:
    parts = [part(tmp_path, *each) for each in PARTS.items()]
    part(tmp_path, "c_22_recessive_0", {"S": (0.0,) * len(samples)}, samples)
    with pytest.raises(ScoresIncomplete):
        check_parts(parts, SAMPLES, aggregate(tmp_path, TOTALS))


def test_a_part_that_was_not_scored_is_found(tmp_path: Path) -> None:
    parts = [part(tmp_path, *each) for each in PARTS.items()]
    parts[-1].sscore.unlink()
    with pytest.raises(ScoresIncomplete):
        check_parts(parts, SAMPLES, aggregate(tmp_path, TOTALS))


LOGGED = [("S", "21", "additive"), ("T", "21", "additive"), ("S", "22", "additive"), ("S", "22", "recessive")]
UNMATCHED = ("S", "22", "additive", "0.5", "unmatched")
MATCHING = {"S": Matching(4, 3, unmatched=1), "T": Matching(1, 1)}


def log(folder: Path, rows: Sequence[Sequence[str]]) -> Path:
    path = folder / "c_log.csv.gz"
    with gzip.open(path, "wt") as out:
        names = ("accession", "chr_name", "effect_type", "effect_weight", "match_status")
        csv.writer(out).writerows([names, *rows, UNMATCHED])
    return path


def counted(folder: Path, rows: Sequence[Sequence[str]], *, calculated: Sequence[str] = ("S", "T")) -> None:
    parts = [part(folder, *each) for each in PARTS.items()]
    counts = read_counts(log(folder, rows), split=True)
    check_summary(counts, MATCHING)
    check_weights(counts, parts, calculated)


def test_counts_that_agree_are_taken(tmp_path: Path) -> None:
    counted(tmp_path, [(*row, "0.1", "matched") for row in LOGGED])


@pytest.mark.parametrize("changed", range(4))
def test_a_part_with_other_variants_is_found(tmp_path: Path, changed: int) -> None:
    rows = [(*row, "0.1", "matched") for row in LOGGED]
    accession, chrom, _, *rest = rows[changed]
    with pytest.raises(ScoresIncomplete, match="dominant"):
        counted(tmp_path, [*rows[:changed], (accession, chrom, "dominant", *rest), *rows[changed + 1 :]])


@pytest.mark.parametrize("lost", range(4))
def test_a_match_that_is_only_in_the_summary(tmp_path: Path, lost: int) -> None:
    rows = [(*row, "0.1", "matched") for row in LOGGED]
    with pytest.raises(ScoresIncomplete, match="summary"):
        counted(tmp_path, [*rows[:lost], *rows[lost + 1 :]])


@pytest.mark.parametrize("weight", ["nan", "inf", "1e400", ""])
def test_a_matched_weight_must_be_a_number(tmp_path: Path, weight: str) -> None:
    with pytest.raises(ScorefileInvalid, match="The scorefile of S"):
        read_counts(log(tmp_path, [("S_hmPOS_GRCh38", "21", "additive", weight, "matched")]), split=True)


def test_a_log_without_its_columns_is_no_log(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("accession,chr_name\n")
    with pytest.raises(CalculationError):
        read_counts(path, split=True)
