"""`pipeline_param`: what pgsc_calc is to calculate (design, section 3; pgsc_calc's samplesheet and parameters)."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from urllib.parse import unquote

from pydantic import (
    AfterValidator,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationInfo,
    field_validator,
    model_validator,
)

from genoferry.contracts.base import Contract
from genoferry.contracts.names import RelativePath, RunId, check_relative_path

Build = Literal["GRCh37", "GRCh38"]
MAX_ROWS = 32
PgsId = Annotated[str, StringConstraints(pattern=r"^PGS[0-9]{6,9}$")]
PgpId = Annotated[str, StringConstraints(pattern=r"^PGP[0-9]{6}$")]
TraitId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]+_[0-9]+$")]
"""What pgsc_calc takes for an accession (its `prepareAccessions`); others it leaves out with a warning only."""


def _check_has_a_path(uri: str) -> str:
    """`scheme://authority/path`, or `file:///path`. Raises `ValueError`."""
    scheme, _, rest = uri.partition("://")
    authority, slash, path = rest.partition("/")
    if not slash or bool(authority) == (scheme == "file"):
        raise ValueError("must look like s3://BUCKET/KEY, https://HOST/PATH or file:///PATH")
    check_relative_path(_unquoted(path) if scheme.startswith("http") else path)
    return uri


def _unquoted(path: str) -> str:
    """The path that a URL's stands for. Raises `ValueError` where it has no such path."""
    try:
        names = [unquote(name, errors="strict") for name in path.split("/")]
    except UnicodeDecodeError:  # its message holds the value
        raise ValueError("must hold UTF-8 where it is percent-encoded") from None
    if any("/" in name for name in names):
        raise ValueError("must not hold an encoded slash")
    return "/".join(names)


ScorefileUri = Annotated[
    str,
    StringConstraints(pattern=r"^(s3|https?|file)://[^\s?#@\\\x00]+$", max_length=1024, strict=True),
    AfterValidator(_check_has_a_path),
]


class TargetGenome(Contract):
    """A row of the samplesheet. `chrom` null: the files hold all chromosomes."""

    sampleset: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{1,64}$", strict=True)]
    chrom: Annotated[str, StringConstraints(pattern=r"^([1-9]|1[0-9]|2[0-2]|X|Y|XY|MT)$", strict=True)] | None = None
    format: Literal["vcf", "bfile", "pfile"]
    vcf_import_dosage: bool = False
    geno: RelativePath
    variants: RelativePath
    pheno: RelativePath

    @field_validator("sampleset")
    @classmethod
    def _not_the_reference(cls, value: str) -> str:
        if value == "reference":
            raise ValueError("'reference' is pgsc_calc's own name for its reference panel")
        return value

    @property
    def files(self) -> tuple[str, str, str]:
        return self.geno, self.variants, self.pheno


class NxfParams(Contract):
    """The parameters of a request that pgsc_calc takes; lists are comma-separated, as pgsc_calc has them."""

    pgs_id: Annotated[str, StringConstraints(max_length=4096)] | None = None
    pgp_id: Annotated[str, StringConstraints(max_length=4096)] | None = None
    trait_efo: Annotated[str, StringConstraints(max_length=4096)] | None = None
    efo_id: Annotated[str, StringConstraints(max_length=4096)] | None = None
    target_build: Build
    format: Literal["json", "csv"] = "json"
    min_overlap: Annotated[float, Field(ge=0, le=1)] = 0.75
    keep_ambiguous: bool = False
    keep_multiallelic: bool = False
    liftover: bool = False
    run_ancestry: bool = False
    load_afreq: bool = True
    fast_match: bool = False
    """Taken by pgsc_calc before 2.0.0 only; later ones pass over it."""

    @field_validator("pgs_id", "pgp_id", "trait_efo", "efo_id")
    @classmethod
    def _accessions(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None:
            ACCESSIONS[info.field_name or ""].validate_python(_split(value))
        return value or None

    @property
    def pgs_ids(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(_split(self.pgs_id or "")))

    @property
    def pgp_ids(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(_split(self.pgp_id or "")))

    @property
    def efo_ids(self) -> tuple[str, ...]:
        """Of `efo_id` and of `trait_efo`, its older name."""
        return tuple(dict.fromkeys(_split(self.efo_id or "") + _split(self.trait_efo or "")))

    @property
    def names_scores(self) -> bool:
        return any((self.pgs_ids, self.pgp_ids, self.efo_ids))

    @property
    def needs(self) -> frozenset[str]:
        """What a deployment must offer for it (`Settings.offers`)."""
        needs = {
            "catalogue": bool(self.pgp_ids or self.efo_ids),
            "liftover": self.liftover,
            "ancestry": self.run_ancestry,
        }
        return frozenset(name for name, wanted in needs.items() if wanted)


ACCESSIONS: dict[str, TypeAdapter[list[str]]] = {
    "pgs_id": TypeAdapter(list[PgsId]),
    "pgp_id": TypeAdapter(list[PgpId]),
    "trait_efo": TypeAdapter(list[TraitId]),
    "efo_id": TypeAdapter(list[TraitId]),
}


class PipelineParam(Contract):
    id: RunId
    target_genomes: Annotated[tuple[TargetGenome, ...], Field(min_length=1, max_length=MAX_ROWS)]
    nxf_params_file: NxfParams

    @model_validator(mode="after")
    def _one_sampleset_each_chrom_once(self) -> Self:
        if len({row.sampleset for row in self.target_genomes}) > 1:
            raise ValueError("pgsc_calc takes one sampleset a run; send one request for each")
        chroms = [row.chrom for row in self.target_genomes]
        if len(set(chroms)) < len(chroms) or (None in chroms and len(chroms) > 1):
            raise ValueError("each chrom may stand once, and null only alone")
        return self

    @property
    def file_names(self) -> frozenset[str]:
        """Every file that the samplesheet names, by the name it has once decrypted."""
        return frozenset(name for row in self.target_genomes for name in row.files)


def _split(ids: str) -> list[str]:
    return [part.strip() for part in ids.split(",") if part.strip()]
