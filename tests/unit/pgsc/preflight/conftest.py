"""A request whose files are bytes in memory: a test changes some of them, and asks for the verdict."""

from __future__ import annotations

import gzip
import io
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pytest
import zstandard

from genoferry.contracts.pipeline import PipelineParam
from genoferry.pgsc.preflight import Files, Finding, Verdict, check
from genoferry.settings import PreflightSettings
from genoferry.testing.cohort import Cohort, generate


@dataclass(frozen=True)
class Case:
    rows: tuple[Mapping[str, Any], ...]
    files: Mapping[str, bytes]
    scores: Mapping[str, bytes]
    params: Mapping[str, Any] = field(default_factory=lambda: {"target_build": "GRCh38"})
    settings: PreflightSettings = field(default_factory=PreflightSettings)

    def having(self, **files: bytes) -> Case:
        """Other bytes for files named by what they are: `variants`, `pheno`, `geno` of the first row."""
        names = {self.rows[0][what]: content for what, content in files.items()}
        return replace(self, files={**self.files, **names})

    def asking(self, **params: Any) -> Case:
        return replace(self, params={**self.params, **params})

    def row(self, **changes: Any) -> Case:
        return replace(self, rows=({**self.rows[0], **changes}, *self.rows[1:]))

    def only(self, *ids: str) -> Case:
        return replace(self, scores={name: self.scores[name] for name in ids})

    def verdict(self, **options: Any) -> Verdict:
        document = {"id": "RUN1", "target_genomes": self.rows, "nxf_params_file": dict(self.params)}
        targets = {name: partial(io.BytesIO, content) for name, content in self.files.items()}
        scores = {name: partial(io.BytesIO, content) for name, content in self.scores.items()}
        options = {"stop": threading.Event(), **options}
        return check(PipelineParam.model_validate(document), Files(targets, scores), self.settings, **options)

    def found(self, check: str, **options: Any) -> list[Finding]:
        return [finding for finding in self.verdict(**options).findings if finding.check == check]

    def failure(self, **options: Any) -> str | None:
        failure = self.verdict(**options).failure
        return failure and failure.code


@pytest.fixture(scope="session")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    return generate(tmp_path_factory.mktemp("cohort"), samples=60, variants=1500)


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    """The same, not split by chromosome."""
    return generate(tmp_path_factory.mktemp("whole"), samples=60, variants=1500, split=False)


def case_of(cohort: Cohort, form: str) -> Case:
    scores = {pgs_id: path.read_bytes() for pgs_id, path in cohort.scorefiles.items()}
    files = {name: path.read_bytes() for name, path in cohort.files_of(form).items()}
    return Case(cohort.genomes[form], files, scores)


@pytest.fixture(params=["pfile", "bfile", "vcf"])
def case(cohort: Cohort, request: pytest.FixtureRequest) -> Case:
    return case_of(cohort, request.param)


@pytest.fixture
def pfile(cohort: Cohort) -> Case:
    return case_of(cohort, "pfile")


@pytest.fixture
def bfile(cohort: Cohort) -> Case:
    return case_of(cohort, "bfile")


@pytest.fixture
def vcf(cohort: Cohort) -> Case:
    return case_of(cohort, "vcf")


HEAD = "#pgs_id={name}\n#trait_reported=t\n#genome_build=GRCh38\n"
COLUMNS = "chr_name\tchr_position\teffect_allele\tother_allele\teffect_weight"
Cells = Sequence[object]


def tabled(rows: Iterable[Cells]) -> str:
    return "".join("\t".join(map(str, row)) + "\n" for row in rows)


@pytest.fixture
def scored() -> Callable[..., bytes]:
    """A scorefile of rows."""

    def scored(rows: Iterable[Cells], *, name: str = "S", head: str = HEAD, columns: str = COLUMNS) -> bytes:
        return (head.format(name=name) + columns + "\n" + tabled(rows)).encode()

    return scored


@pytest.fixture
def small() -> Callable[..., Case]:
    """One pfile of all chromosomes, of CHROM, POS, REF, ALT, and scorefiles."""

    def small(variants: Iterable[Cells], *scores: bytes, **params: Any) -> Case:
        pvar = "#CHROM\tPOS\tID\tREF\tALT\n" + tabled((c, p, ".", r, a) for c, p, r, a in variants)
        psam = "#IID\n" + "".join(f"S{number}\n" for number in range(60))
        row = {"sampleset": "c", "chrom": None, "format": "pfile", "geno": "x.pgen", "variants": "x.pvar"}
        files = {"x.pgen": b"\x6c\x1b\x01", "x.pvar": pvar.encode(), "x.psam": psam.encode()}
        named = {f"score{number}": score for number, score in enumerate(scores)}
        return Case(({**row, "pheno": "x.psam"},), files, named, {"target_build": "GRCh38", **params})

    return small


Edit = Callable[[str], str]


@pytest.fixture
def edited() -> Callable[[bytes, Edit], bytes]:
    """Text changed inside its compression."""

    def edited(content: bytes, edit: Edit) -> bytes:
        if content.startswith(b"\x1f\x8b"):
            return gzip.compress(edit(gzip.decompress(content).decode()).encode(), mtime=0)
        if content.startswith(b"\x28\xb5\x2f\xfd"):
            return zstandard.compress(edit(zstandard.decompress(content).decode()).encode())
        return edit(content.decode()).encode()

    return edited
