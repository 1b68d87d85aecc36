"""`report.html`: `report.json` for people. One file: no script, no network, and no sample in it but as a count."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from genoferry.pgsc import histogram_svg
from genoferry.pgsc.report_css import CSS
from genoferry.pgsc.report_json import Report

LEFT_OUT = (
    ("unmatched", "not in the genomes"),
    ("ambiguous", "strand-ambiguous (A/T or C/G)"),
    ("multiallelic", "multi-allelic"),
    ("duplicate", "matched more than once"),
    ("other", "left out for another cause"),
)
"""Why a variant is left out of a score: counts of `outputs.Matching`, in the words of the page."""

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def write(report: Report, path: Path) -> Path:
    path.write_text(render(report), encoding="utf-8")
    return path


def render(report: Report) -> str:
    """The page. Everything that comes from a request or a scorefile is escaped."""
    title = f"Polygenic scores of {report['sampleset']}"
    body = [
        f"<header><p class='run'>Run {_text(report['run_id'])}</p><h1>{_text(title)}</h1>{_overview(report)}</header>",
        f"<main>{_table(report['scores'])}{''.join(_score(score) for score in report['scores'])}</main>",
        f"<footer>{_pairs('Parameters', report['parameters'])}{_pairs('Versions', report['versions'])}</footer>",
    ]
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'><meta name='color-scheme' "
        f'content=\'light dark\'><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<title>{_text(title)}</title><style>{CSS}</style></head><body>{''.join(body)}</body></html>\n"
    )


def _overview(report: Report) -> str:
    scores = report["scores"]
    done = sum(score["status"] == "calculated" for score in scores)
    facts = (
        (f"{report['samples']:,}", "samples"),
        (f"{done} of {len(scores)}", "scores calculated"),
        (report["parameters"]["target_build"], "genome build"),
        (f"{report['parameters']['min_overlap']:.0%}", "overlap needed"),
    )
    return "<dl class='facts'>" + "".join(f"<div><dd>{_text(v)}</dd><dt>{k}</dt></div>" for v, k in facts) + "</dl>"


def _table(scores: list[dict[str, Any]]) -> str:
    rows = "".join(
        f"<tr><td><a href='#{_text(s['id'])}'>{_text(s['id'])}</a></td><td>{_badge(s['status'])}</td>"
        f"<td>{_meter(s['match_rate'])}</td><td class='n'>{_mean(s['distribution'])}</td></tr>"
        for s in scores
    )
    head = "<th>Score</th><th>Outcome</th><th>Variants matched</th><th class='n'>Mean ± SD of SUM</th>"
    return f"<div class='scroll'><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"


def _score(score: dict[str, Any]) -> str:
    parts = [f"<h2>{_text(score['id'])} {_badge(score['status'])}</h2>"]
    if score["trait"]:
        parts.append(f"<p class='trait'>{_text(score['trait'])}</p>")
    if score["reason"]:
        parts.append(f"<p class='reason'>{_text(score['reason'])}</p>")
    if score["distribution"]:
        histogram = score["distribution"]["histogram"]
        label = f"Distribution of {score['id']} over the samples"
        parts.append(f"<figure>{histogram_svg.draw(histogram['counts'], histogram['edges'], label)}")
        parts.append(f"<figcaption>{_spread(score['distribution'])}</figcaption></figure>")
    parts.append(_variants(score["variants"]))
    return f"<section id='{_text(score['id'])}'>{''.join(parts)}</section>"


def _variants(variants: dict[str, int] | None) -> str:
    if not variants:
        return ""
    flipped = f", {variants['flipped']:,} of them on the other strand" if variants["flipped"] else ""
    left_out = [f"<li><b>{variants[key]:,}</b> {words}</li>" for key, words in LEFT_OUT if variants[key]]
    counted = f"<p><b>{variants['matched']:,}</b> of {variants['total']:,} variants matched{flipped}.</p>"
    return counted + (f"<p>Left out:</p><ul>{''.join(left_out)}</ul>" if left_out else "")


def _spread(distribution: dict[str, Any]) -> str:
    low, median, high = distribution["quartiles"]
    return f"SUM: median {median:.4g}, quartiles {low:.4g} and {high:.4g}; bars count samples."


def _mean(distribution: dict[str, Any] | None) -> str:
    if distribution is None:
        return "–"
    sd = distribution["sd"]
    return f"{distribution['mean']:.4g}" + (f" ± {sd:.3g}" if sd is not None else "")


def _meter(rate: float | None) -> str:
    if rate is None:
        return "–"
    width = f"{100 * min(max(rate, 0.0), 1.0):.1f}"
    return f"<span class='meter'><i style='width:{width}%'></i></span> {rate:.1%}"


def _badge(status: str) -> str:
    return f"<span class='badge {_text(status)}'>{_text(status)}</span>"


def _pairs(title: str, pairs: dict[str, Any]) -> str:
    items = "".join(f"<div><dt>{_text(key)}</dt><dd>{_text(_plain(value))}</dd></div>" for key, value in pairs.items())
    return f"<section><h2>{title}</h2><dl class='pairs'>{items}</dl></section>"


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "–" if value is None else str(value)


def _text(value: object) -> str:
    return escape(str(value), quote=True)
