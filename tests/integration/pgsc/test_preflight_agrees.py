"""The pre-flight's matching against the PGS Catalog's own tools, on variants that are meant to be awkward."""

from __future__ import annotations

import random
import subprocess
import threading
from functools import partial
from pathlib import Path

import pytest

from genoferry.contracts.pipeline import PipelineParam
from genoferry.pgsc.match import tool
from genoferry.pgsc.preflight import Files, check
from genoferry.settings import PreflightSettings
from genoferry.testing.scorefiles import gzip_bytes

BASES = "ACGT"
ALLELES = (*BASES, *BASES, "AC", "TG", "ACGT", "A" * 101)
CHROMS = ("1", "2", "X", "XY")


def variants(rng: random.Random) -> list[tuple[str, int, str, str]]:
    """One at a position, since the tools' choice among several of a kind is the first by their own order."""
    found = []
    for chrom in CHROMS:
        for position in range(100, 100 + 400):
            ref = rng.choice(ALLELES)
            alts = rng.sample([allele for allele in dict.fromkeys(ALLELES) if allele != ref], rng.choice((1, 1, 1, 2)))
            found.append((chrom, position * 7, ref, ",".join(alts)))
    return found


def name(chrom: str, position: int, ref: str, alt: str) -> str:
    """As plink2's `--set-all-var-ids` gives it, with `--new-id-max-allele-len 100 missing`."""
    return "." if max(map(len, (ref, *alt.split(",")))) > 100 else f"{chrom}:{position}:{ref}:{alt}"


def score_lines(rng: random.Random, made: list[tuple[str, int, str, str]]) -> list[tuple[str, str, str, str]]:
    """Effect and other alleles by chance, half of them those of a variant, some on the other strand."""
    turn = str.maketrans("ACGT", "TGCA")
    lines = []
    for chrom, position, ref, alt in made:
        effect, other = rng.sample((ref, alt.split(",")[-1]), 2)
        if rng.random() < 0.3:
            effect, other = effect.translate(turn), other.translate(turn)
        if rng.random() < 0.3:
            other = rng.choice([base for base in BASES if base != effect])
        if rng.random() < 0.3:
            other = ""
        lines.append((chrom, str(position + rng.choice((0, 0, 0, 1))), effect, other))
    return lines


@pytest.mark.parametrize(
    "kept", [(), ("keep_ambiguous",), ("keep_multiallelic",), ("keep_ambiguous", "keep_multiallelic")]
)
def test_the_same_share_matches(tmp_path: Path, kept: tuple[str, ...]) -> None:
    rng = random.Random(20240229)  # noqa: S311  # the same each time
    made = variants(rng)
    head = "#CHROM\tPOS\tID\tREF\tALT\n"
    relabelled = [
        (c, p, f"{c}:{p}:{r}:{a}" if len(max((r, *a.split(",")), key=len)) <= 100 else ".", r, a) for c, p, r, a in made
    ]
    pvar = head + "".join("\t".join(map(str, row)) + "\n" for row in relabelled)
    lines = score_lines(rng, made)
    rows = [f"{c}\t{p}\t{e}\t{o}\t0.1" for c, p, e, o in lines]
    columns = "chr_name\tchr_position\teffect_allele\tother_allele\teffect_weight"
    score = (
        "\n".join(
            ["#format_version=2.0", "#pgs_id=PGS000001", "#trait_reported=t", "#genome_build=GRCh38", columns, *rows]
        )
        + "\n"
    )
    (tmp_path / "t.pvar").write_text(pvar)
    by_tools = matched_by_tools(tmp_path, lines, kept)

    (tmp_path / "t.psam").write_text("#IID\n" + "".join(f"S{number}\n" for number in range(60)))
    (tmp_path / "t.pgen").write_bytes(b"\x6c\x1b\x01")
    (tmp_path / "s.txt.gz").write_bytes(gzip_bytes(score))
    row = {
        "sampleset": "c",
        "chrom": None,
        "format": "pfile",
        "geno": "t.pgen",
        "variants": "t.pvar",
        "pheno": "t.psam",
    }
    params = {"target_build": "GRCh38", "min_overlap": 0.0, **dict.fromkeys(kept, True)}
    pipeline = PipelineParam.model_validate({"id": "R", "target_genomes": [row], "nxf_params_file": params})
    files = {name: partial((tmp_path / name).open, "rb") for name in pipeline.file_names}
    verdict = check(
        pipeline,
        Files(files, {"s.txt.gz": partial((tmp_path / "s.txt.gz").open, "rb")}),
        PreflightSettings(),
        stop=threading.Event(),
    )
    assert verdict.failure is None
    (found,) = verdict.scores
    assert (found.matched, found.variants) == (by_tools, len(lines))


def matched_by_tools(folder: Path, lines: list[tuple[str, str, str, str]], kept: tuple[str, ...]) -> int:
    """As pgsc_calc runs them: formatted score, candidates, best matches."""
    columns = (
        "chr_name chr_position effect_allele other_allele effect_weight effect_type is_duplicated accession row_nr"
    )
    rows = [[*line, "0.1", "additive", "False", "PGS000001", str(n)] for n, line in enumerate(lines)]
    normalised = folder / "normalised.txt"
    normalised.write_text("\n".join("\t".join(row) for row in [[*columns.split(), "row_nr"], *rows]) + "\n")
    out = folder / "out"
    out.mkdir()
    flags = [f"--{flag}" for flag in kept]
    match = [tool("pgscatalog-match"), "-d", "c", "-s", normalised, "--target", folder / "t.pvar", "--only_match"]
    subprocess.run([*match, "--outdir", out, *flags], check=True, capture_output=True)
    merge = [tool("pgscatalog-matchmerge"), "-d", "c", "-s", normalised, "-m", *out.glob("*.ipc.zst")]
    subprocess.run(
        [*merge, "--min_overlap", "0", "--outdir", out, "--combined", *flags], check=True, capture_output=True
    )
    summary = (out / "c_summary.csv").read_text().splitlines()
    names = summary[0].split(",")
    found = [dict(zip(names, line.split(","), strict=True)) for line in summary[1:]]
    return sum(int(row["count"]) for row in found if row["match_status"] == "matched")
