"""`report.json`: the calculation for programs. It has counts and distributions, no sample and no genotype."""

from __future__ import annotations

import json
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from genoferry.contracts.reports import ScoreReport
from genoferry.pgsc.inputs import Inputs
from genoferry.pgsc.outputs import Matching
from genoferry.pgsc.scorefiles import Scorefile

SCHEMA_VERSION = 1
BINS = 30
LARGE = 1e100
"""Larger sums are told in another unit, or their squares would overflow."""

TOOLS = ("pgscatalog.core", "pgscatalog.match", "pgscatalog.calc", "pgscatalog-utils")

Report = dict[str, Any]


def build(
    inputs: Inputs,
    scorefiles: Sequence[Scorefile],
    scores: Sequence[ScoreReport],
    *,
    matching: Mapping[str, Matching],
    sums: Mapping[str, array[float]],
    samples: int,
    engine: str,
    versions: Mapping[str, str],
    cost: Mapping[str, Any] | None = None,
) -> Report:
    """All of `report.json`, from which `report.html` is drawn too. `sums`: SUM of each sample by accession; `versions`:
    of what calculated, by name; `cost`: what it took, where that is known."""
    return {
        "schema_version": SCHEMA_VERSION,
        "run_id": inputs.run_id,
        "sampleset": inputs.sampleset,
        "samples": samples,
        "engine": engine,
        "parameters": _parameters(inputs),
        "versions": {"genoferry": version("genoferry"), **versions},
        **({"cost": dict(cost)} if cost else {}),
        "scores": [
            {
                **score.model_dump(include={"id", "status", "reason", "match_rate"}),
                "accession": (accession := scorefile.accession(inputs.build)),
                "trait": scorefile.trait,
                "variants": asdict(matching[accession]) if accession in matching else None,
                "distribution": _distribution(sums[accession]) if accession in sums else None,
            }
            for scorefile, score in zip(scorefiles, scores, strict=True)
        ],
    }


def write(report: Report, path: Path) -> Path:
    path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return path


def _parameters(inputs: Inputs) -> dict[str, Any]:
    return {
        "target_build": inputs.build,
        "formats": sorted({target.format for target in inputs.targets}),
        "chromosomes": [target.chrom for target in inputs.targets if target.chrom] or None,
        "min_overlap": inputs.min_overlap,
        "keep_ambiguous": inputs.keep_ambiguous,
        "keep_multiallelic": inputs.keep_multiallelic,
    }


def embedded_versions(plink2_version: str | None) -> dict[str, str]:
    """Of the tools that the embedded engine calls."""
    scorer = {"plink2": plink2_version} if plink2_version else {"Pgenlib": version("Pgenlib")}
    return {name: version(name) for name in TOOLS} | scorer


def _distribution(values: array[float]) -> dict[str, Any]:
    """Of SUM. `edges` has one number more than `counts`."""
    sums = np.asarray(values)
    low, high = float(sums.min()), float(sums.max())
    if high - low <= 1e-9 * max(abs(low), abs(high)):  # all the same: numpy can't cut that into bins
        half = max(0.5, 1e-6 * abs(low))
        low, high = low - half, high + half
    counts, edges = np.histogram(sums, bins=BINS, range=(low, high))
    quartiles = np.percentile(sums, (25, 50, 75))
    unit = max(1.0, float(np.abs(sums).max()) / LARGE)
    return {
        "mean": float((sums / unit).mean() * unit),
        "sd": float((sums / unit).std(ddof=1) * unit) if len(sums) > 1 else None,
        "quartiles": quartiles.tolist(),
        "histogram": {"counts": counts.tolist(), "edges": edges.tolist()},
    }
