"""What pgsc_calc and its tools run well with is not failed: each was tried with plink2 and the PGS Catalog's tools."""

from __future__ import annotations

import random

import pytest

from genoferry.pgsc.preflight.chromosomes import called, prefixed
from genoferry.pgsc.preflight.overlap import Agreement
from genoferry.settings import PreflightSettings

TARGET = [("1", 1000 * i, "A", "G") for i in range(1, 500)]
SCORE = [("1", 1000 * i, "A", "G", 0.1) for i in range(1, 200)]


def failed(case) -> list[tuple[str, str]]:
    return [(found.code, found.message) for found in case.verdict().findings if found.status == "failed"]


# --- overlap


def test_genomes_with_a_variant_at_every_base(small, scored) -> None:
    every = range(1_000_000, 1_002_000)
    case = small([("1", i, "A", "G") for i in every], scored([("1", i, "A", "G", 0.1) for i in every]))
    assert failed(case) == []
    assert case.verdict().scores[0].rate == 1.0


@pytest.mark.parametrize("every", [2, 3, 4])
def test_genomes_with_a_variant_at_every_few_bases(small, scored, every: int) -> None:
    rng = random.Random(every)  # noqa: S311  # the same each time
    held = sorted(rng.sample(range(1_000_000, 1_100_000), 100_000 // every))
    wanted = rng.sample(held, 740) + rng.sample(sorted(set(range(1_000_000, 1_100_000)) - set(held)), 260)
    case = small([("1", i, "A", "G") for i in held], scored([("1", i, "A", "G", 0.1) for i in wanted]), min_overlap=0.6)
    assert failed(case) == []
    assert case.verdict().scores[0].rate == 0.74


@pytest.mark.parametrize("expected", [500, 1000])
@pytest.mark.parametrize("matched", [0, 250, 740, 1000])
def test_dense_genomes_are_no_sign_of_another_build(expected: int, matched: int) -> None:
    assert not Agreement(covered=1000, hits=max(matched, expected), matched=matched, expected=expected).by_chance


def test_alleles_that_fit_are_no_chance() -> None:
    assert Agreement(covered=1000, hits=500, matched=250, expected=300).by_chance
    assert not Agreement(covered=1000, hits=500, matched=480, expected=300).by_chance


def around(first: int, second: int) -> list[tuple[object, ...]]:
    """Of a score: variants of chromosome 1 that the genomes lack, and variants of chromosome 2 that they have."""
    lacking = [("1", 100 * i + 1, "A", "G", 0.1) for i in range(1, 1 + first)]
    return [*lacking, *(("2", 100 * i, "A", "G", 0.1) for i in range(100, 100 + second))]


@pytest.mark.parametrize(("first", "second", "least"), [(7, 93, 0.75), (150, 850, 0.75), (400, 600, 0.5)])
def test_the_region_that_was_read_may_be_unlike_the_rest(small, scored, first: int, second: int, least: float) -> None:
    genomes = [(chrom, 100 * i, "A", "G") for chrom in ("1", "2") for i in range(1, 6000)]
    case = small(genomes, scored(around(first, second)), min_overlap=least)
    part = type(case)(case.rows, case.files, case.scores, case.params, PreflightSettings(max_variants=1000))
    assert failed(case) == []
    assert failed(part) == []
    assert any(finding.status == "doubtful" for finding in part.found("overlap"))
    assert part.verdict().scores[0].best >= second / (first + second)


def test_what_was_not_read_can_not_save_it(small, scored) -> None:
    genomes = [(chrom, 100 * i, "A", "G") for chrom in ("1", "2") for i in range(1, 6000)]
    case = small(genomes, scored(around(70, 30)))
    part = type(case)(case.rows, case.files, case.scores, case.params, PreflightSettings(max_variants=1000))
    assert part.verdict().scores[0].covered < 100
    assert part.failure() == "zero-matches"


def test_a_score_that_fits_by_chance_beside_one_that_matches(small, scored) -> None:
    absent = scored([("1", 1000 * i + 1, "A", "G", 0.1) for i in range(1, 450)], name="ABSENT")
    case = small(TARGET, absent, scored(SCORE[:40]))
    assert failed(case) == []
    assert small(TARGET, absent).failure() == "genome-build-mismatch"
    other = small(TARGET, absent, pgp_id="PGP000001")
    assert (other.failure(), other.verdict().warnings[0].code) == (None, "genome-build-mismatch")


# --- scores that are left out alone


RSIDS = ("rsID\teffect_allele\tother_allele\teffect_weight", [(f"rs{i}", "A", "G", 0.1) for i in range(1, 200)])
HARMONISED = "#pgs_id={name}\n#trait_reported=t\n#genome_build=NR\n#HmPOS_build=GRCh38\n#HmPOS_date=2022-07-29\n"
DOSAGES = "chr_name\tchr_position\teffect_allele\tother_allele\tdosage_0_weight\tdosage_1_weight\tdosage_2_weight"


def test_a_score_without_positions_beside_a_good_one(small, scored) -> None:
    by_rsid = scored(RSIDS[1], columns=RSIDS[0], name="R")
    verdict = small(TARGET, scored(SCORE), by_rsid).verdict()
    assert verdict.failure is None
    assert [(score.id, score.rate) for score in verdict.scores] == [("S", 1.0), ("R", 0.0)]
    (alone,) = failed(small(TARGET, by_rsid))
    assert alone[0] == "scorefile-invalid"
    assert "199 of 199 rows" in alone[1]


def test_a_harmonised_score_without_its_columns_beside_a_good_one(small, scored) -> None:
    case = small(TARGET, scored(SCORE), scored(SCORE, head=HARMONISED, name="H"))
    assert failed(case) == []
    assert case.verdict().scores[1].rate == 0.0


def test_a_score_of_dosages_is_left_out_and_fails_alone(small, scored) -> None:
    dosages = scored([(*row[:4], 0, 0.1, 0.2) for row in SCORE], columns=DOSAGES, name="D")
    beside = small(TARGET, scored(SCORE), dosages).verdict()
    assert beside.failure is None
    assert [warning.code for warning in beside.warnings] == ["effect-type-unsupported"]
    assert small(TARGET, dosages).failure() == "effect-type-unsupported"
    assert small(TARGET, dosages, pgp_id="PGP000001").failure() is None


# --- how scorefiles are written


@pytest.mark.parametrize("form", ["{}.0", "{}.00", " {}", "{} ", '"{}"', "+{}", "0{}"])
def test_positions_as_programs_write_them(small, scored, form: str) -> None:
    case = small(TARGET, scored([("1", form.format(pos), e, o, w) for _, pos, e, o, w in SCORE]))
    assert failed(case) == []
    assert case.verdict().scores[0].rate == 1.0


def test_cells_and_columns_in_quotes(small, scored) -> None:
    columns = "\t".join(f'"{name}"' for name in ("chr_name", "chr_position", "effect_allele", "other_allele"))
    rows = [tuple(f'"{cell}"' for cell in row) for row in SCORE]
    case = small(TARGET, scored(rows, columns=columns + '\t"effect_weight"'))
    assert (failed(case), case.verdict().scores[0].rate) == ([], 1.0)


def test_comments_and_empty_lines_are_no_variants(small, scored) -> None:
    case = small(TARGET, scored([*SCORE[:100], ("#", "a", "note"), ("",), ("\r",), *SCORE[100:]]))
    assert (failed(case), case.verdict().scores[0].variants) == ([], len(SCORE))


def test_a_row_too_long_to_be_kept_is_not_judged(small, scored) -> None:
    columns = "effect_allele\tchr_name\tchr_position\tother_allele\teffect_weight"
    rows = [(effect, chrom, pos, other, weight) for chrom, pos, effect, other, weight in SCORE]
    long = scored([("A" * 400_000, "1", 5, "C", 0.1), *rows], columns=columns)
    assert failed(small(TARGET, long)) == []


# --- how genomes are written


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("01", "1"), ("chr01", "1"), ("0X", "X"), ("x", "X"), ("chrx", "X"), ("cHr1", "1"), ("m", "MT"), ("0M", "MT"),
        ("Mt", "MT"), ("23", "X"), ("chr0X", "X"), ("xy", "XY"), ("022", None), ("001", None), ("0MT", None),
        ("0chr1", None), ("chr", None), ("0", None), ("1.0", None), ("chrUn", None),
    ],
)  # fmt: skip
def test_names_as_plink2_takes_them(small, scored, name: str, known: str | None) -> None:
    assert called(name.encode()) == known
    assert prefixed(name.encode()) == (name.lower().startswith("chr") and known is not None)
    if known in ("1", "X"):
        case = small([(name, *rest) for _, *rest in TARGET], scored([(known, *rest) for _, *rest in SCORE]))
        assert (failed(case), case.verdict().scores[0].rate) == ([], 1.0)


@pytest.mark.parametrize("position", ["1e3", "1000.0", "+1000", "01000", "-5"])
def test_positions_as_plink2_reads_them(small, scored, position: str) -> None:
    case = small([("1", position, "A", "G"), *TARGET[1:]], scored(SCORE[1:]))
    assert (failed(case), case.verdict().scores[0].rate) == ([], 1.0)


def test_other_lines_before_the_header(small, scored) -> None:
    case = small(TARGET, scored(SCORE))
    assert failed(case.having(variants=b"#hello\n##x=1\n" + case.files["x.pvar"])) == []
    assert case.having(pheno=b"# made by x\n" + case.files["x.psam"]).verdict().samples == 60
    bim = b"#hello\n" + b"".join(b"1\t.\t0\t%d\tG\tA\n" % pos for _, pos, *_ in TARGET)
    assert failed(case.having(variants=bim)) == []


def test_an_allele_that_goes_over_a_chunk(small, scored) -> None:
    long = [("1", i, "A", "G") for i in range(1, 20_000)] + [("1", 20_000, "A" * 300_000, "A")]
    later = [("1", 30_000 + 1000 * i, "A", "G") for i in range(500)]
    case = small([*long, *later], scored([("1", 30_000 + 1000 * i, "A", "G", 0.1) for i in range(200)]))
    assert (failed(case), case.verdict().scores[0].rate) == ([], 1.0)


def test_a_slip_past_the_end_of_a_chromosome_of_few_variants(small, scored) -> None:
    def past(count: int):
        return small([*TARGET, *(("22", 50_818_468 + i, "A", "G") for i in range(1, 1 + count))], scored(SCORE))

    (found,) = past(1).found("build")
    assert (found.status, found.code) == ("doubtful", "genome-build-mismatch")
    assert past(10).failure() is None
    assert past(11).failure() == "genome-build-mismatch"


def test_one_person_under_two_sids(small, scored) -> None:
    case = small(TARGET, scored(SCORE))
    psam = "#FID\tIID\tSID\n" + "".join(f"f\ts{i // 2}\t{i}\n" for i in range(60))
    (found,) = case.having(pheno=psam.encode()).found("samples")
    assert (found.status, found.code) == ("doubtful", "duplicate-samples")
    twice = psam.replace("\tSID", "\tSEX")
    assert case.having(pheno=twice.encode()).failure() == "duplicate-samples"


def test_zstd_of_a_wide_window(small, scored) -> None:
    import zstandard

    case = small(
        [("1", i, "A", "G") for i in range(1, 100_000)], scored([("1", i, "A", "G", 0.1) for i in range(1, 9)])
    )
    wide = zstandard.ZstdCompressionParameters.from_level(3, window_log=27)
    packer = zstandard.ZstdCompressor(compression_params=wide).compressobj()  # of a size that isn't known beforehand
    packed = packer.compress(case.files["x.pvar"]) + packer.flush()
    assert zstandard.get_frame_parameters(packed).window_size == 2**27
    assert failed(case.having(variants=packed)) == []
