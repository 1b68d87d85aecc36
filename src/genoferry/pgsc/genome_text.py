"""The genomes' text, read to its end before a pipeline of other processes is given it.

The embedded engine needs none of this: it reads all of it itself before a tool does. VCFs are left to plink2: with a
workspace of 2 GiB it refuses a line of 2 GiB in 0.5 GiB of memory ("Pathologically long line"; tried with plink2
2.00a3.5), and takes a VCF record by record.
"""

from __future__ import annotations

from genoferry.pgsc.bounds import SAMPLES, VARIANTS
from genoferry.pgsc.inputs import Inputs
from genoferry.pgsc.textio import Stop, check_text


def check_genomes(inputs: Inputs, stop: Stop) -> None:
    """Raises `GenotypesInvalid` for a file that is over its bounds, `GenomesMissing`, `CalculationStopped`."""
    rows = [row for row in inputs.targets if row.format != "vcf"]
    texts = {row.variants: VARIANTS for row in rows} | {row.pheno: SAMPLES for row in rows}
    for name, bounds in texts.items():
        if (path := inputs.files.get(name)) is not None:  # else it is missed where it is put in place
            check_text(path, bounds=bounds, stop=stop)
