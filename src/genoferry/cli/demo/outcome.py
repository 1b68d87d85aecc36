"""What the demo's job came to: its results fetched, compared, and where its time went."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from genoferry.cli.demo.compare import Verdict, compare
from genoferry.cli.demo.prepared import Prepared
from genoferry.errors import NoResults
from genoferry.ledger.row import Row


def outcome(
    out: Path, prepared: Prepared, row: Row, bucket: str
) -> tuple[list[Verdict], dict[str, dict[str, float]], Path]:
    """The verdicts, the sums by score and sample, and where report.html is."""
    from genoferry.cli.download import download
    from genoferry.pgsc.outputs import read_aggregated

    files = {item.path.name: item.path for item in download(row.results, bucket, out, digests={})}
    if not {"aggregated_scores.txt.gz", "report.json", "report.html"} <= set(files):
        raise NoResults("The job succeeded, but not all of its result files are there.")
    sums = read_aggregated(files["aggregated_scores.txt.gz"])
    report: dict[str, Any] = json.loads(files["report.json"].read_text())
    return compare(prepared.expected, sums, report["scores"]), sums, files["report.html"]


def times_of(row: Row) -> dict[str, float]:
    """Where a job's time went, in seconds."""
    marks = {"staging": row.submitted_at, "starting": row.running_at, "calculating": row.ended_at}
    times, before = {}, row.created_at
    for name, at in marks.items():
        if at is not None:
            times[name], before = (at - before) / 1000, at
    return times
