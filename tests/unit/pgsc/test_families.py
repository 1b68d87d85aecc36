"""Samples that pgscatalog-aggregate would publish under one id are refused; those that it tells apart are taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from genoferry.errors import DuplicateSamples
from genoferry.pgsc.families import check_families
from genoferry.pgsc.samples import Samples, read_samples


def samples_of(folder: Path, *pairs: tuple[str, str]) -> Samples:
    path = folder / "x.fam"
    path.write_text("".join(f"{fid}\t{iid}\t0\t0\t1\t-9\n" for fid, iid in pairs), encoding="utf-8")
    return read_samples(path)


@pytest.mark.parametrize(
    "fids",
    [
        ("1", "01"),
        ("1", "1.0"),
        ("100", "1e2"),
        ("NA", "null"),
        ("nan", "N/A"),
        ("0", "-0"),
        ("NA", "1.#IND"),
        ("true", "TRUE"),
    ],
)
def test_families_that_are_told_as_one(tmp_path: Path, fids: tuple[str, str]) -> None:
    with pytest.raises(DuplicateSamples):
        check_families(samples_of(tmp_path, (fids[0], "A"), (fids[1], "A")))


@pytest.mark.parametrize("fids", [("1", "2"), ("F1", "F01"), ("NA", "F"), ("a", "A")])
def test_families_that_are_told_apart(tmp_path: Path, fids: tuple[str, str]) -> None:
    check_families(samples_of(tmp_path, (fids[0], "A"), (fids[1], "A")))


def test_samples_of_one_number_with_other_ids(tmp_path: Path) -> None:
    check_families(samples_of(tmp_path, ("1", "A"), ("01", "B")))


def test_a_space_of_unicodes_cuts_no_id(tmp_path: Path) -> None:
    assert samples_of(tmp_path, ("0", "A\u00a0x"), ("0", "A\u00a0y")).iid == ("A\u00a0x", "A\u00a0y")
