"""Writes a genotype matrix as pgen, bfile or VCF."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import zstandard

COMPLEMENT = str.maketrans("ACGT", "TGCA")

Matrix = npt.NDArray[np.int8]

SUFFIXES = {
    "pfile": (".pgen", ".pvar.zst", ".psam"),
    "bfile": (".bed", ".bim", ".fam"),
    "vcf": (".vcf.gz", ".vcf.gz", ".vcf.gz"),
}
"""Of geno, variants and pheno. A VCF is all three."""


@dataclass(frozen=True)
class Site:
    chrom: str
    pos: int
    ref: str
    alt: str
    rsid: str


@dataclass(frozen=True)
class Genomes:
    """`alt_copies`: int8, shape (sites, samples), 0, 1, 2 or -1 where missing. `sexes`: 1 male, 2 female."""

    sites: tuple[Site, ...]
    samples: tuple[str, ...]
    sexes: tuple[int, ...]
    alt_copies: Matrix


def write_genomes(genomes: Genomes, stem: Path, form: str) -> tuple[Path, Path, Path]:
    """Writes `stem` + suffixes and returns the paths of geno, variants and pheno. The same genomes, the same bytes."""
    writers = {"pfile": (_pgen, _pvar, _psam), "bfile": (_bed, _bim, _fam), "vcf": (_vcf,)}
    paths = tuple(stem.with_name(stem.name + suffix) for suffix in SUFFIXES[form])
    for path, write in zip(paths, writers[form], strict=False):
        write(genomes, path)
    return paths[0], paths[1], paths[2]


def gzip_bytes(text: str) -> bytes:
    """Gzip without a time, so that the bytes depend on `text` alone."""
    return gzip.compress(text.encode(), compresslevel=4, mtime=0)


def _pgen(genomes: Genomes, path: Path) -> None:
    import pgenlib

    count = len(genomes.sites)
    with pgenlib.PgenWriter(bytes(path), len(genomes.samples), variant_ct=count, nonref_flags=False) as pgen:
        pgen.append_biallelic_batch(np.where(genomes.alt_copies < 0, -9, genomes.alt_copies).astype(np.int8))


def _pvar(genomes: Genomes, path: Path) -> None:
    lines = [f"{s.chrom}\t{s.pos}\t{s.rsid}\t{s.ref}\t{s.alt}\n" for s in genomes.sites]
    text = "##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\n" + "".join(lines)
    path.write_bytes(zstandard.compress(text.encode()))


def _psam(genomes: Genomes, path: Path) -> None:
    pairs = zip(genomes.samples, genomes.sexes, strict=True)
    path.write_text("#IID\tSEX\n" + "".join(f"{iid}\t{sex}\n" for iid, sex in pairs))


def _bed(genomes: Genomes, path: Path) -> None:
    """plink 1 .bed: two bits a genotype, first sample lowest: 00 two of ALT, 01 missing, 10 one, 11 none."""
    codes = np.array([0b11, 0b10, 0b00, 0b01], np.uint8)[genomes.alt_copies]
    padded = np.pad(codes, ((0, 0), (0, -codes.shape[1] % 4)))
    packed = (padded.reshape(len(codes), -1, 4) << np.array([0, 2, 4, 6], np.uint8)).sum(axis=2, dtype=np.uint8)
    path.write_bytes(b"\x6c\x1b\x01" + packed.tobytes())


def _bim(genomes: Genomes, path: Path) -> None:
    path.write_text("".join(f"{s.chrom}\t{s.rsid}\t0\t{s.pos}\t{s.alt}\t{s.ref}\n" for s in genomes.sites))


def _fam(genomes: Genomes, path: Path) -> None:
    pairs = zip(genomes.samples, genomes.sexes, strict=True)
    path.write_text("".join(f"0\t{iid}\t0\t0\t{sex}\t-9\n" for iid, sex in pairs))


def _vcf(genomes: Genomes, path: Path) -> None:
    calls = ("0/0", "0/1", "1/1", "./.")
    contigs = "".join(f"##contig=<ID={chrom}>\n" for chrom in dict.fromkeys(site.chrom for site in genomes.sites))
    head = f'##fileformat=VCFv4.3\n{contigs}##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *genomes.samples]
    lines = [
        f"{s.chrom}\t{s.pos}\t{s.rsid}\t{s.ref}\t{s.alt}\t.\tPASS\t.\tGT\t" + "\t".join(calls[c] for c in row)
        for s, row in zip(genomes.sites, genomes.alt_copies.tolist(), strict=True)
    ]
    path.write_bytes(gzip_bytes(head + "\n".join(["\t".join(columns), *lines]) + "\n"))
