"""What can be wrong with the samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from genoferry.errors import DuplicateSamples, GenotypesInvalid, SamplesheetInvalid, ToolsMissing
from genoferry.pgsc.bounds import GIB, MAX_SAMPLES, SAMPLES
from genoferry.pgsc.preflight.facts import Facts
from genoferry.pgsc.preflight.findings import CANT_LOOK, doubtful, failed, ok
from genoferry.pgsc.preflight.samples import Samples
from genoferry.pgsc.preflight.verdict import Finding

NONE: Mapping[bool, str] = {
    False: "A sample file is empty, or has a line that is too short.",
    True: "A VCF names no samples: its header line needs FORMAT, and a column for each sample.",
}
"""By whether the genomes are VCFs."""

FEW_SAMPLES = 50
"""Below, pgsc_calc gives plink2 `no-mean-imputation` (PLINK2_SCORE)."""


def samples(facts: Facts) -> Iterator[Finding]:
    """How many, each once, the same in every file."""
    known = [row.samples for row in facts.rows if row.samples is not None]
    if not known:
        yield ok("samples", "They could not be counted.")
        return
    found = list(_samples(facts, known))
    yield from found or [ok("samples", f"{known[0].count} samples, the same in every file.")]


def _samples(facts: Facts, known: list[Samples]) -> Iterator[Finding]:
    nxf = facts.pipeline.nxf_params_file
    if any(each.fault == "unread" for each in known):
        yield failed("samples", ToolsMissing, CANT_LOOK.format("of samples"))
    elif over := next((each.over for each in known if each.over), None):
        yield failed("samples", GenotypesInvalid, f"A sample file {over}")
    elif any(each.fault or (each.whole and not each.count) for each in known):
        yield failed("samples", GenotypesInvalid, NONE[facts.rows[0].row.format == "vcf"])
    elif any(each.twice and not each.parts for each in known):
        yield failed("samples", DuplicateSamples)
    elif any(each.twice for each in known):
        message = (
            "A sample's id is there more than once, under several SID, and the scores of these are not told apart."
        )
        yield doubtful("samples", DuplicateSamples.code, message)
    elif not all(each.whole for each in known):
        message = f"A sample file has over {MAX_SAMPLES} lines, or over {SAMPLES.text // GIB} GiB of text."
        yield failed("samples", GenotypesInvalid, message)
    elif len({(each.count, each.fingerprint) for each in known}) > 1:
        message = "The chromosomes' files don't hold the same samples. Send files with the same samples in each."
        yield failed("samples", SamplesheetInvalid, message)
    elif known[0].count < FEW_SAMPLES and not (nxf.run_ancestry and nxf.load_afreq):
        message = (
            f"With {known[0].count} samples, under {FEW_SAMPLES}, missing genotypes are not imputed by their mean."
        )
        yield doubtful("samples", "few-samples", message)
