"""pgsc_calc's parameters (`-params-file`): what a request sets, and what the deployment does.

Source: pgsc_calc 2.2.0, `nextflow.config` and `nextflow_schema.json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genoferry.contracts.pipeline import NxfParams
from genoferry.errors import SettingsError
from genoferry.pgsc.nextflow.checks import variable
from genoferry.pgsc.nextflow.layout import Places
from genoferry.pgsc.nextflow.samplesheet import FILES
from genoferry.settings import NextflowSettings

FILE = "params.json"
Params = Mapping[str, Any]


def render(nxf: NxfParams, site: NextflowSettings, places: Places, *, local_scores: bool) -> Params:
    """The whole of `params.json`. `local_scores`: the scores of `pgs_id` lie in `places.scores`, else pgsc_calc gets
    them from the PGS Catalog, as it does those of publications and traits.

    Raises `SettingsError` where the request needs a file that the deployment lacks.
    """
    return {
        "input": str(places.rendered / FILES[nxf.format]),
        "format": nxf.format,
        "outdir": str(places.out),
        **({"scorefile": f"{places.scores}/*"} if local_scores else {}),
        **_catalogue(nxf, scores=not local_scores),
        "target_build": nxf.target_build,
        "liftover": nxf.liftover,
        **(_chains(site) if nxf.liftover else {}),
        "min_overlap": nxf.min_overlap,
        "keep_ambiguous": nxf.keep_ambiguous,
        "keep_multiallelic": nxf.keep_multiallelic,
        **(_ancestry(nxf, site) if nxf.run_ancestry else {}),
        **({"fast_match": True} if nxf.fast_match else {}),
        "only_score": site.only_score,
        "max_memory": site.max_memory.replace(" ", "."),
        "max_cpus": site.max_cpus,
        "max_time": site.max_time.replace(" ", "."),
        **_custom_config(site, places),
        "monochrome_logs": True,
    }


def _catalogue(nxf: NxfParams, *, scores: bool) -> Params:
    named = {"pgs_id": nxf.pgs_ids if scores else (), "pgp_id": nxf.pgp_ids, "efo_id": nxf.efo_ids}
    return {name: ",".join(ids) for name, ids in named.items() if ids}


def _chains(site: NextflowSettings) -> Params:
    return {name: _needed(site, name) for name in ("hg19_chain", "hg38_chain")}


def _ancestry(nxf: NxfParams, site: NextflowSettings) -> Params:
    return {"run_ancestry": _needed(site, "reference_panel"), "load_afreq": nxf.load_afreq}


def _needed(site: NextflowSettings, name: str) -> str:
    path = getattr(site, name)
    if path is None:
        raise SettingsError(f"{variable(name)} is not set, and this request needs it.")
    return str(path)


def _custom_config(site: NextflowSettings, places: Places) -> Params:
    """Where pgsc_calc looks for `nfcore_custom.config`: on GitHub, if it isn't told. Offline it is sent to a folder
    that has none, which it passes over with a warning."""
    base = site.custom_config_base
    if base and site.offline and "://" in base:
        raise SettingsError(f"{variable('custom_config_base')} must be a folder where Nextflow is offline.")
    if base or site.offline:
        return {"custom_config_base": base or str(places.rendered)}
    return {}
