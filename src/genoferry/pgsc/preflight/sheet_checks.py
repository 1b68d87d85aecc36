"""What can be wrong with the samplesheet that the engine would be given."""

from __future__ import annotations

from collections.abc import Iterator

from genoferry.errors import SamplesheetInvalid
from genoferry.pgsc.nextflow.samplesheet import WHICH, file_name
from genoferry.pgsc.preflight.facts import Facts
from genoferry.pgsc.preflight.findings import failed, ok
from genoferry.pgsc.preflight.verdict import Finding


def samplesheet(facts: Facts) -> Iterator[Finding]:
    """The model refuses what is wrong for every engine; this says what there is, and what Nextflow's can't name."""
    rows = facts.pipeline.target_genomes
    chroms = [row.chrom for row in rows if row.chrom]
    held = f"chromosome {', '.join(chroms)}" if chroms else "all chromosomes"
    try:
        for row in rows if facts.site.engine == "nextflow" else ():
            for which in WHICH:
                file_name(row, which)
    except SamplesheetInvalid as error:
        yield failed("samplesheet", SamplesheetInvalid, str(error))
    else:
        yield ok("samplesheet", f"One sampleset, {held}, as {rows[0].format}.")
