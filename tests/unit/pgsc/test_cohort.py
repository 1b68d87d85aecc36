from __future__ import annotations

import hashlib
from pathlib import Path

from genoferry.contracts.pipeline import TargetGenome
from genoferry.testing.cohort import generate


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_seed_gives_the_same_bytes_and_another_gives_others(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        generate(tmp_path / name, seed=seed, samples=20, variants=300)
    assert digests(tmp_path / "a") == digests(tmp_path / "b")
    assert digests(tmp_path / "a") != digests(tmp_path / "c")


def test_rows_fit_the_contract_and_name_every_file(tmp_path: Path) -> None:
    cohort = generate(tmp_path, samples=20, variants=300, split=False)
    for rows in cohort.genomes.values():
        for row in rows:
            assert all(cohort.files[name].is_file() for name in TargetGenome(**row).files)
    assert set(cohort.files_of("bfile")) == {"hg38.bed", "hg38.bim", "hg38.fam"}


def test_scores_differ_between_samples_and_one_must_fail(tmp_path: Path) -> None:
    cohort = generate(tmp_path, samples=60, variants=600, formats=("pfile",))
    calculated = [expected.sums for expected in cohort.expected.values() if expected.sums]
    assert len(calculated) == len(cohort.expected) - 1
    assert all(len({round(value, 5) for value in sums.values()}) > 50 for sums in calculated)
    assert [expected.rate < 0.75 for expected in cohort.expected.values()].count(True) == 1
