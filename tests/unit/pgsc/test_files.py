"""Sample, variant and score files, and the mirror."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest
import zstandard

from genoferry import errors
from genoferry.pgsc.samples import read_samples
from genoferry.pgsc.scorefiles import read_scorefiles, resolve
from genoferry.pgsc.variants import plain_chrom, read_variants, relabel
from genoferry.testing.scorefiles import Line, write_scorefile

LINES = [Line("rs1", "1", 5, "A", "C", 0.1)]


def test_psam_and_fam_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.psam").write_text("##x\n#FID\tIID\tPAT\tMAT\tSEX\nF\tA\t0\t0\t1\nF\tB\tA\t0\t2\n")
    (tmp_path / "a.fam").write_text("F A 0 0 1 -9\nF B A 0 2 -9\n")
    for name in ("a.psam", "a.fam"):
        samples = read_samples(tmp_path / name)
        assert (samples.fid, samples.iid) == (("F", "F"), ("A", "B"))
        assert (samples.founder.tolist(), samples.male.tolist()) == ([True, False], [True, False])


@pytest.mark.parametrize(
    "text", ["", "#IID\n", "A B\n", "#FID\tIID\nF\n", "#FID\tSEX\nF\t1\n", "#IID\tSEX\tSEX\nA\t1\t2\n", "#IID\n0\n"]
)
def test_bad_sample_files_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "x").write_text(text)
    with pytest.raises(errors.GenotypesInvalid):
        read_samples(tmp_path / "x")


def test_a_sample_named_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("#IID\nA\nA\n")
    with pytest.raises(errors.DuplicateSamples):
        read_samples(tmp_path / "x")


def test_a_no_break_space_ends_no_field(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("#FID\tIID\tSEX\nF\u00a0G\tA\t1\n")
    samples = read_samples(tmp_path / "x")
    assert (samples.fid, samples.iid, samples.male.tolist()) == (("F\u00a0G",), ("A",), [True])
    assert relabelled(tmp_path, "a.pvar", HEAD + "1\t5\trs\u00a0C\tA\tC\n") == ["1:5:A:C"]
    assert relabelled(tmp_path, "b.bim", "1\trs\u20031\t0\t5\tC\tA\n") == ["1:5:A:C"]


def test_comments_before_a_header_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("##x\n#comment\n#IID\tSEX\nA\t1\n\n")
    assert read_samples(tmp_path / "x").iid == ("A",)
    assert relabelled(tmp_path, "a.pvar", "##x\n#comment\n#CHROM\tPOS\tID\tREF\tALT\n1\t5\trs\tA\tC\n\n") == ["1:5:A:C"]


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("chr1", "1"),
        ("CHR01", "1"),
        ("x", "X"),
        ("chr23", "X"),
        ("24", "Y"),
        ("m", "MT"),
        ("chr1_alt", "chr1_alt"),
        ("Q", "Q"),
    ],
)
def test_chromosomes_are_named_as_plink2_does(name: str, plain: str) -> None:
    assert plain_chrom(name) == plain


@pytest.mark.parametrize("pos", ["-5", "1e3", "five", "2147483647", "9" * 5000, "5.5", "+5", "５"])
def test_a_position_that_is_no_whole_number_is_refused(tmp_path: Path, pos: str) -> None:
    with pytest.raises(errors.GenotypesInvalid, match="Variant 2"):
        relabelled(tmp_path, "a.pvar", HEAD + f"1\t5\trs\tA\tC\n1\t{pos}\trs\tA\tC\n")


def test_a_position_with_zeros_behind_it_is_read(tmp_path: Path) -> None:
    assert relabelled(tmp_path, "a.pvar", HEAD + "1\t5.00\trs\tA\tC\n") == ["1:5:A:C"]


def relabelled(folder: Path, name: str, text: str, **options: object) -> list[str]:
    (folder / name).write_text(text)
    layout = "bim" if name.endswith("bim") else "pvar"
    settings = {"chrom": None, "keep_multiallelic": False} | options
    made = relabel(folder / name, layout, folder / f"out.{layout}.zst", **settings)  # type: ignore[arg-type]
    return [variant.id for variant in read_variants(made.path, layout)]


HEAD = "##x\n#CHROM\tPOS\tID\tREF\tALT\n"


def test_ids_are_chrom_pos_ref_alt_in_every_layout(tmp_path: Path) -> None:
    assert relabelled(tmp_path, "a.pvar", HEAD + "chr1\t5\trs\tA\tC\n") == ["1:5:A:C"]
    assert relabelled(tmp_path, "b.pvar", "#CHROM\tID\tPOS\tALT\tREF\tINFO\n23\trs\t5\tC\tA\tx=1;y\n") == ["X:5:A:C"]
    assert relabelled(tmp_path, "c.bim", "1\trs\t0.5\t5\tC\tA\n") == ["1:5:A:C"]
    assert relabelled(tmp_path, "d.bim", "1 rs 5 C A\n") == ["1:5:A:C"]
    assert relabelled(tmp_path, "e.pvar", "1\trs\t0\t5\tC\tA\n") == ["1:5:A:C"]


def test_what_must_not_match_has_no_id_of_alleles(tmp_path: Path) -> None:
    text = HEAD + f"1\t5\trs\tA\tC,G\n1\t6\trs\tA\t{'C' * 101}\n2\t7\trs\tA\tC\n"
    assert relabelled(tmp_path, "a.pvar", text, chrom="1") == ["1:5", ".", "."]
    assert relabelled(tmp_path, "a.pvar", text, keep_multiallelic=True)[0] == "1:5:A:C,G"


@pytest.mark.parametrize(
    "text", ["", HEAD, HEAD + "1\t5\n", "#CHROM\tPOS\n1\t5\n", HEAD + "1\t5\tx\tA\tC\n\n1\t6\tx\tA\tC\n"]
)
def test_bad_variant_files_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(errors.GenotypesInvalid):
        relabelled(tmp_path, "a.pvar", text)


def test_a_quote_in_an_allele_is_refused(tmp_path: Path) -> None:
    assert relabelled(tmp_path, "a.pvar", HEAD + '1\t5\t"\tA\tC\n') == ["1:5:A:C"]
    with pytest.raises(errors.GenotypesInvalid, match="Variant 2"):
        relabelled(tmp_path, "a.pvar", HEAD + '1\t5\t.\tA\tC\n1\t6\t.\tA\t"C\n')


def test_a_damaged_zstd_is_refused(tmp_path: Path) -> None:
    whole = zstandard.compress((HEAD + "1\t5\trs\tA\tC\n" * 5000).encode())
    (tmp_path / "a.pvar.zst").write_bytes(whole[: len(whole) // 2] + b"\xff" * 40)
    with pytest.raises(errors.GenotypesInvalid):
        list(read_variants(tmp_path / "a.pvar.zst", "pvar"))


def test_a_zstd_cut_at_a_line_is_refused(tmp_path: Path) -> None:
    path, stream = tmp_path / "a.pvar.zst", io.BytesIO()
    with zstandard.ZstdCompressor(write_checksum=True).stream_writer(stream, closefd=False) as out:
        out.write((HEAD + "1\t5\trs\tA\tC\n" * 5000).encode())
        out.flush()
        cut = stream.tell()
        out.write(b"1\t6\trs\tA\tC\n")
    whole = stream.getvalue()
    path.write_bytes(whole + b"\x50\x2a\x4d\x18\x02\0\0\0ab" + zstandard.compress(b"1\t7\trs\tA\tC\n"))
    assert len(list(read_variants(path, "pvar"))) == 5002
    for end in (cut, len(whole) - 1):
        path.write_bytes(whole[:end])
        with pytest.raises(errors.GenotypesInvalid):
            list(read_variants(path, "pvar"))


def test_the_mirror_prefers_the_harmonised_file_and_knows_the_catalogues_folders(tmp_path: Path) -> None:
    flat = write_scorefile(tmp_path, "PGS000001", LINES, build="GRCh38", harmonised=True)
    write_scorefile(tmp_path, "PGS000001", LINES, build="GRCh38", harmonised=False)
    deep = tmp_path / "PGS000002/ScoringFiles/Harmonized"
    deep.mkdir(parents=True)
    nested = write_scorefile(deep, "PGS000002", LINES, build="GRCh38", harmonised=True)
    assert resolve(["PGS000001", "PGS000002", "PGS000001"], tmp_path, "GRCh38") == (flat, nested)


def test_ids_that_the_mirror_lacks_are_named(tmp_path: Path) -> None:
    with pytest.raises(errors.ScorefileMissing, match="PGS000009") as raised:
        resolve(["PGS000009"], tmp_path, "GRCh38")
    assert raised.value.trace_exit == 12


def test_a_scorefiles_header_says_what_it_is(tmp_path: Path) -> None:
    paths = [write_scorefile(tmp_path, f"PGS00000{i}", LINES, build="GRCh37", harmonised=i == 1) for i in (1, 2)]
    one, two = read_scorefiles(paths, "GRCh37")
    assert (one.id, one.accession("GRCh37")) == ("PGS000001", "PGS000001_hmPOS_GRCh37")
    assert (two.id, two.accession("GRCh37")) == ("PGS000002", "PGS000002")


@pytest.mark.parametrize(
    ("content", "error", "trace_exit"),
    [
        (b"no header\n", errors.ScorefileInvalid, 9),
        (b"#pgs_id=../../etc\n#genome_build=GRCh38\nx\n", errors.ScorefileInvalid, 9),
        (gzip.compress(b"#pgs_id=PGS000001\n" * 9000)[:-30], errors.ScorefileInvalid, 9),
        (b"\xff\xfe\x00\x01", errors.ScorefileInvalid, 9),
        (b"#pgs_id=PGS000001\n#genome_build=GRCh37\nx\n", errors.BuildMismatch, 17),
        (b"#pgs_id=PGS000001\n#genome_build=NR\nx\n", errors.BuildMismatch, 17),
        (None, errors.ScorefileMissing, 12),
    ],
)
def test_what_the_tools_would_refuse_is_refused_first(
    tmp_path: Path, content: bytes | None, error: type[errors.CalculationError], trace_exit: int
) -> None:
    path = tmp_path / "x.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error) as raised:
        read_scorefiles([path], "GRCh38")
    assert (raised.value.trace_name, raised.value.trace_exit) == ("PGSCATALOG:EMBEDDED:FORMAT_SCOREFILES", trace_exit)


def test_two_scores_named_alike_are_refused(tmp_path: Path) -> None:
    """The one's id is what the other's harmonised file is called: the second would take the first one's place."""
    one = write_scorefile(tmp_path, "P1", LINES, build="GRCh38", harmonised=True)
    (tmp_path / "other").mkdir()
    other = write_scorefile(tmp_path / "other", "P1_hmPOS_GRCh38", LINES, build="GRCh38", harmonised=False)
    with pytest.raises(errors.ScorefileInvalid, match="same name"):
        read_scorefiles([one, other], "GRCh38")


def test_one_score_twice_is_refused(tmp_path: Path) -> None:
    path = write_scorefile(tmp_path, "PGS000001", LINES, build="GRCh38", harmonised=True)
    with pytest.raises(errors.ScorefileInvalid, match="PGS000001"):
        read_scorefiles([path, path], "GRCh38")
