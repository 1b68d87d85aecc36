"""Every way in which the genomes can be wrong, with bytes that are."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

CHROM = re.compile(r"^21\b", re.MULTILINE)


def test_a_good_request_has_nothing_against_it(case) -> None:
    verdict = case.only("PGS000001", "PGS000002", "PGS000003", "PGS000005").verdict()
    assert verdict.failure is None
    assert verdict.warnings == ()
    assert {finding.status for finding in verdict.findings} == {"ok"}
    assert [finding.check for finding in verdict.findings] == [
        "samplesheet", "files", "compression", "genotypes", "chromosomes", "alleles", "samples", "scores", "build",
        "overlap", "memory",
    ]  # fmt: skip
    assert verdict.samples == 60


def test_a_missing_file(case) -> None:
    name = case.rows[0]["variants"]
    assert replace(case, files={n: c for n, c in case.files.items() if n != name}).failure() == "genomes-missing"


@pytest.mark.parametrize("what", ["pheno", "geno"])
def test_a_missing_companion(pfile, what: str) -> None:
    files = {name: content for name, content in pfile.files.items() if name != pfile.rows[0][what]}
    assert replace(pfile, files=files).failure() == "genomes-missing"


@pytest.mark.parametrize("column", ["#CHROM", "POS", "ID", "REF", "ALT"])
def test_a_missing_column(pfile, edited, column: str) -> None:
    broken = edited(pfile.files["hg38_21.pvar.zst"], lambda text: re.sub(rf"{column}\b", "#X", text, count=1))
    assert pfile.having(variants=broken).failure() == "genotypes-invalid"


def test_a_vcf_without_its_header_line(vcf, edited) -> None:
    broken = edited(vcf.files["hg38_21.vcf.gz"], lambda text: re.sub("#CHROM.*\n", "", text))
    assert vcf.having(variants=broken).failure() == "genotypes-invalid"


@pytest.mark.parametrize(("keys", "dosage"), [("DS", False), ("GP", True), ("DP:GT", True)])
def test_a_vcf_with_nothing_to_read(vcf, edited, keys: str, dosage: bool) -> None:
    other = edited(vcf.files["hg38_21.vcf.gz"], lambda text: text.replace("\tGT\t", f"\t{keys}\t"))
    (found,) = vcf.having(variants=other).row(vcf_import_dosage=dosage).found("genotypes")
    assert (found.status, found.code) == ("failed", "genotypes-invalid")
    assert "no genotypes to read" in found.message


@pytest.mark.parametrize("keys", ["DS", "GP:DS", "GT:DP"])
def test_a_vcf_with_dosages_that_are_asked_for(vcf, edited, keys: str) -> None:
    other = edited(vcf.files["hg38_21.vcf.gz"], lambda text: text.replace("\tGT\t", f"\t{keys}\t"))
    (found,) = vcf.having(variants=other).row(vcf_import_dosage=True).found("genotypes")
    assert found.status == "ok"


@pytest.mark.parametrize("content", [b"", b"\n", b"##only\n", b"#CHROM\tPOS\tID\tREF\tALT\n"])
def test_no_variants(pfile, content: bytes) -> None:
    (found,) = pfile.having(variants=content).found("files")
    assert (found.status, found.code) == ("failed", "genotypes-invalid")
    assert "no variants" in found.message


@pytest.mark.parametrize("line", ["21\t5\n", "21\tfive\trs\tA\tC\n"])
def test_a_broken_line_is_named_as_such_and_not_shown(pfile, edited, line: str) -> None:
    broken = edited(pfile.files["hg38_21.pvar.zst"], lambda text: text + line)
    (found,) = pfile.having(variants=broken).found("files")
    assert found.code == "genotypes-invalid"
    assert "five" not in found.message
    assert "21.pvar" not in found.message


def test_a_damaged_file(vcf) -> None:
    assert vcf.having(variants=vcf.files["hg38_21.vcf.gz"][:-50]).failure() == "genotypes-invalid"


def test_a_pvar_without_a_header_is_like_a_bim(pfile, bfile) -> None:
    verdict = pfile.having(variants=bfile.files["hg38_21.bim"]).only("PGS000001").verdict()
    assert verdict.failure is None
    assert verdict.scores[0].rate == 1.0


def test_a_name_that_lies_about_compression_is_doubtful(pfile, edited) -> None:
    import zstandard

    plain = zstandard.decompress(pfile.files["hg38_21.pvar.zst"])
    packed = zstandard.compress(pfile.files["hg38_21.psam"])
    verdict = pfile.having(variants=plain, pheno=packed).only("PGS000001").verdict()
    assert verdict.failure is None
    assert [warning.code for warning in verdict.warnings] == ["compression", "compression"]


@pytest.mark.parametrize("start", [b"", b"\x6c", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"\x6c\x1b\x55"])
def test_no_pgen_and_no_bed(pfile, bfile, start: bytes) -> None:
    for case in (pfile, bfile):
        (found,) = case.having(geno=start + b"rest of the file").found("genotypes")
        assert found.code == "genotypes-invalid"


def test_a_pgen_is_no_bed(pfile, bfile) -> None:
    assert bfile.having(geno=pfile.files["hg38_21.pgen"]).failure() == "genotypes-invalid"


def test_a_pgen_of_others(pfile, edited) -> None:
    fewer = edited(pfile.files["hg38_21.pvar.zst"], lambda text: text[: text.rindex("\n21") + 1])
    (found,) = pfile.having(variants=fewer).found("genotypes")
    assert "number of variants" in found.message
    less = edited(pfile.files["hg38_21.psam"], lambda text: text[: text.rindex("SAMPLE")])
    (found,) = pfile.having(pheno=less).found("genotypes")
    assert "number of samples" in found.message


def test_names_that_nobody_knows(case, edited) -> None:
    content = case.files[case.rows[0]["variants"]]
    strange = edited(content, lambda text: CHROM.sub("NC_000021.9", text))
    assert case.having(variants=strange).failure() == "chromosome-mismatch"


def test_a_prefix_is_doubtful_and_still_matches(case, edited) -> None:
    content = case.files[case.rows[0]["variants"]]
    verdict = case.having(variants=edited(content, lambda text: CHROM.sub("chr21", text))).only("PGS000001").verdict()
    assert verdict.failure is None
    assert [warning.code for warning in verdict.warnings] == ["chromosome-prefix"]
    assert verdict.scores[0].rate == 1.0


def test_a_row_with_another_chromosome(case) -> None:
    (found,) = [f for f in case.row(chrom="20").found("chromosomes") if f.status == "failed"]
    assert found.code == "chromosome-mismatch"
    assert "chromosome 20" in found.message


def test_some_of_another_chromosome_are_left_out(pfile, edited) -> None:
    def edit(text: str) -> str:
        return text.replace("\n21\t", "\n20\t", 100)

    verdict = pfile.having(variants=edited(pfile.files["hg38_21.pvar.zst"], edit)).only("PGS000001").verdict()
    assert verdict.failure is None
    assert "100 are on other chromosomes" in verdict.warnings[0].message
    assert verdict.scores[0].rate is not None
    assert verdict.scores[0].rate < 1.0


def test_many_multiallelic_ones_are_doubtful_and_do_not_match(pfile, edited) -> None:
    broken = edited(pfile.files["hg38_21.pvar.zst"], lambda text: re.sub(r"\t([ACGT])\n", r"\t\1,<X>\n", text))
    case = pfile.having(variants=broken).only("PGS000001").asking(min_overlap=0.1)
    verdict = case.verdict()
    assert [warning.code for warning in verdict.warnings] == ["multi-allelic"]
    kept = case.asking(keep_multiallelic=True).verdict()
    assert kept.warnings == ()
    assert (verdict.scores[0].rate or 0) < (kept.scores[0].rate or 0)


def test_a_sample_twice(case, edited) -> None:
    pheno = edited(case.files[case.rows[0]["pheno"]], lambda text: text.replace("SAMPLE0002", "SAMPLE0001"))
    verdict = case.having(pheno=pheno).verdict()
    assert verdict.failure is not None
    assert verdict.failure.code == "duplicate-samples"
    assert "SAMPLE" not in "".join(finding.message for finding in verdict.findings)


def test_the_same_id_in_two_families_is_two_samples(bfile, edited) -> None:
    def edit(text: str) -> str:
        return text.replace("0\tSAMPLE0002", "F\tSAMPLE0001")

    files = {n: edited(c, edit) if n.endswith(".fam") else c for n, c in bfile.files.items()}
    assert {finding.status for finding in replace(bfile, files=files).found("samples")} == {"ok"}


def test_other_samples_in_another_chromosome(case, edited) -> None:
    pheno = edited(case.files[case.rows[0]["pheno"]], lambda text: text.replace("SAMPLE0002", "SOMEONE"))
    assert case.having(pheno=pheno).failure() == "samplesheet-invalid"


def test_the_order_of_samples_is_no_matter(pfile, edited) -> None:
    def edit(text: str) -> str:
        head, *rows = text.splitlines(keepends=True)
        return head + "".join(reversed(rows))

    assert pfile.having(pheno=edited(pfile.files["hg38_21.psam"], edit)).only("PGS000001").failure() is None


@pytest.mark.parametrize("content", [b"", b"#IID\n", b"#FID\tSEX\nA\t1\n", b"A\n"])
def test_no_samples(pfile, content: bytes) -> None:
    (found,) = pfile.having(pheno=content).found("samples")
    assert (found.status, found.code) == ("failed", "genotypes-invalid")


def test_few_samples_are_said_to_have_no_mean_imputation(vcf, edited) -> None:
    def edit(text: str) -> str:
        rows = (line if line.startswith("##") else "\t".join(line.split("\t")[: 9 + 49]) for line in text.splitlines())
        return "\n".join(rows) + "\n"

    few = replace(vcf, files={name: edited(content, edit) for name, content in vcf.files.items()}).only("PGS000001")
    (found,) = few.found("samples")
    assert (found.status, found.code) == ("doubtful", "few-samples")
    assert "49 samples" in found.message
    assert few.verdict().failure is None


def test_positions_past_a_chromosomes_end(case, edited) -> None:
    def edit(text: str) -> str:
        return re.sub(r"^(21\t(?:rs\d+\t0\t)?)(\d+)", lambda m: f"{m[1]}{int(m[2]) + 40_000_000}", text, flags=re.M)

    beyond = case.having(variants=edited(case.files[case.rows[0]["variants"]], edit))
    found = [finding for finding in beyond.found("build") if finding.status == "failed"]
    assert found[0].code == "genome-build-mismatch"
    assert "chromosome 21" in found[0].message


def test_lengths_are_those_of_the_assemblies() -> None:
    from genoferry.pgsc.preflight.chromosomes import LENGTHS

    assert {build: len(chroms) for build, chroms in LENGTHS.items()} == {"GRCh37": 24, "GRCh38": 24}
    totals = {build: sum(chroms.values()) for build, chroms in LENGTHS.items()}
    assert totals == {"GRCh37": 3_095_677_412, "GRCh38": 3_088_269_832}  # NCBI's totals of the assembled chromosomes
