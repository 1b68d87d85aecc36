from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genoferry.errors import DuplicateSamples, GenomesMissing, GenotypesInvalid, NeedsPlink2
from genoferry.pgsc.vcf import CHROMS, Record, check_format, count_records, read_records, read_samples_of

DECLARED = "##fileformat=VCFv4.3\n##FORMAT=<ID=DS,Number=1,Type=Float>\n"
HEAD = DECLARED + "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tA\tB\tC\n"


def vcf(folder: Path, *records: str, head: str = HEAD) -> Path:
    path = folder / "x.vcf.gz"
    path.write_bytes(gzip.compress((head + "".join(f"{record}\n" for record in records)).encode()))
    return path


def record(cells: str, *, form: str = "GT", alt: str = "C", chrom: str = "1") -> str:
    tabbed = cells.replace(" ", "\t")
    return f"{chrom}\t5\t.\tA\t{alt}\t.\tPASS\t.\t{form}\t{tabbed}"


def read(path: Path, *, dosage: bool = False, multiallelic: bool = False) -> list[Record]:
    found = list(read_records(path, CHROMS, import_dosage=dosage, keep_multiallelic=multiallelic))
    assert count_records(path, CHROMS, keep_multiallelic=multiallelic) == len(found)
    return found


@pytest.mark.parametrize(
    ("cells", "form", "expected"),
    [
        ("0/0 0/1 1/1", "GT", [0, 1, 2]),
        ("0|1 1|0 ./.", "GT", [1, 1, -9]),
        ("0 1 .", "GT", [0, 2, -9]),
        ("0/1:9 1|1:. .|.", "GT:DP", [1, 2, -9]),
        ("1 2 3", "DP", [-9, -9, -9]),
    ],
)
def test_calls(tmp_path: Path, cells: str, form: str, expected: list[float]) -> None:
    assert read(vcf(tmp_path, record(cells, form=form)))[0].dosages.tolist() == expected


def test_dosages_are_read_only_when_asked_for_and_fall_back_on_calls(tmp_path: Path) -> None:
    path = vcf(tmp_path, record("0/0:0.25 0/1:. 1/1", form="GT:DS"))
    assert read(path, dosage=True)[0].dosages.tolist() == [0.25, 1.0, 2.0]
    assert read(path)[0].dosages.tolist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize("cells", ["0/2 0/0 0/0", "./1 0/0 0/0", "0/0/1 0/0 0/0", "x 0/0 0/0", "0/0 0/0", " 0/0 0/0"])
def test_a_bad_genotype_is_refused_with_its_record(tmp_path: Path, cells: str) -> None:
    with pytest.raises(GenotypesInvalid, match="Record 2"):
        read(vcf(tmp_path, record("0/0 0/0 0/0"), record(cells)))


@pytest.mark.parametrize("dosage", ["2.5", "-0.1", "nan", "many"])
def test_a_bad_dosage_is_refused(tmp_path: Path, dosage: str) -> None:
    with pytest.raises(GenotypesInvalid, match="Record 1"):
        read(vcf(tmp_path, record(f"0/0:{dosage} 0/0:0 0/0:0", form="GT:DS")), dosage=True)


def test_multiallelic_and_odd_contigs_are_left_out(tmp_path: Path) -> None:
    path = vcf(tmp_path, record("0/2 0/0 0/0", alt="C,G"), record("? ? ?", chrom="GL1"), record("0/1 0/0 0/0"))
    assert [found.dosages.tolist() for found in read(path)] == [[1, 0, 0]]
    with pytest.raises(NeedsPlink2):
        read(path, multiallelic=True)


@pytest.mark.parametrize(
    "head", ["", "##x\n", HEAD.replace("\tA\tB\tC", ""), HEAD.replace("\tC\n", "\t\n"), "#CHROM\n"]
)
def test_a_bad_header_is_refused(tmp_path: Path, head: str) -> None:
    with pytest.raises(GenotypesInvalid):
        read_samples_of(vcf(tmp_path, head=head))


def test_damaged_and_missing_files_are_told_apart(tmp_path: Path) -> None:
    path = vcf(tmp_path, *[record("0/1 0/0 1/1")] * 500)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(GenotypesInvalid):
        read(path)
    with pytest.raises(GenomesMissing):
        read(tmp_path / "absent.vcf")


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "x.vcf"
        path.write_text(HEAD + text, encoding="utf-8", errors="surrogatepass")
        try:
            records = read(path)
        except GenotypesInvalid:
            return
        assert all(len(found.dosages) == 3 for found in records)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [("1:1 1:0.9 0:0.25", [2, 1.8, 0.5]), (".:0.5 0/1:0.5 ./.:0.5", [1, 0.5, 0.5]), ("0|1:-0 1:. .", [0, 2, -9])],
)
def test_the_dosage_of_a_haploid_call_is_doubled(tmp_path: Path, cells: str, expected: list[float]) -> None:
    found = read(vcf(tmp_path, record(cells, form="GT:DS")), dosage=True)
    assert found[0].dosages.tolist() == pytest.approx(expected)


@pytest.mark.parametrize("cells", ["1:1.5 0:0 0:0", "./1:0.5 0/0:0 0/0:0", "0/0:0_1 0/0:0 0/0:0", "0/0: 1 0/0:0 0/0:0"])
def test_a_dosage_beside_a_bad_call_is_refused(tmp_path: Path, cells: str) -> None:
    with pytest.raises(GenotypesInvalid, match="Record 1"):
        read(vcf(tmp_path, record(cells, form="GT:DS")), dosage=True)


def test_gt_elsewhere_than_first_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GenotypesInvalid, match="not first"):
        read(vcf(tmp_path, record("9:0/1 8:1/1 7:0/0", form="DP:GT")))


@pytest.mark.parametrize(("form", "dosage"), [("DS", False), ("GP", False), ("GP", True), (".", True)])
def test_a_vcf_with_nothing_to_read_is_refused(tmp_path: Path, form: str, dosage: bool) -> None:
    with pytest.raises(GenotypesInvalid, match="vcf_import_dosage"):
        check_format(vcf(tmp_path, record("1 1 1", form=form)), CHROMS, import_dosage=dosage)


@pytest.mark.parametrize(("form", "dosage"), [("GT", False), ("GT:DS", True), ("DS", True), ("GP:DS", True)])
def test_a_vcf_with_something_to_read_is_taken(tmp_path: Path, form: str, dosage: bool) -> None:
    check_format(vcf(tmp_path, record("1 1 1", form=form)), CHROMS, import_dosage=dosage)


def test_a_later_record_with_something_to_read_is_enough(tmp_path: Path) -> None:
    check_format(vcf(tmp_path, record("1 1 1", form="DP"), record("0/0 0/0 0/0")), CHROMS, import_dosage=False)


def test_a_sample_id_with_a_space_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GenotypesInvalid, match="space"):
        read_samples_of(vcf(tmp_path, head=HEAD.replace("\tA\t", "\tA B\t")))


def test_a_vcf_that_names_a_sample_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DuplicateSamples):
        read_samples_of(vcf(tmp_path, head=HEAD.replace("\tC\n", "\tA\n")))


def test_dosages_that_the_header_does_not_declare_are_refused(tmp_path: Path) -> None:
    path = vcf(tmp_path, record("0/0:0 0/1:1 1/1:2", form="GT:DS"), head=HEAD.replace("ID=DS", "ID=XX"))
    assert read(path)[0].dosages.tolist() == [0, 1, 2]
    with pytest.raises(GenotypesInvalid, match="FORMAT line for DS"):
        read(path, dosage=True)
