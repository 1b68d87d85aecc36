"""Filesets are looked at before any tool runs, and a VCF is recoded with the right chromosomes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from genoferry.contracts.pipeline import TargetGenome
from genoferry.errors import GenotypesInvalid
from genoferry.pgsc import recode
from genoferry.pgsc.filesets import prepare
from genoferry.pgsc.inputs import Inputs
from genoferry.pgsc.process import Bench, Stop
from genoferry.testing.genomes import Genomes, Site, write_genomes


def prepare_damaged(folder: Path, form: str, damage: Callable[[bytes], bytes]) -> None:
    copies = np.random.default_rng(0).integers(0, 3, (50, 60)).astype(np.int8)
    sites = tuple(Site("1", 100 + i, "A", "C", f"rs{i}") for i in range(50))
    genomes = Genomes(sites, tuple(f"S{i}" for i in range(60)), (1,) * 60, copies)
    paths = write_genomes(genomes, folder / "g", form)
    paths[0].write_bytes(damage(paths[0].read_bytes()))
    geno, variants, pheno = (path.name for path in paths)
    row = TargetGenome(sampleset="x", format=form, geno=geno, variants=variants, pheno=pheno)  # type: ignore[arg-type]
    inputs = Inputs("R", [row], {path.name: path for path in paths}, [], "GRCh38")
    prepare(Bench(folder, Stop(threading.Event()), 1), inputs, row)


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda whole: b"",
    "head alone": lambda whole: whole[:12],
    "half": lambda whole: whole[: len(whole) // 2],
    "but the last byte": lambda whole: whole[:-1],
    "another magic": lambda whole: b"PK" + whole[2:],
    "sample-major": lambda whole: whole[:2] + b"\0" + whole[3:],
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("form", ["pfile", "bfile"])
def test_a_damaged_genotype_file_fails_at_once(tmp_path: Path, form: str, damage: str) -> None:
    with pytest.raises(GenotypesInvalid):
        prepare_damaged(tmp_path, form, DAMAGE[damage])


@pytest.mark.parametrize("form", ["pfile", "bfile"])
def test_a_whole_genotype_file_is_taken(tmp_path: Path, form: str) -> None:
    prepare_damaged(tmp_path, form, lambda whole: whole)


def test_plink2_keeps_x_of_a_vcf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(recode, "run_tool", lambda bench, process, argv, label: commands.append([*map(str, argv)]))
    monkeypatch.setattr(recode, "check_format", lambda *_, **__: None)
    options = {"chrom": None, "dosage": False, "multiallelic": False, "memory": 1024}
    bench = Bench(tmp_path, Stop(threading.Event()), 1)
    recode.with_plink2(bench, Path("plink2"), tmp_path / "x.vcf", tmp_path / "x", **options)  # type: ignore[arg-type]
    (command,) = commands
    assert command[command.index("--chr") + 1 :][:5] == ["1-22,", "X,", "Y,", "XY", "--make-pgen"]
