"""What can be wrong with the genomes. Each check looks at the facts alone, and says at least one thing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from genoferry.errors import (
    CalculationError,
    ChromosomesMismatch,
    GenomesMissing,
    GenotypesInvalid,
    ToolsMissing,
)
from genoferry.pgsc.preflight.decompress import Compression
from genoferry.pgsc.preflight.facts import Facts, Row
from genoferry.pgsc.preflight.findings import CANT_LOOK, doubtful, failed, of, ok
from genoferry.pgsc.preflight.samples import Samples
from genoferry.pgsc.preflight.variant_summary import OTHER, Variants
from genoferry.pgsc.preflight.verdict import Finding

MANY_MULTIALLELIC = 0.05
"""Share of multi-allelic variants that is worth a word."""

SUFFIXES: Mapping[str, Compression] = {".zst": "zstd", ".gz": "gzip", ".bgz": "gzip"}

FAULTS: Mapping[str, tuple[type[CalculationError], str]] = {
    "empty": (GenotypesInvalid, "The variant file {} holds no variants."),
    "header": (GenotypesInvalid, "The variant file {} has no header line that begins with #CHROM."),
    "column": (GenotypesInvalid, "The variant file {} lacks a column: it needs #CHROM, POS, ID, REF and ALT."),
    "line": (GenotypesInvalid, "The variant file {} has a line with too few columns, or whose position is no number."),
    "long": (GenotypesInvalid, "The variant file {} holds more before its variants than any does."),
    "unread": (ToolsMissing, CANT_LOOK),
    "unreadable": (GenotypesInvalid, "The variant file {} can't be decompressed: it is damaged, or was cut."),
}


def files(facts: Facts) -> Iterator[Finding]:
    """Whether they are there, and can be read as variants."""
    found = [finding for row in facts.rows for finding in _file(row)]
    total = sum(target.count for target in facts.targets)
    part = "" if all(target.whole for target in facts.targets) else ", which is a part of them"
    yield from found or [ok("files", f"{total} variants were looked at{part}.")]


def _file(row: Row) -> Iterator[Finding]:
    if row.variants is None or (row.samples is None and row.variants.fault is None):
        yield failed("files", GenomesMissing)
    elif row.variants.fault == "over":
        yield failed("files", GenotypesInvalid, f"The variant file {of(row.row)} {row.variants.over}")
    elif row.variants.fault is not None:
        kind, message = FAULTS[row.variants.fault]
        yield failed("files", kind, message.format(of(row.row)))


def compression(facts: Facts) -> Iterator[Finding]:
    """plink2 tells by a file's bytes, so that a wrong name is no failure."""
    wrong = [
        doubtful(
            "compression", "compression", f"A {what} file {of(row.row)} is named as compressed otherwise than it is."
        )
        for row in facts.rows
        for what, name, seen in _seen(row)
        if seen is not None and _named(name) != seen.compression
    ]
    yield from wrong or [ok("compression", "As the files' names say.")]


def _seen(row: Row) -> Iterator[tuple[str, str, Variants | Samples | None]]:
    """A VCF is its own sample file."""
    yield "variant", row.row.variants, row.variants
    if row.row.format != "vcf":
        yield "sample", row.row.pheno, row.samples


def _named(name: str) -> Compression:
    return SUFFIXES.get(PurePosixPath(name).suffix, "plain")


def genotypes(facts: Facts) -> Iterator[Finding]:
    """Whether the genotype files are what they should be, and fit the other two."""
    wrong = [failed("genotypes", GenotypesInvalid, message) for row in facts.rows if (message := _genotypes(row))]
    missing = [row for row in facts.rows if row.geno is None and row.row.format != "vcf"]
    if missing:
        yield failed("genotypes", GenomesMissing)
    yield from wrong or ([] if missing else [ok("genotypes", "As their first bytes say, they fit the other files.")])


def _genotypes(row: Row) -> str | None:
    if row.row.format == "vcf":
        return _vcf_genotypes(row)
    geno, name = row.geno, {"pfile": "pgen", "bfile": "bed"}[row.row.format]
    if geno is None:
        return None
    if geno.fault:
        return f"The genotype file {of(row.row)} is no {name} file, or is compressed: its first bytes are others."
    if row.variants and row.variants.whole and geno.variants not in (None, row.variants.count):
        return f"The genotype file {of(row.row)} has another number of variants than its variant file."
    if row.samples and row.samples.whole and row.samples.count and geno.samples not in (None, row.samples.count):
        return f"The genotype file {of(row.row)} has another number of samples than its sample file."
    return None


def _vcf_genotypes(row: Row) -> str | None:
    """plink2 counts every genotype as missing where there is nothing that it reads, and all have the same score."""
    seen = row.variants
    if seen is None or seen.fault or not (seen.whole and seen.samples and seen.samples.count):
        return None
    read = seen.keys if row.row.vcf_import_dosage else seen.keys - {"DS"}
    if read:
        return None
    return f"The VCF {of(row.row)} has no GT (and no DS that vcf_import_dosage asks for): it has no genotypes to read."


def chromosomes(facts: Facts) -> Iterator[Finding]:
    """What the files call them, and whether each row has the one it says."""
    found = [
        finding for row in facts.rows if row.variants and row.variants.count for finding in _chroms(row, row.variants)
    ]
    yield from found or [ok("chromosomes", "Named 1-22, X, Y, XY or MT, and those that the samplesheet says.")]


def _chroms(row: Row, seen: Variants) -> Iterator[Finding]:
    unknown = seen.regions[OTHER].count if OTHER in seen.regions else 0
    right = seen.regions[seen.chrom].count if seen.chrom in seen.regions else 0
    if unknown == seen.count:
        message = f"No chromosome of the files {of(row.row)} has a name that is known. Name them 1-22, X, Y, XY and MT."
        yield failed("chromosomes", ChromosomesMismatch, message)
        return
    if seen.chrom and not right and seen.whole:
        message = f"The files {of(row.row)} hold no variant of it. Give each row the chromosome that its files hold."
        yield failed("chromosomes", ChromosomesMismatch, message)
        return
    if left_out := (seen.count - right if seen.chrom else unknown):
        message = f"Of {seen.count} variants {of(row.row)}, {left_out} are on other chromosomes, and are left out."
        yield doubtful("chromosomes", ChromosomesMismatch.code, message)
    if seen.prefixed:
        message = f"The chromosomes of the files {of(row.row)} have a prefix (chr), which plink2 takes off."
        yield doubtful("chromosomes", "chromosome-prefix", message)


def alleles(facts: Facts) -> Iterator[Finding]:
    total = sum(target.count for target in facts.targets)
    several = sum(target.multiallelic for target in facts.targets)
    share = several / total if total else 0
    if share >= MANY_MULTIALLELIC and not facts.pipeline.nxf_params_file.keep_multiallelic:
        message = f"{share:.0%} of the variants have several alternate alleles, and are left out. Split them."
        yield doubtful("alleles", "multi-allelic", message)
    else:
        yield ok("alleles", f"{several} of {total} variants have several alternate alleles.")
