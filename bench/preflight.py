"""Seconds and peak memory of the pre-flight, on made-up genomes and one score of as many variants.

    python bench/preflight.py [--variants 1000000] [--samples 500] [--form pfile|bfile|vcf] [--files 1]

The pre-flight runs in a process of its own, so that peak memory is its alone. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from struct import pack

SEED = 20240229
BUILD = "GRCh38"
PAIRS = ("AC", "AG", "CA", "CT", "GA", "GT", "TC", "TG")
SPACING = 60
"""Bases between two variants of a chromosome, on average: an imputed file has about as many."""


def sites(chrom: str, count: int, rng: random.Random) -> list[tuple[str, int, str, str]]:
    positions = sorted(rng.sample(range(10_000, 10_000 + SPACING * count), count))
    return [(chrom, pos, *rng.choice(PAIRS)) for pos in positions]


def write_rows(folder: Path, rows: list[tuple[str, int, str, str]], form: str, samples: int) -> dict[str, str | bool]:
    import zstandard

    chrom = rows[0][0]
    names = [f"SAMPLE{number}" for number in range(samples)]
    text = [f"{c}\t{p}\trs{p}\t{r}\t{a}" for c, p, r, a in rows]
    stem = folder / f"chr{chrom}"
    if form == "vcf":
        cells = "\t".join(["0/1"] * samples)
        head = "##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t" + "\t".join(names)
        path = stem.with_suffix(".vcf.gz")
        with gzip.open(path, "wt", compresslevel=1) as out:
            out.writelines(f"{line}\n" for line in (head, *(f"{row}\t.\tPASS\t.\tGT\t{cells}" for row in text)))
        suffixes = (".vcf.gz",) * 3
    elif form == "bfile":
        suffixes = (".bed", ".bim", ".fam")
        stem.with_suffix(".bed").write_bytes(b"\x6c\x1b\x01")
        stem.with_suffix(".bim").write_text("".join(f"{c}\trs{p}\t0\t{p}\t{a}\t{r}\n" for c, p, r, a in rows))
        stem.with_suffix(".fam").write_text("".join(f"0 {name} 0 0 1 -9\n" for name in names))
    else:
        suffixes = (".pgen", ".pvar.zst", ".psam")
        stem.with_suffix(".pgen").write_bytes(b"\x6c\x1b\x10" + pack("<IIB", len(rows), samples, 0))
        lines = "\n".join(["#CHROM\tPOS\tID\tREF\tALT", *text]) + "\n"
        stem.with_suffix(".pvar.zst").write_bytes(zstandard.compress(lines.encode()))
        stem.with_suffix(".psam").write_text("#IID\tSEX\n" + "".join(f"{name}\t1\n" for name in names))
    geno, variants, pheno = (stem.name + suffix for suffix in suffixes)
    return {"sampleset": "cohort", "chrom": chrom, "format": form, "geno": geno, "variants": variants, "pheno": pheno}


def write_score(folder: Path, rows: list[tuple[str, int, str, str]]) -> None:
    head = f"#format_version=2.0\n#pgs_id=PGS000001\n#trait_reported=made up\n#genome_build={BUILD}\n"
    with gzip.open(folder / "PGS000001.txt.gz", "wt", compresslevel=1) as out:
        out.write(head + "chr_name\tchr_position\teffect_allele\tother_allele\teffect_weight\n")
        out.writelines(f"{c}\t{p}\t{a}\t{r}\t0.01\n" for c, p, r, a in rows)


def prepare(folder: Path, options: argparse.Namespace) -> None:
    rng = random.Random(SEED)
    each = options.variants // options.files
    made = [sites(str(1 + number), each, rng) for number in range(options.files)]
    rows = [write_rows(folder, part, options.form, options.samples) for part in made]
    write_score(folder, [row for part in made for row in part])
    params = {"pgs_id": "PGS000001", "target_build": BUILD}
    (folder / "pipeline.json").write_text(json.dumps({"id": "B", "target_genomes": rows, "nxf_params_file": params}))


def peak_mib() -> int:
    """Of this program; the peak that getrusage tells begins with that of whoever started it (proc(5), VmHWM)."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) // 1024


def measure(folder: Path) -> None:
    """What the child prints."""
    import threading

    from genoferry.contracts.pipeline import PipelineParam
    from genoferry.pgsc.preflight import Files, check, mirror
    from genoferry.settings import PreflightSettings

    pipeline = PipelineParam.model_validate_json((folder / "pipeline.json").read_text())
    openers = {name: (lambda name=name: (folder / name).open("rb")) for name in pipeline.file_names}
    before = peak_mib()
    begun = time.perf_counter()
    scores = mirror(folder, BUILD)
    verdict = check(pipeline, Files(openers, {}), PreflightSettings(), lookup=scores, stop=threading.Event())
    seconds = round(time.perf_counter() - begun, 2)
    heavy = sorted({"numpy", "polars", "pgenlib", "pandas"} & set(sys.modules))
    assert not heavy, heavy
    assert verdict.failure is None, verdict.failure
    assert verdict.scores[0].rate == 1.0, verdict.scores
    found = {"seconds": seconds, "peakRssMiB": peak_mib(), "beforeMiB": before}
    print(json.dumps(found | {"covered": verdict.scores[0].covered}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variants", type=int, default=1_000_000)
    parser.add_argument("--samples", type=int, default=500)
    parser.add_argument("--form", choices=("pfile", "bfile", "vcf"), default="pfile")
    parser.add_argument("--files", type=int, default=1)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure)
        return
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder), options)
        subprocess.run([sys.executable, __file__, "--measure", folder], check=True)


if __name__ == "__main__":
    main()
