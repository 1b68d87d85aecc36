"""The scorer against a few lines of numpy, on made-up matrices."""

from __future__ import annotations

import gzip
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genoferry.errors import CalculationStopped, DuplicateMatches, GenotypesInvalid, NeedsPlink2
from genoferry.pgsc import score as scoring
from genoferry.pgsc.filesets import Fileset
from genoferry.pgsc.process import Stop
from genoferry.pgsc.samples import read_samples
from genoferry.pgsc.variants import relabel
from genoferry.pgsc.weights import Weights
from genoferry.testing.expected import Term, expected_sums
from genoferry.testing.genomes import Genomes, Site, write_genomes


def fileset_of(folder: Path, copies: np.ndarray, form: str = "pfile", chrom: str = "1") -> Fileset:
    sites = tuple(Site(chrom, 100 + i, "A", "C", f"rs{i}") for i in range(len(copies)))
    names = tuple(f"S{i}" for i in range(copies.shape[1]))
    sexes = tuple(1 + i % 2 for i in range(copies.shape[1]))
    geno, variants, samples = write_genomes(Genomes(sites, names, sexes, copies), folder / "g", form)
    layout = "pvar" if form == "pfile" else "bim"
    relabelled = relabel(variants, layout, folder / f"r.{layout}.zst", chrom=None, keep_multiallelic=False)
    return Fileset("ALL", geno, samples, relabelled, read_samples(samples))


def weights_of(folder: Path, terms: list[Term], model: str, chrom: str = "1") -> Weights:
    path = folder / f"x_ALL_{model}_0.scorefile.gz"
    lines = [f"{chrom}:{100 + t.row}:A:C\t{'C' if t.of_alt else 'A'}\t{t.weight!r}\t{-t.weight!r}" for t in terms]
    path.write_bytes(gzip.compress("\n".join(["ID\teffect_allele\tone\ttwo", *lines, ""]).encode()))
    return Weights(path)


def never() -> Stop:
    return Stop(threading.Event())


matrices = st.tuples(st.integers(1, 12), st.sampled_from([3, 49, 50, 61])).flatmap(
    lambda shape: st.lists(
        st.lists(st.sampled_from([-1, 0, 0, 1, 1, 2]), min_size=shape[1], max_size=shape[1]),
        min_size=shape[0],
        max_size=shape[0],
    )
)


@given(matrices, st.sampled_from(["additive", "dominant", "recessive"]), st.sampled_from(["pfile", "bfile"]), st.data())
@settings(max_examples=60, deadline=None)
def test_sums_are_those_of_the_matrix(rows: list[list[int]], model: str, form: str, data: st.DataObject) -> None:
    for row in rows:
        row[-1] = max(row[-1], 0)  # a frequency needs one genotype at least
    copies = np.array(rows, np.int8)
    weights = st.floats(-2, 2, allow_nan=False)
    terms = [Term(i, data.draw(st.booleans()), data.draw(weights), model) for i in range(len(rows))]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        total = scoring.score(fileset_of(folder, copies, form), weights_of(folder, terms, model), never())
    expected = expected_sums(copies, terms)
    np.testing.assert_allclose(total.sums[:, 0], expected, atol=1e-9)
    np.testing.assert_allclose(total.sums[:, 1], -expected, atol=1e-9)
    seen = (copies >= 0).sum(axis=0)
    assert total.allele_count.tolist() == (2 * seen).tolist()
    assert total.denominator.tolist() == (2 * seen if copies.shape[1] < 50 else 2 * len(rows) + 0 * seen).tolist()


def test_blocks_smaller_than_the_scorefile_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copies = np.random.default_rng(1).integers(-1, 3, (40, 60)).astype(np.int8)
    terms = [Term(i, True, 0.1 * i) for i in range(40)]
    fileset, weights = fileset_of(tmp_path, copies), weights_of(tmp_path, terms, "additive")
    monkeypatch.setattr(scoring, "BLOCK_BYTES", 8 * 60 * 7)
    np.testing.assert_allclose(
        scoring.score(fileset, weights, never()).sums[:, 0], expected_sums(copies, terms), atol=1e-9
    )


def test_only_founders_make_the_frequency(tmp_path: Path) -> None:
    copies = np.array([[-1] + [2] * 10 + [0] * 30 + [1] * 30], np.int8)
    fileset = fileset_of(tmp_path, copies)
    lines = [f"S{i}\t{'S70' if 1 <= i <= 10 else '0'}\t0\n" for i in range(71)]
    fileset.sample_file.write_text("#IID\tPAT\tMAT\n" + "".join(lines))
    fileset = Fileset("ALL", fileset.geno, fileset.sample_file, fileset.variants, read_samples(fileset.sample_file))
    total = scoring.score(fileset, weights_of(tmp_path, [Term(0, True, 1.0)], "additive"), never())
    assert total.sums[0, 0] == pytest.approx(30 / 60)


def test_a_variant_without_any_genotype_has_the_frequency_one_half(tmp_path: Path) -> None:
    fileset = fileset_of(tmp_path, np.full((1, 50), -1, np.int8))
    total = scoring.score(fileset, weights_of(tmp_path, [Term(0, True, 3.0)], "additive"), never())
    assert total.sums[:, 0].tolist() == [3.0] * 50


def test_men_weigh_half_in_a_frequency_on_x(tmp_path: Path) -> None:
    copies = np.array([[-1, -1] + [2, 0] * 30], np.int8)  # S0, S2, … are men, all with two copies in the file
    fileset = fileset_of(tmp_path, copies, chrom="X")
    total = scoring.score(fileset, weights_of(tmp_path, [Term(0, True, 1.0)], "additive", "X"), never())
    assert total.sums[0, 0] == pytest.approx(2 * 30 / (30 + 60))


@pytest.mark.parametrize(("chrom", "model"), [("Y", "additive"), ("X", "dominant")])
def test_what_only_plink2_can_count_is_refused(tmp_path: Path, chrom: str, model: str) -> None:
    fileset = fileset_of(tmp_path, np.array([[0, 1, 2]], np.int8), chrom=chrom)
    with pytest.raises(NeedsPlink2):
        scoring.score(fileset, weights_of(tmp_path, [Term(0, True, 1.0)], model, chrom), never())


@pytest.mark.parametrize("form", ["pfile", "bfile"])
def test_a_truncated_genotype_file_is_named(tmp_path: Path, form: str) -> None:
    fileset = fileset_of(tmp_path, np.random.default_rng(0).integers(0, 3, (50, 60)).astype(np.int8), form)
    fileset.geno.write_bytes(fileset.geno.read_bytes()[:-200])
    with pytest.raises(GenotypesInvalid):
        scoring.score(fileset, weights_of(tmp_path, [Term(49, True, 1.0)], "additive"), never())


def test_another_cohorts_sample_file_is_refused(tmp_path: Path) -> None:
    fileset = fileset_of(tmp_path, np.array([[0, 1, 2]], np.int8))
    fileset.sample_file.write_text("#IID\nA\nB\n")
    other = Fileset("ALL", fileset.geno, fileset.sample_file, fileset.variants, read_samples(fileset.sample_file))
    with pytest.raises(GenotypesInvalid):
        scoring.score(other, weights_of(tmp_path, [Term(0, True, 1.0)], "additive"), never())


def test_a_variant_held_twice_is_refused(tmp_path: Path) -> None:
    fileset = fileset_of(tmp_path, np.array([[0, 1, 2], [0, 1, 2]], np.int8))
    twice = tmp_path / "twice.pvar"
    twice.write_text("#CHROM\tPOS\tID\tREF\tALT\n" + "1\t100\tx\tA\tC\n" * 2)
    relabelled = relabel(twice, "pvar", tmp_path / "twice.pvar.zst", chrom=None, keep_multiallelic=False)
    doubled = Fileset("ALL", fileset.geno, fileset.sample_file, relabelled, fileset.samples)
    with pytest.raises(DuplicateMatches):
        scoring.score(doubled, weights_of(tmp_path, [Term(0, True, 1.0)], "additive"), never())


def test_it_stops_when_told(tmp_path: Path) -> None:
    told = threading.Event()
    told.set()
    fileset = fileset_of(tmp_path, np.array([[0, 1, 2]], np.int8))
    with pytest.raises(CalculationStopped):
        scoring.score(fileset, weights_of(tmp_path, [Term(0, True, 1.0)], "additive"), Stop(told))


def test_alleles_of_a_multiallelic_variant_are_told_apart(tmp_path: Path) -> None:
    import pgenlib

    with pgenlib.PgenWriter(bytes(tmp_path / "m.pgen"), 3, variant_ct=2, nonref_flags=False, allele_ct_limit=3) as pgen:
        pgen.append_alleles(np.array([0, 2, 2, 2, 1, 2], np.int32), allele_ct=3)
        pgen.append_alleles(np.array([0, 0, 0, 1, 1, 1], np.int32), allele_ct=2)
    (tmp_path / "m.pvar").write_text("#CHROM\tPOS\tID\tREF\tALT\n1\t100\t.\tA\tC,G\n1\t101\t.\tA\tC\n")
    (tmp_path / "m.psam").write_text("#IID\nA\nB\nC\n")
    relabelled = relabel(tmp_path / "m.pvar", "pvar", tmp_path / "r.pvar.zst", chrom=None, keep_multiallelic=True)
    samples = read_samples(tmp_path / "m.psam")
    fileset = Fileset("ALL", tmp_path / "m.pgen", tmp_path / "m.psam", relabelled, samples)
    path = tmp_path / "x_ALL_additive_0.scorefile.gz"
    path.write_bytes(gzip.compress(b"ID\teffect_allele\ts\n1:100:A:C,G\tG\t1\n1:101:A:C\tC\t10\n"))
    assert scoring.score(fileset, Weights(path), never()).sums[:, 0].tolist() == [1.0, 12.0, 21.0]
