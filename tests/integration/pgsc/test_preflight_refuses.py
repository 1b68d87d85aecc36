"""Scorefiles that the PGS Catalog's tools refuse and those that they take: the pre-flight says the same of each."""

from __future__ import annotations

import io
import subprocess
import threading
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import pytest

from genoferry.contracts.pipeline import PipelineParam
from genoferry.pgsc.match import tool
from genoferry.pgsc.preflight import Files, check
from genoferry.settings import PreflightSettings

Cells = tuple[object, ...]
HEAD = "#pgs_id=S\n#pgs_name=S\n#trait_reported=t\n#genome_build=GRCh38\n"
HARMONISED = "#pgs_id=H\n#trait_reported=t\n#genome_build=NR\n#HmPOS_build=GRCh38\n#HmPOS_date=2022-07-29\n"
PLAIN = "chr_name\tchr_position\teffect_allele\tother_allele\teffect_weight"
WITH_RSID = f"rsID\t{PLAIN}"
WITH_HM = f"{PLAIN}\thm_source\thm_rsID\thm_chr\thm_pos\thm_inferOtherAllele"
DOSAGES = "\tdosage_0_weight\tdosage_1_weight\tdosage_2_weight"
ROWS: list[Cells] = [("1", 1000 * i, "A", "G", 0.1) for i in range(1, 20)]


def score(rows: Iterable[Cells], columns: str = PLAIN, head: str = HEAD) -> bytes:
    return (head + columns + "\n" + "".join("\t".join(map(str, row)) + "\n" for row in rows)).encode()


def among(*row: object) -> bytes:
    return score([row, *ROWS])


def more(columns: str, *cells: object) -> bytes:
    return score([(*row, *cells) for row in ROWS], f"{PLAIN}\t{columns}")


def by_rsid(*row: object) -> bytes:
    return score([row, *(("rs1", *each) for each in ROWS)], WITH_RSID)


def harmonised(*row: object, head: str = HARMONISED) -> bytes:
    return score([row, *((*each, "ENSEMBL", "rs1", *each[:2], "") for each in ROWS)], WITH_HM, head)


GOOD = score(ROWS)
HM_ROW = ("1", 5, "A", "G", 0.1, "ENSEMBL", "rs5", "1")

TAKEN: dict[str, bytes] = {
    "a good one": GOOD,
    "no name of the trait": GOOD.replace(b"reported=t", b"reported="),
    "hg38": GOOD.replace(b"GRCh38", b"hg38"),
    "no date of harmonising": score(ROWS, head=HEAD + "#HmPOS_build=GRCh37\n"),
    "a frequency": more("allelefrequency_effect_X", 0.1),
    "rsid": score([("rs1", *row) for row in ROWS], f"rsid\t{PLAIN}"),
    "columns that it knows": more("locus_name\tvariant_description\tOR", "x", "y", ""),
    "weights by dosage too": more(DOSAGES.strip(), 0, 0.1, 0.2),
    "a weight with spaces": among("1", 5, "A", "G", " 0.1 "),
    "a weight in quotes": among("1", 5, "A", "G", '"0.1"'),
    "a position with decimals": among("1", "1000.00", "A", "G", 0.1),
    "a position in parts": among("1", "1_000", "A", "G", 0.1),
    "a position with a plus": among("1", "+1000", "A", "G", 0.1),
    "an rsID alone": by_rsid("rs2", "", "", "A", "G", 0.1),
    "an rsID and a chromosome": by_rsid("rs2", "1", "", "A", "G", 0.1),
    "HLA without a place": among("6", "", "HLA-X", "G", 0.1),
    "lower case without a place": among("", "", "a", "g", 0.1),
    "not harmonised without a place": harmonised("", "", "A", "G", 0.1, "Unknown", "", "", "", ""),
    "harmonised to position 0": harmonised(*HM_ROW, 0, ""),
    "no harmonised columns": score(ROWS, head=HARMONISED),
    "no effect allele": among("1", 5, "", "G", 0.1),
    "other line ends": GOOD.replace(b"\n", b"\r\n"),
    "a note among the rows": GOOD + b"#note\n1\t5\tA\tG\t0.1\n",
    "empty lines": GOOD + b"\n\n1\t5\tA\tG\t0.1\n\n",
}
REFUSED: dict[str, bytes] = {
    "no trait": GOOD.replace(b"#trait_reported=t\n", b""),
    "a space before a key": GOOD.replace(b"#pgs_id", b"# pgs_id"),
    "no build": GOOD.replace(b"#genome_build=GRCh38\n", b""),
    "HG38": GOOD.replace(b"GRCh38", b"HG38"),
    "HG38 in a harmonised one": harmonised(*HM_ROW, 5, "", head=HARMONISED.replace("NR", "HG38")),
    "harmonised to hg38": harmonised(*HM_ROW, 5, "", head=HARMONISED.replace("GRCh38", "hg38")),
    "a mark of the byte order": b"\xef\xbb\xbf" + GOOD,
    "no variants": score([]),
    "a column of its own": more("beta", 0.1),
    "a column without a name": more("", ""),
    "a column with a space": GOOD.replace(b"\tchr_position", b"\t chr_position"),
    "no column of effect alleles": GOOD.replace(b"effect_allele", b"locus_name"),
    "no column of weights": GOOD.replace(b"effect_weight", b"locus_name"),
    "some columns of dosages": GOOD.replace(b"effect_weight", b"dosage_0_weight"),
    "an empty line before the columns": GOOD.replace(b"chr_name", b"\nchr_name"),
    "a cell too many": among("1", 5, "A", "G", 0.1, "x"),
    "a cell too few": among("1", 5, "A", "G"),
    "no weight": among("1", 5, "A", "G", ""),
    "a weight of NA": among("1", 5, "A", "G", "NA"),
    "a weight with a comma": among("1", 5, "A", "G", "0,1"),
    "no place": among("", "", "A", "G", 0.1),
    "a position without a chromosome": by_rsid("rs2", "", 5, "A", "G", 0.1),
    "a dot for an rsID": by_rsid(".", "", "", "A", "G", 0.1),
    "a chromosome alone": by_rsid("", "1", "", "A", "G", 0.1),
    "a harmonised place alone": harmonised("", "", *HM_ROW[2:], 5, ""),
    "position 0": among("1", 0, "A", "G", 0.1),
    "a position under 0": among("1", -5, "A", "G", 0.1),
    "a position as 1e3": among("1", "1e3", "A", "G", 0.1),
    "half a position": among("1", "1000.5", "A", "G", 0.1),
    "a position of NA": by_rsid("rs2", "1", "NA", "A", "G", 0.1),
    "a harmonised position under 0": harmonised(*HM_ROW, -5, ""),
}
REFUSED_BY_US: dict[str, bytes] = {
    "a weight that is none": among("1", 5, "A", "G", "nan"),
    "an infinite weight": among("1", 5, "A", "G", "inf"),
    "a weight too large for a number": among("1", 5, "A", "G", "1e400"),
    "weights whose sum overflows": among("1", 5, "A", "G", "1e308"),
    "a weight in parts": among("1", 5, "A", "G", "1_000"),
    "a quote that is not closed": more("locus_name", "x").replace(b"x", b'"x', 1),
    "a column twice": more("effect_weight", 0.2),
}
"""What the tools take, and make wrong scores of."""

TARGET = "#CHROM\tPOS\tID\tREF\tALT\n" + "".join(f"1\t{1000 * i}\t.\tA\tG\n" for i in range(1, 500))
ROW = {"sampleset": "c", "chrom": None, "format": "pfile", "geno": "t.pgen", "variants": "t.pvar", "pheno": "t.psam"}


def refused_by_tools(folder: Path, content: bytes) -> bool:
    """Beside a good one, which a score that is only left out doesn't spoil."""
    (folder / "one.txt").write_bytes(content)
    (folder / "other.txt").write_bytes(GOOD.replace(b"pgs_id=S", b"pgs_id=OTHER"))
    (folder / "out").mkdir()
    argv = [tool("pgscatalog-format"), "-s", folder / "one.txt", folder / "other.txt", "-t", "GRCh38"]
    done = subprocess.run([*argv, "-o", folder / "out", "-l", "log.json"], capture_output=True, check=False)
    return done.returncode != 0


def failure(content: bytes) -> str | None:
    other = GOOD.replace(b"pgs_id=S", b"pgs_id=OTHER")
    files = {"t.pgen": b"\x6c\x1b\x01", "t.pvar": TARGET.encode(), "t.psam": b"#IID\nS1\n"}
    document = {"id": "R", "target_genomes": [ROW], "nxf_params_file": {"target_build": "GRCh38"}}
    openers = [{n: partial(io.BytesIO, b) for n, b in part.items()} for part in (files, {"a": content, "b": other})]
    verdict = check(
        PipelineParam.model_validate(document), Files(*openers), PreflightSettings(), stop=threading.Event()
    )
    return verdict.failure and verdict.failure.code


@pytest.mark.parametrize("name", TAKEN)
def test_what_the_tools_take(tmp_path: Path, name: str) -> None:
    assert not refused_by_tools(tmp_path, TAKEN[name])
    assert failure(TAKEN[name]) is None


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_tools_refuse(tmp_path: Path, name: str) -> None:
    assert refused_by_tools(tmp_path, REFUSED[name])
    assert failure(REFUSED[name]) == "scorefile-invalid"


@pytest.mark.parametrize("name", REFUSED_BY_US)
def test_what_the_tools_take_wrongly(tmp_path: Path, name: str) -> None:
    assert not refused_by_tools(tmp_path, REFUSED_BY_US[name])
    assert failure(REFUSED_BY_US[name]) == "scorefile-invalid"
