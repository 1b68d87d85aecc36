"""Where a calculation's scores come from: one rule for the job, and for `genoferry render`, which shows its run."""

from __future__ import annotations

from typing import Literal

from genoferry.contracts.pipeline import NxfParams
from genoferry.errors import ScorefileMissing
from genoferry.settings import Settings

ScoreSource = Literal["sent", "mirror", "pipeline"]
"""`sent`: scorefiles that came with the request; `mirror`: the deployment's folder, for every PGS id; `pipeline`:
pgsc_calc gets them itself, from the PGS Catalog. What publications and traits name is always the pipeline's."""


def score_source(nxf: NxfParams, settings: Settings) -> ScoreSource:
    """Raises `ScorefileMissing` where PGS ids are asked for and there is nowhere to get them from."""
    if not nxf.pgs_ids:
        return "pipeline" if nxf.names_scores else "sent"
    if settings.compute.score_mirror is not None:
        return "mirror"
    if settings.compute.engine == "nextflow" and not settings.nextflow.offline:
        return "pipeline"
    raise ScorefileMissing(
        "Scores were asked for by PGS id, and this deployment has no mirror of the PGS Catalog"
        " (GENOFERRY_SCORE_MIRROR). Send scorefiles, or ask the operator for a mirror."
    )
