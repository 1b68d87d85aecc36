"""However much text a file holds, a bounded part of it is read; what can't be looked into fails."""

from __future__ import annotations

import gzip
import io
import threading
from dataclasses import replace
from functools import partial

import pytest
import zstandard

from genoferry.contracts.pipeline import PipelineParam
from genoferry.errors import CalculationStopped
from genoferry.pgsc import bounds
from genoferry.pgsc.bounds import SAMPLES, VARIANTS
from genoferry.pgsc.preflight import Files, Verdict, check, gather, samples, variant_header, variants
from genoferry.pgsc.preflight.text_stream import CHUNK, Text

MIB = 1024**2
ENDS = (
    "more before its variants than any does.",
    "has a line of over 1 MiB: it is damaged, or of another format.",
    "has a line of over 2 MiB: it is damaged, or of another format.",
    "has over 5000000 lines, or over 1 GiB of text.",
    "has a header that is longer than any scorefile's.",
    "over 1000 times what is stored. Send it uncompressed.",
)
TARGET = [("1", 1000 * i, "A", "G") for i in range(1, 500)]
SCORE = [("1", 1000 * i, "A", "G", 0.1) for i in range(1, 200)]


def bomb(line: bytes, size: int, start: bytes = b"") -> bytes:
    """`size` bytes of a line again and again, in some kilobytes."""
    packed = io.BytesIO()
    with zstandard.ZstdCompressor().stream_writer(packed, closefd=False) as out:
        out.write(start)
        block = line * (MIB // len(line))
        for _ in range(size // MIB):
            out.write(block)
    return packed.getvalue()


class Counted:
    """Counts what is taken out of each file."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.most = 0
        chunks = Text._chunks

        def counted(text: Text):
            for chunk in chunks(text):
                self.most = max(self.most, text.bytes)
                yield chunk

        monkeypatch.setattr(Text, "_chunks", counted)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    for name in ("MAX_TEXT", "MAX_SCORE_TEXT"):
        monkeypatch.setattr(gather, name, 4 * MIB)
    monkeypatch.setattr(gather, "SAMPLES", SAMPLES._replace(text=4 * MIB))
    monkeypatch.setattr(gather, "BOUNDS", {"pfile": VARIANTS._replace(line=2 * MIB)})
    return Counted(monkeypatch)


@pytest.fixture
def case(small, scored):
    return small(TARGET, scored(SCORE))


def failure(verdict: Verdict) -> tuple[str, str]:
    """Its code, and how its message ends: which bound it says."""
    assert verdict.failure is not None
    message = verdict.failure.user_message
    return verdict.failure.code, next((end for end in ENDS if message.endswith(end)), "")


def doubts(verdict: Verdict, check: str) -> list[str]:
    return [found.status for found in verdict.findings if found.check == check]


@pytest.mark.parametrize("line", [b"##x\n", b"#x\n", b"\n"])
def test_endless_lines_before_the_variants(case, counted: Counted, line: bytes) -> None:
    verdict = case.having(variants=bomb(line, 64 * MIB)).verdict()
    assert counted.most <= 4 * MIB + CHUNK
    assert failure(verdict) == ("genotypes-invalid", "more before its variants than any does.")


def test_lines_before_the_variants_are_counted_too(case, counted: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variant_header, "MOST_LINES", 1000)
    verdict = case.having(variants=bomb(b"##x\n", 64 * MIB)).verdict()
    assert counted.most <= CHUNK
    assert failure(verdict) == ("genotypes-invalid", "more before its variants than any does.")


@pytest.mark.parametrize("start", [b"", b"#CHROM\tPOS\tID\tREF\tALT\n", b"#CHROM\tPOS\tID\tREF\tALT\n1\t5\t.\tA\tC\n"])
def test_one_endless_line_is_no_variant_file(case, counted: Counted, start: bytes) -> None:
    verdict = case.having(variants=bomb(b"A", 64 * MIB, start)).verdict()
    assert counted.most <= 2 * MIB + CHUNK
    assert failure(verdict) == ("genotypes-invalid", "has a line of over 2 MiB: it is damaged, or of another format.")


@pytest.mark.parametrize(
    ("line", "code", "end"),
    [
        (b"##x\n", "genotypes-invalid", "has over 5000000 lines, or over 1 GiB of text."),
        (b"a\t1\n", "duplicate-samples", ""),
        (b"A", "genotypes-invalid", "has a line of over 1 MiB: it is damaged, or of another format."),
    ],
)
def test_an_endless_sample_file(case, counted: Counted, line: bytes, code: str, end: str) -> None:
    verdict = case.having(pheno=bomb(line, 64 * MIB, b"#IID\tSEX\nS0\t1\n")).verdict()
    assert counted.most <= 4 * MIB + CHUNK
    assert verdict.samples is None
    assert failure(verdict) == (code, end)


def test_lines_of_a_sample_file_are_counted_too(case, counted: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "MOST_LINES", 1000)
    monkeypatch.setattr(gather, "SAMPLES", SAMPLES)
    many = "#IID\n" + "".join(f"S{number}\n" for number in range(300_000))
    verdict = case.having(pheno=many.encode()).verdict()
    assert counted.most <= 2 * CHUNK
    assert failure(verdict) == ("genotypes-invalid", "has over 5000000 lines, or over 1 GiB of text.")


@pytest.mark.parametrize("line", [b"#x\n", b"1\t5\tA\tG\t0.1\n"])
def test_an_endless_scorefile(case, counted: Counted, scored, small, line: bytes) -> None:
    verdict = small(TARGET, bomb(line, 64 * MIB, scored(SCORE))).verdict()
    assert counted.most <= 4 * MIB + CHUNK
    assert verdict.failure is None


def test_an_endless_header_of_a_scorefile(small, counted: Counted) -> None:
    verdict = small(TARGET, bomb(b"#x\n", 64 * MIB)).verdict()
    assert counted.most <= CHUNK
    assert failure(verdict) == ("scorefile-invalid", "has a header that is longer than any scorefile's.")


@pytest.mark.parametrize("start", [b"", b"#pgs_id=S\n"])
def test_a_scorefile_that_is_one_line(small, counted: Counted, start: bytes) -> None:
    verdict = small(TARGET, bomb(b"A", 64 * MIB, start)).verdict()
    assert counted.most <= MIB + CHUNK
    assert failure(verdict) == ("scorefile-invalid", "has a line of over 1 MiB: it is damaged, or of another format.")


def test_text_out_of_nothing_is_a_bomb(case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "FREE", 4 * MIB)
    case = replace(case, settings=case.settings.model_copy(update={"max_variants": 10**9}))
    verdict = case.having(variants=bomb(b"1\t5\t.\tA\tC\n", 64 * MIB, b"#CHROM\tPOS\tID\tREF\tALT\n")).verdict()
    assert failure(verdict) == ("genotypes-invalid", "over 1000 times what is stored. Send it uncompressed.")


def test_as_much_text_that_is_stored_is_none(case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "FREE", MIB)
    rows = b"".join(b"1\t%d\t.\tA\tC\n" % (1000 * i) for i in range(1, 200_000))
    verdict = case.having(variants=b"#CHROM\tPOS\tID\tREF\tALT\n" + rows).verdict()
    assert doubts(verdict, "files") == ["ok"]


def test_a_share_that_is_used_up_leaves_later_files_unread(case, counted: Counted) -> None:
    """Two files share what may be read: the first one's variants are counted as a part."""
    rows = tuple({**case.rows[0], "chrom": chrom, "variants": f"{chrom}.pvar"} for chrom in ("1", "2"))
    one = b"#CHROM\tPOS\tID\tREF\tALT\n" + b"".join(b"1\t%d\t.\tA\tG\n" % i for i in range(1, 400_000))
    files = {**case.files, "1.pvar": one, "2.pvar": one.replace(b"\n1\t", b"\n2\t")}
    document = {"id": "R", "target_genomes": rows, "nxf_params_file": dict(case.params)}
    openers = [{name: partial(io.BytesIO, b) for name, b in part.items()} for part in (files, case.scores)]
    verdict = check(PipelineParam.model_validate(document), Files(*openers), case.settings, stop=threading.Event())
    assert counted.most <= 2 * MIB + 2 * CHUNK
    assert verdict.failure is None
    assert "a part of them" in next(found.message for found in verdict.findings if found.check == "files")


@pytest.mark.parametrize(("longest", "code"), [(10_000, None), (200, "genotypes-invalid")])
def test_a_header_line_that_is_cut_fails(vcf, monkeypatch: pytest.MonkeyPatch, longest: int, code: str | None) -> None:
    """It names 60 samples; those behind the cut would not be counted."""
    for module in (variant_header, variants):
        monkeypatch.setattr(module, "LONG_HEADER", longest)
    assert vcf.failure() == code
    assert vcf.verdict().samples == (None if code else 60)


def test_empty_members_without_end_are_stopped() -> None:
    stop, members = threading.Event(), io.BytesIO(gzip.compress(b"") * 100_000)

    class Source(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if members.tell() > MIB:
                stop.set()
            return members.read(size)

    with pytest.raises(CalculationStopped):
        list(Text(Source(), stop).batches())
    assert members.read()
