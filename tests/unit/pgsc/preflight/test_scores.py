"""Every way in which scores can be wrong, and what overlap is to be expected of good ones."""

from __future__ import annotations

import gzip
import io
import re
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genoferry.pgsc.preflight import mirror
from genoferry.pgsc.preflight.overlap import Agreement
from genoferry.pgsc.preflight.reservoir import Draw
from genoferry.settings import PreflightSettings
from genoferry.testing.cohort import SHIFT, Cohort
from genoferry.testing.synthetic_scores import NO_OVERLAP


def test_the_expected_overlap_is_the_cohorts(case, cohort: Cohort) -> None:
    verdict = case.verdict()
    assert {score.id: score.rate for score in verdict.scores} == {
        pgs_id: known.rate for pgs_id, known in cohort.expected.items()
    }
    assert all(score.low == score.rate == score.high for score in verdict.scores)  # all of it was looked at
    assert verdict.failure is None
    assert [warning.code for warning in verdict.warnings] == ["overlap-too-low"]
    assert NO_OVERLAP in verdict.warnings[0].message


def test_a_sample_of_a_score_says_the_same_within_its_interval(case, cohort: Cohort) -> None:
    scores = replace(case, settings=PreflightSettings(score_sample=100)).verdict().scores
    assert {score.sampled for score in scores} == {100}
    assert all(score.low <= cohort.expected[score.id].rate <= score.high for score in scores)
    assert scores == replace(case, settings=PreflightSettings(score_sample=100)).verdict().scores


def test_a_part_of_the_genomes_says_the_same_within_its_interval(case, cohort: Cohort, whole: Cohort) -> None:
    form = case.rows[0]["format"]
    split = replace(case, settings=PreflightSettings(max_variants=1000))
    files = {name: path.read_bytes() for name, path in whole.files_of(form).items()}
    one = replace(split, rows=whole.genomes[form], files=files)
    for part in (split, one):
        scores = part.verdict().scores
        assert all(0 < score.covered < score.sampled for score in scores)
        expected = cohort.expected if part is split else whole.expected
        near = [score for score in scores if score.id not in {NO_OVERLAP, "PGS000005"}]
        assert all(score.low <= expected[score.id].rate <= score.high for score in near)


def test_all_below_fails(case) -> None:
    assert case.only(NO_OVERLAP).failure() == "overlap-too-low"
    assert case.only(NO_OVERLAP).asking(min_overlap=0.4).failure() is None
    assert case.only(NO_OVERLAP).asking(min_overlap=0.41).failure() == "overlap-too-low"


def test_ambiguous_ones_count_where_they_are_kept(case, cohort: Cohort) -> None:
    kept = case.only("PGS000002").asking(keep_ambiguous=True).verdict().scores[0]
    assert kept.rate == 1.0
    assert cohort.expected["PGS000002"].rate < 1.0


@pytest.fixture
def shifted(edited):
    """Positions as the other build has them."""
    by = SHIFT["GRCh37"]

    def shifted(content: bytes) -> bytes:
        where = r"^(2[12]\t(?:rs\d+\t0\t)?)(\d+)"
        return edited(content, lambda text: re.sub(where, lambda m: f"{m[1]}{int(m[2]) + by}", text, flags=re.M))

    return shifted


def test_genomes_in_another_build(case, shifted) -> None:
    files = {row["variants"]: shifted(case.files[row["variants"]]) for row in case.rows}
    other = replace(case, files={**case.files, **files})
    assert other.failure() == "genome-build-mismatch"
    assert other.asking(min_overlap=0).failure() == "genome-build-mismatch"


def test_genomes_in_another_build_are_told_from_a_part_of_them(case, shifted) -> None:
    files = {row["variants"]: shifted(case.files[row["variants"]]) for row in case.rows}
    part = replace(case, files={**case.files, **files}, settings=PreflightSettings(max_variants=1000))
    assert part.failure() == "genome-build-mismatch"


@pytest.mark.parametrize(
    ("agreement", "by_chance"),
    [
        (Agreement(covered=1000, hits=0, matched=0, expected=0.2), True),
        (Agreement(covered=99, hits=0, matched=0, expected=0.2), False),  # too few to judge by
        (Agreement(covered=1000, hits=13, matched=4, expected=13.0), True),  # imputed genomes of another build
        (Agreement(covered=1000, hits=40, matched=38, expected=0.2), False),  # an array: sparse, but the right build
        (Agreement(covered=1000, hits=300, matched=120, expected=300.0), True),  # sequenced ones of another build
        (Agreement(covered=1000, hits=950, matched=850, expected=300.0), False),  # and of the right one
    ],
)
def test_what_agrees_by_chance(agreement: Agreement, by_chance: bool) -> None:
    assert agreement.by_chance is by_chance


def test_too_few_variants_to_judge_by_are_no_matches(pfile, edited) -> None:
    def few(text: str) -> str:
        head = [line for line in text.splitlines() if line.startswith(("#", "rsID"))]
        rows = (
            "\t".join([f"rs{i}", "21", str(i), "A", "C", "0.1", *(["x", "y", "21", str(i), ""])]) for i in range(1, 10)
        )
        return "\n".join([*head, *rows]) + "\n"

    score = {"PGS000001": edited(pfile.scores["PGS000001"], few)}
    assert replace(pfile, scores=score).failure() == "zero-matches"


def test_headers_in_another_build(pfile, edited) -> None:
    def header(key: str, build: str):
        return lambda text: re.sub(rf"#{key}=\w+", f"#{key}={build}", text)

    plain, harmonised = pfile.scores["PGS000005"], pfile.scores["PGS000001"]
    other = replace(pfile, scores={"PGS000005": edited(plain, header("genome_build", "hg19"))})
    assert other.failure() == "genome-build-mismatch"
    lifted = other.asking(liftover=True).verdict()
    assert lifted.failure is None
    assert lifted.scores == ()  # its positions are yet to be lifted
    fixed = replace(pfile, scores={"PGS000001": edited(harmonised, header("HmPOS_build", "GRCh37"))})
    assert fixed.failure() == "genome-build-mismatch"
    kept = fixed.asking(liftover=True).verdict()  # a harmonised one is not lifted: its positions are used as they are
    assert kept.failure is None
    assert [warning.code for warning in kept.warnings] == ["genome-build-mismatch"]
    assert kept.scores[0].rate == 1.0
    unstated = replace(pfile, scores={"PGS000005": edited(plain, header("genome_build", "NR"))})
    assert unstated.asking(liftover=True).failure() == "genome-build-mismatch"


def test_chromosomes_that_the_tools_do_not_know(pfile, edited) -> None:
    def edit(text: str) -> str:
        return re.sub(r"\t(2[12])\t", r"\tchr\1\t", text)

    scores = {"PGS000005": edited(pfile.scores["PGS000005"], edit)}
    assert replace(pfile, scores=scores).failure() == "chromosome-mismatch"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"rsID\tchr_name\n",
        b"#pgs_id=bad id!\nx\n",
        b"#pgs_id=PGS000009\n#trait_reported=t\n#genome_build=GRCh38\nchr_name\tchr_position\teffect_allele\n1\t5\tA\n",
        b"#pgs_id=PGS000009\n#trait_reported=t\n#genome_build=GRCh38\nchr_name\tchr_position\teffect_allele\teffect_weight\n",
        gzip.compress(b"#pgs_id=PGS000001\n" * 5000)[:-9],
    ],
)
def test_scorefiles_that_are_none(pfile, content: bytes) -> None:
    broken = replace(pfile, scores={**pfile.scores, "secret-name": content})
    (found,) = broken.found("scores")
    assert (found.status, found.code) == ("failed", "scorefile-invalid")
    assert "secret" not in found.message
    assert "bad id" not in found.message


def test_the_same_score_twice(pfile) -> None:
    scores = {"a": pfile.scores["PGS000001"], "b": pfile.scores["PGS000001"]}
    assert replace(pfile, scores=scores).failure() == "scorefile-invalid"


def test_ids_are_looked_for(pfile, cohort: Cohort) -> None:
    asking = replace(pfile, scores={}).asking(pgs_id="PGS000001,PGS999999")
    folder = cohort.scorefiles["PGS000001"].parent
    verdict = asking.verdict(lookup=mirror(folder, "GRCh38"))
    assert verdict.failure is not None
    assert verdict.failure.code == "scorefile-missing"
    assert "PGS999999" in str(verdict.failure)
    assert "PGS000001" not in str(verdict.failure)
    good = asking.asking(pgs_id="PGS000001").verdict(lookup=mirror(folder, "GRCh38"))
    assert (good.failure, good.scores[0].rate) == (None, 1.0)


def test_ids_without_a_mirror_are_left_to_the_pipeline(pfile) -> None:
    verdict = replace(pfile, scores={}).asking(pgs_id="PGS000001").verdict()
    assert verdict.failure is None
    assert "1 more" in next(finding.message for finding in verdict.findings if finding.check == "scores")


def test_other_accessions_may_still_match_where_these_do_not(pfile) -> None:
    verdict = pfile.only(NO_OVERLAP).asking(pgp_id="PGP000001").verdict()
    assert verdict.failure is None
    assert [warning.code for warning in verdict.warnings] == ["overlap-too-low"]


def test_the_harmonised_position_and_the_inferred_allele_count(pfile) -> None:
    columns = ["chr_name", "chr_position", "effect_allele", "other_allele", "effect_weight", "hm_chr", "hm_pos"]
    rows = [line.split() for line in text_of(pfile).splitlines() if not line.startswith("#")][:40]
    made = {
        "hm": [["21", "1", alt, "", "0.1", "21", pos, ref] for _, pos, _, ref, alt in rows],
        "unplaced": [["21", pos, alt, ref, "0.1", "", "", ""] for _, pos, _, ref, alt in rows],
        "several": [["21", "1", alt, "", "0.1", "21", pos, "A/C/G/T"] for _, pos, _, ref, alt in rows],
    }
    for name, lines in made.items():
        head = f"#pgs_id={name}\n#trait_reported=t\n#genome_build=GRCh37\n#HmPOS_build=GRCh38\n#HmPOS_date=2024-01-01\n"
        body = "\n".join("\t".join(line) for line in [[*columns, "hm_inferOtherAllele"], *lines])
        score = replace(pfile, scores={name: (head + body).encode()}).asking(keep_ambiguous=True, min_overlap=0)
        assert score.verdict().scores[0].rate == (0.0 if name == "unplaced" else 1.0)


def text_of(pfile) -> str:
    import zstandard

    return zstandard.decompress(pfile.files["hg38_21.pvar.zst"]).decode()


def test_zstd_scorefiles_can_not_be_read_everywhere(pfile, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "zstandard", None)
    assert pfile.failure() == "tools-missing"


def line(number: int) -> bytes:
    return str(number).encode()


@given(st.lists(st.integers(0, 300), max_size=12), st.integers(1, 200))
def test_a_draw_holds_each_line_once_at_most_and_all_where_they_fit(sizes: list[int], size: int) -> None:
    drawn, number = Draw(size, "seed", int), 0
    for count in sizes:
        drawn.take([line(number + i) for i in range(count)])
        number += count
    assert drawn.count == number
    assert len(drawn.kept) == len(set(drawn.kept)) == min(size, number)
    assert set(drawn.kept) <= set(range(number))


def test_a_draw_favours_nobody() -> None:
    """1000 of 10,000, twenty times: of each tenth, about 2000; under 1800 or over 2200 is beyond five deviations."""
    tenths = [0] * 10
    for seed in range(20):
        drawn = Draw(1000, str(seed), int)
        for start in range(0, 10_000, 77):
            drawn.take([line(i) for i in range(start, min(10_000, start + 77))])
        for number in drawn.kept:
            tenths[number // 1000] += 1
    assert all(1800 < tenth < 2200 for tenth in tenths)


def test_a_stop_is_heeded(pfile) -> None:
    import threading

    from genoferry.errors import CalculationStopped

    stop = threading.Event()
    stop.set()
    with pytest.raises(CalculationStopped):
        pfile.verdict(stop=stop)


def test_files_are_read_once_and_closed(pfile) -> None:
    from genoferry.contracts.pipeline import PipelineParam
    from genoferry.pgsc.preflight import Files, check

    opened: list[io.BytesIO] = []

    def opener(content: bytes) -> io.BytesIO:
        opened.append(io.BytesIO(content))
        return opened[-1]

    import threading

    targets = {name: partial(opener, content) for name, content in pfile.files.items()}
    scores = {name: partial(opener, content) for name, content in pfile.scores.items()}
    document = {"id": "RUN1", "target_genomes": pfile.rows, "nxf_params_file": pfile.params}
    check(PipelineParam.model_validate(document), Files(targets, scores), pfile.settings, stop=threading.Event())
    assert len(opened) == len(targets) + len(scores)
    assert all(stream.closed for stream in opened)


def test_memory_does_not_grow_with_what_a_scorefile_says(pfile) -> None:
    import tracemalloc

    columns = "chr_name\tchr_position\teffect_allele\teffect_weight\n"
    head = f"#pgs_id=PGS000001\n#trait_reported=t\n#genome_build=GRCh38\n{columns}"
    long = (head + f"21\t{'1' * 9000}\t{'A' * 9000}\t0.1\n" * 3000).encode()
    endless = b"#x=y" * 200 + b"\n"
    case = replace(pfile, scores={"long": gzip.compress(long), "endless": gzip.compress(endless * 100_000)})
    tracemalloc.start()
    try:
        case.verdict()
        assert tracemalloc.get_traced_memory()[1] < 40 * 1024**2
    finally:
        tracemalloc.stop()


def test_many_warnings_fit_an_event(pfile, edited) -> None:
    def named(number: int) -> bytes:
        return edited(pfile.scores[NO_OVERLAP], lambda text: text.replace(NO_OVERLAP, f"PGS{number:06d}"))

    scores = {**pfile.only("PGS000001").scores, **{str(n): named(n) for n in range(100, 130)}}
    warnings = replace(pfile, scores=scores).verdict().warnings
    assert len(warnings) == 12
    assert "19 more" in warnings[-1].message
    assert len("".join(warning.model_dump_json() for warning in warnings)) < 3000
