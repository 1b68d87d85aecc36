"""The steps of pgsc_calc: its processes in their order, and how many of each a request needs.

Source: pgsc_calc 2.2.0, `workflows/pgsc_calc.nf` and `subworkflows/local/`.
"""

from __future__ import annotations

from collections import Counter

from genoferry.contracts.pipeline import PipelineParam

ORDER = (
    "DOWNLOAD_SCOREFILES",
    "FORMAT_SCOREFILES",
    "EXTRACT_DATABASE",
    "PLINK2_RELABELBIM",
    "PLINK2_RELABELPVAR",
    "PLINK2_VCF",
    "INTERSECT_VARIANTS",
    "MATCH_VARIANTS",
    "FILTER_VARIANTS",
    "MATCH_COMBINE",
    "PLINK2_MAKEBED_REF",
    "INTERSECT_THINNED",
    "RELABEL_IDS",
    "PLINK2_MAKEBED_TARGET",
    "PLINK2_ORIENT",
    "FRAPOSA_PCA",
    "FRAPOSA_PROJECT",
    "RELABEL_SCOREFILES",
    "RELABEL_AFREQ",
    "PLINK2_SCORE",
    "SCORE_AGGREGATE",
    "ANCESTRY_ANALYSIS",
    "SCORE_REPORT",
    "DUMPSOFTWAREVERSIONS",
)
RELABEL = {"bfile": "PLINK2_RELABELBIM", "pfile": "PLINK2_RELABELPVAR", "vcf": "PLINK2_VCF"}
"""The process that reads a row of the samplesheet, by its format (`make_compatible.nf`)."""
_ONCE = ("FORMAT_SCOREFILES", "MATCH_COMBINE", "SCORE_AGGREGATE", "DUMPSOFTWAREVERSIONS")
_ONCE_WITH_ANCESTRY = (
    "EXTRACT_DATABASE",
    "FILTER_VARIANTS",
    "PLINK2_MAKEBED_REF",
    "INTERSECT_THINNED",
    "RELABEL_IDS",
    "PLINK2_MAKEBED_TARGET",
    "PLINK2_ORIENT",
    "FRAPOSA_PCA",
    "FRAPOSA_PROJECT",
    "RELABEL_SCOREFILES",
    "RELABEL_AFREQ",
)
SETTLED_BY = {"PLINK2_SCORE": "SCORE_AGGREGATE"}
"""Steps whose number is known only once another has begun: a chromosome without a match is not scored, and one with
weights of several effect types is scored more than once (`apply_score.nf`)."""


def expected(param: PipelineParam, *, download: bool, report: bool) -> dict[str, int]:
    """How many processes of each step a run needs at the least, in the pipeline's order.

    `download`: pgsc_calc gets the scores itself (it is given accessions, not files); `report`: it writes its own
    report (no `only_score`). The reference panel is taken as given: it is never built from its source.
    """
    ancestry = param.nxf_params_file.run_ancestry
    rows = len(param.target_genomes)
    count = Counter(dict.fromkeys(_ONCE + (_ONCE_WITH_ANCESTRY if ancestry else ()), 1))
    count.update(RELABEL[row.format] for row in param.target_genomes)
    count["DOWNLOAD_SCOREFILES"] = int(download)
    count["MATCH_VARIANTS"] = rows
    count["INTERSECT_VARIANTS"] = rows * ancestry
    count["PLINK2_SCORE"] = rows + ancestry  # the reference panel is one fileset, never split
    count["SCORE_REPORT"] = int(report)
    count["ANCESTRY_ANALYSIS"] = int(report and ancestry)
    return {name: count[name] for name in ORDER if count[name]}
