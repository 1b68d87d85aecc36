"""Files that are small as stored and large as text are refused by their bound, in little memory.

Each is read in a process of its own, whose peak memory is then its alone.
"""

from __future__ import annotations

import gzip
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import zstandard

from genoferry.contracts.pipeline import PipelineParam
from genoferry.errors import CalculationStopped, GenotypesInvalid, ScorefileInvalid
from genoferry.pgsc import samples, variants, vcf
from genoferry.pgsc.bounds import MIB, SCOREFILE, VARIANTS, Bounds, Meter, OverBound
from genoferry.pgsc.inputs import Inputs
from genoferry.pgsc.nextflow.engine import Calculation, run
from genoferry.pgsc.nextflow.layout import Places
from genoferry.pgsc.textio import check_text, open_text
from genoferry.settings import NextflowSettings
from genoferry.testing.cohort import generate

SIZE = 400
"""MiB of text of a bomb."""

LITTLE = 300
"""MiB that the process of a reader may take: some times the longest line, beside what it imports."""

Bomb = Callable[..., Path]

GZIP, ZSTD = gzip.compress, zstandard.compress
HEAD = b"#pgs_id=P1\n#trait_reported=t\n#genome_build=GRCh38\nchr_name\tchr_position\teffect_allele\teffect_weight\n"
PVAR = b"#CHROM\tPOS\tID\tREF\tALT\n"
VCF = b"##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS\n"

LONG = b"a" * 1000 + b"\n"
ROW = b"1\t5\t" + b"A" * 900 + b"\t0.1\n"

READ = """
import sys
from pathlib import Path
from genoferry.contracts.pipeline import PipelineParam
from genoferry.errors import CalculationError
{imports}
path = Path(sys.argv[1])
try:
    {call}
except CalculationError as error:
    print(error.code, error.user_message)
else:
    print("taken")
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""
SCORES = (
    "import threading\nfrom genoferry.pgsc.scorefiles import read_scorefiles\n"
    "from genoferry.pgsc.scorefile_rows import check_rows",
    'check_rows(read_scorefiles([path], "GRCh38"), threading.Event())',
)
VARIANT_FILE = ("from genoferry.pgsc.variants import read_variants", 'list(read_variants(path, "pvar"))')
PREFLIGHT_FILE = (
    "import threading\nfrom genoferry.pgsc.preflight.text_stream import opened\n"
    "from genoferry.pgsc.preflight.matching import Kept\nfrom genoferry.pgsc.preflight.variants import Looking, scan",
    'with opened(lambda: path.open("rb"), threading.Event()) as text:\n'
    '        scan(text, "pvar", None, Looking({}, Kept(False, False), {}), 9)',
)
SAMPLE_FILE = ("from genoferry.pgsc.samples import read_samples", "read_samples(path)")
VCF_RECORDS = ("from genoferry.pgsc.vcf import count_records", 'count_records(path, {"1"}, keep_multiallelic=False)')
VCF_SAMPLES = ("from genoferry.pgsc.vcf import read_samples_of", "read_samples_of(path)")


@pytest.fixture
def bomb(tmp_path: Path) -> Bomb:
    """A block again and again, each in a gzip member or zstd frame of its own."""

    def bomb(start: bytes, block: bytes, compress: Callable[[bytes], bytes], size: int = SIZE) -> Path:
        path = tmp_path / "bomb"
        path.write_bytes(compress(start) + compress(block * (MIB // len(block))) * size)
        return path

    return bomb


def read(path: Path, imports: str, call: str) -> tuple[str, int]:
    """What the reader said, and its peak memory in MiB."""
    code = READ.format(imports=imports, call=call)
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    said, peak = done.stdout.splitlines()
    return said, int(peak) // 1024


@dataclass(frozen=True)
class Case:
    """`start`, then `block` again and again; what `reader` says of it begins with `said`."""

    start: bytes
    block: bytes
    compress: Callable[[bytes], bytes]
    reader: tuple[str, str]
    said: str


SCORE_LINE = "scorefile-invalid A scorefile has a line of over 1 MiB"
SCORE_RATIO = "scorefile-invalid A scorefile is over 256 MiB of text, and over 100 times"
SCORE_HEADER = "scorefile-invalid A scorefile's header is over 1 MiB"
VARIANT_LINE = "genotypes-invalid A variant file has a line of over 64 MiB"
VARIANT_RATIO = "genotypes-invalid A variant file is over 256 MiB of text, and over 1000 times"
SAMPLE_LINE = "genotypes-invalid A sample file has a line of over 1 MiB"
SAMPLE_RATIO = "genotypes-invalid A sample file is over 256 MiB of text, and over 1000 times"
VCF_LINE = "genotypes-invalid A VCF has a line of over 128 MiB"

CASES = {
    "a scorefile's last weight": Case(HEAD + b"1\t5\tA\t0.", b"0", GZIP, SCORES, SCORE_LINE),
    "a scorefile's first line": Case(b"#pgs_id=PGS000001", b"0", GZIP, SCORES, SCORE_LINE),
    "a scorefile's rows": Case(HEAD, ROW, GZIP, SCORES, SCORE_RATIO),
    "a scorefile's header": Case(b"", b"#" + LONG, GZIP, SCORES, SCORE_HEADER),
    "a pvar's last variant": Case(PVAR, b"A", ZSTD, VARIANT_FILE, VARIANT_LINE),
    "a pvar's position": Case(PVAR + b"1\t5\t", b"A", GZIP, VARIANT_FILE, VARIANT_LINE),
    "a pvar's first line": Case(b"", b"A", ZSTD, VARIANT_FILE, VARIANT_LINE),
    "a pvar's header": Case(b"", b"##" + LONG, ZSTD, VARIANT_FILE, VARIANT_RATIO),
    "a sample's id": Case(b"#IID\n", b"A", ZSTD, SAMPLE_FILE, SAMPLE_LINE),
    "a psam's header": Case(b"", b"##" + LONG, ZSTD, SAMPLE_FILE, SAMPLE_RATIO),
    "a VCF's record": Case(VCF + b"1\t5\t", b"A", GZIP, VCF_RECORDS, VCF_LINE),
    "a VCF's samples": Case(VCF[:-1], b"\tA", GZIP, VCF_SAMPLES, VCF_LINE),
}


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_a_bomb_is_refused_in_little_memory(bomb: Bomb, case: Case) -> None:
    answer, peak = read(bomb(case.start, case.block, case.compress), *case.reader)
    assert answer.startswith(case.said)
    assert peak < LITTLE


def test_columns_without_end_take_little_memory(tmp_path: Path) -> None:
    """A pvar's, none of which matters, and a scorefile's, whose names and cells are of a kind that is taken."""
    path, columns = tmp_path / "x", b"".join(b"\t%05x" % number for number in range(5_000_000))
    path.write_bytes(PVAR[:-1] + columns + b"\n1\t5\t.\tA\tC\n")
    for reader in (VARIANT_FILE, PREFLIGHT_FILE):
        answer, peak = read(path, *reader)
        assert (answer, peak < LITTLE) == ("taken", True)
    names = b"".join(b"\tallelefrequency_effect_%d" % number for number in range(18_000))
    rows = (b"1\t5\tA\t0.1" + b"\t0.25000000000000000000000000000" * 18_000 + b"\n") * 210
    path.write_bytes(GZIP(HEAD[:-1] + names + b"\n" + rows))
    answer, peak = read(path, *SCORES)
    assert (answer, peak < LITTLE) == ("taken", True)


def test_more_samples_than_any_cohort_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (samples, vcf):
        monkeypatch.setattr(module, "MAX_SAMPLES", 50)
    names = [f"S{number}" for number in range(51)]
    psam, header = "#IID\n" + "\n".join(names), VCF[:-2].decode() + "\t".join(names)
    for text, read_ids in ((psam, samples.read_samples), (header, vcf.read_samples_of)):
        (tmp_path / "x").write_text(text + "\n")
        with pytest.raises(GenotypesInvalid, match="names over 50 samples"):
            read_ids(tmp_path / "x")
        (tmp_path / "x").write_text(text.removesuffix("S50").rstrip() + "\n")
        read_ids(tmp_path / "x")


def test_names_of_chromosomes_are_not_kept(tmp_path: Path) -> None:
    """40 of them, of 5 MiB each."""
    path = tmp_path / "bomb"
    line = GZIP(b"A" * MIB) * 5
    path.write_bytes(GZIP(PVAR) + b"".join(GZIP(b"%d" % n) + line + GZIP(b"\t5\t.\tA\tC\n") for n in range(40)))
    call = 'relabel(path, "pvar", path.with_suffix(".zst"), chrom=None, keep_multiallelic=False)'
    answer, peak = read(path, "from genoferry.pgsc.variants import relabel", call)
    assert answer == "taken"
    assert peak < 150


def test_more_variants_than_bytes_of_genotypes(bomb: Bomb, tmp_path: Path) -> None:
    pvar = bomb(PVAR, b"1\t5\t.\tA\tC,G\n", GZIP, 1)
    with pytest.raises(GenotypesInvalid, match="more variants than its genotype file has bytes"):
        variants.relabel(pvar, "pvar", tmp_path / "out", chrom=None, keep_multiallelic=True, most=1000)
    count = MIB // 12
    made = variants.relabel(pvar, "pvar", tmp_path / "out", chrom=None, keep_multiallelic=False, most=count)
    assert made.count == count


def test_phenotypes_take_no_memory(tmp_path: Path) -> None:
    """10 million of them, which took a gigabyte."""
    row = " ".join(f"{number}" for number in range(1000, 2000))
    (tmp_path / "psam").write_text("#IID " + row + "\n" + "".join(f"S{number} {row}\n" for number in range(10_000)))
    answer, peak = read(tmp_path / "psam", *SAMPLE_FILE)
    assert answer == "taken"
    assert peak < 100


def check(path: Path, bounds: Bounds) -> None:
    check_text(path, bounds=bounds, stop=threading.Event())


def whole(path: Path, bounds: Bounds) -> str:
    with open_text(path, bounds=bounds) as lines:
        return lines.read()


@pytest.mark.parametrize("compress", [bytes, GZIP, ZSTD])
@pytest.mark.parametrize("size", [1, 9, 10])
def test_a_line_as_long_as_the_bound_is_read(tmp_path: Path, compress: Callable[[bytes], bytes], size: int) -> None:
    text = b"a\n" + b"b" * size + b"\nc" * 200_000
    (tmp_path / "x").write_bytes(compress(text))
    assert whole(tmp_path / "x", Bounds("X", size, len(text), 1)).encode() == text
    check(tmp_path / "x", Bounds("X", size, len(text)))


@pytest.mark.parametrize("piece", [1, 3, 7, 100])
def test_lines_are_measured_over_chunks(piece: int) -> None:
    text = b"12\n" * 20 + b"\n" + b"1" * 10 + b"\n"
    chunks = [text[at : at + piece] for at in range(0, len(text), piece)]
    for line, over in ((10, False), (9, piece < 10)):
        meter = Meter(Bounds("X", line, 10**9), lambda: 1)
        try:
            for chunk in chunks:
                meter.add(chunk)
        except OverBound:
            assert over
        else:
            assert not over


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        (Bounds("A file", 10, 3 * MIB), r"A file holds over 0 GiB of text"),
        (Bounds("A file", 10, 99 * MIB, 20), r"A file is over 2 MiB of text, and over 20 times what is stored"),
    ],
)
def test_the_error_says_which_bound(bomb: Bomb, monkeypatch: pytest.MonkeyPatch, bounds: Bounds, said: str) -> None:
    monkeypatch.setattr("genoferry.pgsc.bounds.FREE", 2 * MIB)
    with pytest.raises(GenotypesInvalid, match=said):
        check(bomb(b"", b"ab\n", GZIP, 4), bounds)


def test_little_text_may_be_as_regular_as_it_likes(bomb: Bomb) -> None:
    for bounds in (SCOREFILE, VARIANTS):
        check(bomb(b"", b"ab\n", ZSTD, 200), bounds)


def test_plain_text_is_no_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genoferry.pgsc.bounds.FREE", MIB)
    (tmp_path / "plain").write_bytes(b"ab\n" * MIB)
    check(tmp_path / "plain", SCOREFILE._replace(ratio=1))


def test_a_stop_ends_the_reading(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"ab\n" * MIB)
    stop = threading.Event()
    stop.set()
    with pytest.raises(CalculationStopped):
        check_text(tmp_path / "plain", bounds=VARIANTS, stop=stop)


@pytest.mark.parametrize("what", ["scorefile", "variants", "pheno"])
def test_a_bomb_starts_no_pipeline(bomb: Bomb, tmp_path: Path, what: str) -> None:
    cohort = generate(tmp_path / "cohort", formats=("pfile",), split=False, samples=60, variants=60)
    row = cohort.genomes["pfile"][0]
    broken = bomb(HEAD if what == "scorefile" else b"", b"A", GZIP, 70)
    files = dict(cohort.files) if what == "scorefile" else {**cohort.files, row[what]: broken}
    scorefiles = [broken] if what == "scorefile" else [*cohort.scorefiles.values()]
    nxf = {"pgs_id": "PGS000001", "target_build": cohort.build}
    pipeline = PipelineParam.model_validate({"id": "R", "target_genomes": [row], "nxf_params_file": nxf})
    inputs = Inputs("R", pipeline.target_genomes, files, scorefiles, cohort.build)
    (tmp_path / "shared").mkdir()
    job = Calculation(inputs, pipeline, NextflowSettings(), Places(tmp_path / "shared", 1))
    kind = ScorefileInvalid if what == "scorefile" else GenotypesInvalid
    with pytest.raises(kind, match="has a line of over") as refused:
        run(job, out=tmp_path / "out", progress=lambda _: None, stop=threading.Event())
    assert {score.status for score in refused.value.scores} <= {"failed"}
    assert list((tmp_path / "shared").iterdir()) == []
