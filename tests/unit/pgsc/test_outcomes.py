from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from genoferry.errors import ScoresIncomplete
from genoferry.pgsc.outcomes import RATE, outcome
from genoferry.pgsc.outputs import Matching, read_aggregated, read_summary, read_sums, score_id
from genoferry.pgsc.scorefiles import Scorefile

SCORE = Scorefile(Path("x"), "PGS000001", "GRCh38", harmonised=True, trait=None)
NAME = "PGS000001_hmPOS_GRCh38"


def report_of(found: Matching | None, *, calculated: bool = False, unsupported: bool = False) -> tuple[str, str | None]:
    report = outcome(
        SCORE,
        "GRCh38",
        matching={NAME: found} if found else {},
        calculated={NAME} if calculated else set(),
        unsupported={SCORE.id} if unsupported else set(),
        min_overlap=0.75,
    )
    assert report.id == "PGS000001"
    return report.status, report.reason


def test_calculated_only_when_it_is_among_the_sums() -> None:
    assert report_of(Matching(10, matched=8), calculated=True) == ("calculated", None)
    status, reason = report_of(Matching(10, matched=8))
    assert status == "failed"
    assert reason


@pytest.mark.parametrize(
    ("found", "unsupported", "words"),
    [
        (Matching(10, matched=4), False, "Only 40.0%"),
        (Matching(10), False, "None of its variants match"),
        (None, False, "positions are missing"),
        (None, True, "neither additive, dominant nor recessive"),
    ],
)
def test_the_reason_why_not(found: Matching | None, unsupported: bool, words: str) -> None:
    status, reason = report_of(found, unsupported=unsupported)
    assert status == "failed"
    assert reason is not None
    assert words in reason


def test_the_summary_is_counted_by_fate(tmp_path: Path) -> None:
    columns = "dataset,accession,score_pass,match_status,ambiguous,is_multiallelic,duplicate_best_match,duplicate_ID"
    rows = [
        "c,P,true,matched,false,false,false,false,false,NA,5,50",
        "c,P,true,matched,false,false,false,false,true,NA,2,20",
        "c,P,true,excluded,true,false,false,false,false,NA,1,10",
        "c,P,true,excluded,false,true,false,false,false,NA,1,10",
        "c,P,true,excluded,false,false,false,true,false,NA,3,10",
        "c,P,true,unmatched,,,,,,,4,10",
    ]
    path = tmp_path / "s.csv"
    path.write_text("\n".join([columns + ",match_flipped,match_IDs,count,percent", *rows]) + "\n")
    expected = Matching(16, matched=7, flipped=2, unmatched=4, ambiguous=1, multiallelic=1, duplicate=3)
    assert read_summary(path) == {"P": expected}


def aggregated(folder: Path, *rows: str) -> Path:
    path = folder / "a.txt.gz"
    path.write_bytes(gzip.compress("\n".join(["sampleset\tFID\tIID\tPGS\tSUM\tDENOM\tAVG", *rows, ""]).encode()))
    return path


def test_sums_are_read_by_the_id_that_was_asked_for(tmp_path: Path) -> None:
    path = aggregated(tmp_path, f"c\t1\t1\t{NAME}\t0.5\t4\t0.1", f"c\t2\t2\t{NAME}\t-1e-3\t4\t0.1")
    assert read_aggregated(path) == {"PGS000001": {"1": 0.5, "2": -0.001}}
    assert list(read_sums(path, 2)[NAME]) == [0.5, -0.001]
    assert score_id("PGS000005") == "PGS000005"


@pytest.mark.parametrize("second", ["c\t2\t2\tP\t\t4\t1", "c\t2\t2\tP\tnan\t4\t1", "c\t2\t2\tQ\t1\t4\t1"])
def test_a_sample_without_its_score_is_an_error(tmp_path: Path, second: str) -> None:
    with pytest.raises(ScoresIncomplete):
        read_sums(aggregated(tmp_path, "c\t1\t1\tP\t0.5\t4\t0.1", second), 2)


def test_the_printed_match_rates_are_found() -> None:
    line = "x.matchresult: 2026-01-01 WARNING  Score PGS000004_hmPOS_GRCh38 matching failed with match rate 0.4\n"
    assert RATE.findall(line) == [("PGS000004_hmPOS_GRCh38", "0.4")]
