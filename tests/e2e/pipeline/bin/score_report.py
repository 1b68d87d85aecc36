#!/usr/bin/env python
"""Prints a small page of the scores: score_report.py AGGREGATED SUMMARY LOG COMMAND."""

from __future__ import annotations

import csv
import gzip
import html
import json
import statistics
import sys
from collections import Counter, defaultdict
from pathlib import Path


def sums_of(aggregated: str) -> dict[str, list[float]]:
    sums: defaultdict[str, list[float]] = defaultdict(list)
    with gzip.open(aggregated, "rt") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            sums[row["PGS"]].append(float(row["SUM"]))
    return sums


def rates_of(summary: str) -> dict[str, str]:
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    with Path(summary).open(newline="") as lines:
        for row in csv.DictReader(lines):
            counts[row["accession"]][row["match_status"]] += int(row["count"])
    return {name: f"{found['matched']} of {found.total()}" for name, found in counts.items()}


def table(head: list[str], rows: list[list[str]]) -> str:
    cells = ["".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in [head, *rows]]
    return "<table>" + "".join(f"<tr>{row}</tr>" for row in cells) + "</table>"


def page(aggregated: str, summary: str, log: str, command: str) -> str:
    sums = sums_of(aggregated)
    scores = [[n, str(len(s)), f"{statistics.fmean(s):.6g}", f"{statistics.pstdev(s):.6g}"] for n, s in sums.items()]
    files = [[entry["pgs_id"]] for entry in json.loads(Path(log).read_text())]
    return "\n".join(
        [
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>Polygenic scores</title>',
            f"<pre>{html.escape(Path(command).read_text())}</pre>",
            table(["Score", "Samples", "Mean", "Standard deviation"], scores),
            table(["Score", "Variants matched"], [list(row) for row in rates_of(summary).items()]),
            table(["Scorefiles read"], files),
            "</html>\n",
        ]
    )


if __name__ == "__main__":
    sys.stdout.write(page(*sys.argv[1:5]))
