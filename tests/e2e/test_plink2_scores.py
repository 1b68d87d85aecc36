"""The engine with plink2: within 1e-5 of the independent routine, and of the scorer that needs no plink2."""

from __future__ import annotations

import csv
import gzip
import subprocess
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from genoferry.contracts.pipeline import TargetGenome
from genoferry.pgsc.engine import run
from genoferry.pgsc.filesets import Fileset, prepare
from genoferry.pgsc.inputs import Inputs
from genoferry.pgsc.outputs import read_aggregated
from genoferry.pgsc.plink2 import score_with_plink2
from genoferry.pgsc.process import Bench, Stop
from genoferry.pgsc.score import score
from genoferry.pgsc.sscore import write_sscore
from genoferry.pgsc.textio import open_text
from genoferry.pgsc.weights import Weights
from genoferry.testing.cohort import generate
from genoferry.testing.genomes import Genomes, Site, write_genomes


@pytest.mark.parametrize("form", ["pfile", "bfile", "vcf"])
@pytest.mark.parametrize(("split", "build"), [(True, "GRCh38"), (False, "GRCh37")])
def test_scores_equal_the_independent_routine_and_pgenlib(
    tmp_path: Path, plink2: Path, form: str, split: bool, build: str
) -> None:
    cohort = generate(tmp_path / "cohort", formats=(form,), split=split, build=build)
    rows = [TargetGenome(**row) for row in cohort.genomes[form]]
    base = Inputs("INTP000000000001", rows, cohort.files, list(cohort.scorefiles.values()), build, threads=2)
    sums = {}
    for name, inputs in (("plink2", replace(base, plink2=plink2)), ("pgenlib", base)):
        out = tmp_path / name
        run(inputs, work=tmp_path / f"{name}-work", out=out, progress=lambda *_: None, stop=threading.Event())
        sums[name] = read_aggregated(out / "aggregated_scores.txt.gz")
    expected = {pgs_id: e.sums for pgs_id, e in cohort.expected.items() if e.sums}
    assert sums["plink2"].keys() == sums["pgenlib"].keys() == expected.keys()
    for pgs_id, truth in expected.items():
        assert sums["plink2"][pgs_id] == pytest.approx(truth, abs=1e-5, rel=0)
        assert sums["plink2"][pgs_id] == pytest.approx(sums["pgenlib"][pgs_id], abs=1e-5, rel=0)


def both(folder: Path, plink2: Path, fileset: Fileset, model: str) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """The .sscore rows of plink2 and of the scorer, for a scorefile of every variant of `fileset`."""
    rng = np.random.default_rng(5)
    tables = []
    with open_text(fileset.variants.path) as lines:
        ids = [line.split("\t")[2] for line in lines if not line.startswith("#")]
    rows = [f"{name}\t{name.split(':')[rng.integers(2, 4)]}\t{rng.normal():.4f}\t{rng.normal():.4f}" for name in ids]
    for engine in ("plink2", "pgenlib"):
        (folder / engine).mkdir()
        path = folder / engine / f"x_ALL_{model}_0.scorefile.gz"
        path.write_bytes(gzip.compress("\n".join(["ID\teffect_allele\tone\ttwo", *rows, ""]).encode()))
        weights, bench = Weights(path), Bench(folder / engine, Stop(threading.Event()), 2)
        if engine == "plink2":
            out = score_with_plink2(bench, plink2, fileset, weights, folder=path.parent, memory_mib=1024)
        else:
            out = write_sscore(path.parent, weights, fileset.samples, score(fileset, weights, bench.stop))
        with open_text(out) as lines:
            tables.append(list(csv.DictReader(lines, delimiter="\t")))
        assert sorted((path.parent / f"{weights.stem}.sscore.vars").read_text().split()) == sorted(ids)
    return tables[0], tables[1]


def assert_same(ours: list[dict[str, str]], theirs: list[dict[str, str]]) -> None:
    assert list(ours[0]) == list(theirs[0])
    for mine, other in zip(ours, theirs, strict=True):
        assert (mine["#FID"], mine["IID"]) == (other["#FID"], other["IID"])
        numbers = [key for key in mine if key not in ("#FID", "IID")]
        assert [float(mine[k]) for k in numbers] == pytest.approx(
            [float(other[k]) for k in numbers], rel=1e-5, abs=1e-5
        )


def fileset_of(folder: Path, form: str, *, samples: int, chrom: str = "1", vcf: str | None = None) -> Fileset:
    rng = np.random.default_rng(samples)
    copies = rng.integers(-1, 3, (12, samples)).astype(np.int8)
    copies[5] = -1  # a variant that nobody has a genotype of
    sexes = tuple(int(sex) for sex in rng.integers(1, 3, samples))
    if chrom == "X":
        copies = np.where((np.array(sexes) == 1) & (copies == 1), 2, copies).astype(np.int8)
    sites = tuple(Site(chrom, 100 + i, "A", "C", f"rs{i}") for i in range(len(copies)))
    genomes = Genomes(sites, tuple(f"S{i}" for i in range(samples)), sexes, copies)
    geno, variants, pheno = write_genomes(genomes, folder / "g", form)
    if vcf:
        geno.write_text(vcf)
    if form == "pfile":  # some samples have their parents here: they are no founders
        people = [f"F{i % 3}\tS{i}\t{'S1' if i % 9 == 0 else '0'}\t0\t{sex}\n" for i, sex in enumerate(sexes)]
        pheno.write_text("#FID\tIID\tPAT\tMAT\tSEX\n" + "".join(people))
    row = TargetGenome(
        sampleset="x",
        format=form,  # type: ignore[arg-type]
        geno=geno.name,
        variants=variants.name,
        pheno=pheno.name,
        vcf_import_dosage=vcf is not None,
    )
    inputs = Inputs("R", [row], {p.name: p for p in (geno, variants, pheno)}, [], "GRCh38")
    return prepare(Bench(folder, Stop(threading.Event()), 2), inputs, row)


@pytest.mark.parametrize("model", ["additive", "dominant", "recessive"])
@pytest.mark.parametrize("samples", [30, 90])
@pytest.mark.parametrize("form", ["pfile", "vcf"])
def test_every_column_of_the_sscore_is_plink2s(
    tmp_path: Path, plink2: Path, form: str, samples: int, model: str
) -> None:
    assert_same(*both(tmp_path, plink2, fileset_of(tmp_path, form, samples=samples), model))


def test_chromosome_x(tmp_path: Path, plink2: Path) -> None:
    assert_same(*both(tmp_path, plink2, fileset_of(tmp_path, "pfile", samples=90, chrom="X"), "additive"))


def dosage_vcf(samples: int) -> str:
    rng = np.random.default_rng(3)
    names = "\t".join(f"S{i}" for i in range(samples))
    head = (
        '##fileformat=VCFv4.3\n##contig=<ID=1>\n##FORMAT=<ID=GT,Number=1,Type=String,Description="G">\n'
        '##FORMAT=<ID=DS,Number=1,Type=Float,Description="D">\n'
        f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{names}\n"
    )
    lines = []
    for pos in range(100, 140):
        cells = [str(rng.choice(["0/0", "0/1", "1/1", "./.", "1|0"])) for _ in range(samples)]
        dosages = [("." if rng.random() < 0.1 else f"{rng.uniform(0, 2):.3f}") for _ in cells]
        pairs = "\t".join(f"{call}:{dosage}" for call, dosage in zip(cells, dosages, strict=True))
        lines.append(f"1\t{pos}\t.\tA\tC\t.\tPASS\t.\tGT:DS\t{pairs}\n")
    return head + "".join(lines)


def test_dosages_of_a_vcf_are_imported_as_plink2_does(tmp_path: Path, plink2: Path) -> None:
    """One VCF, imported by each; both scored by plink2, so that only the import differs."""
    vcf = tmp_path / "d.vcf"
    vcf.write_text(dosage_vcf(80))
    row = TargetGenome(
        sampleset="x", format="vcf", geno=vcf.name, variants=vcf.name, pheno=vcf.name, vcf_import_dosage=True
    )
    exported = []
    for engine in (plink2, None):
        folder = tmp_path / str(engine is None)
        folder.mkdir()
        inputs = Inputs("R", [row], {vcf.name: vcf}, [], "GRCh38", plink2=engine, memory_mib=1024)
        made = prepare(Bench(folder, Stop(threading.Event()), 2), inputs, row)
        files = ["--pgen", made.geno, "--pvar", made.variants.path, "--psam", made.sample_file]
        command = [plink2, *files, "--export", "A", "--out", folder / "out"]
        subprocess.run(command, check=True, capture_output=True)
        exported.append([line.split()[6:] for line in (folder / "out.raw").read_text().splitlines()])
    assert exported[0] == exported[1]
