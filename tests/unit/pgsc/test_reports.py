from __future__ import annotations

import json
import re
from array import array
from html.parser import HTMLParser
from pathlib import Path

import pytest

from genoferry.contracts.pipeline import TargetGenome
from genoferry.contracts.reports import ScoreReport
from genoferry.pgsc import histogram_svg, report_html, report_json
from genoferry.pgsc.inputs import Inputs
from genoferry.pgsc.outputs import Matching
from genoferry.pgsc.scorefiles import Scorefile

EVIL = "<script>alert('x')</script>\"&"


@pytest.fixture
def report() -> report_json.Report:
    target = TargetGenome(sampleset="c", chrom=None, format="pfile", geno="a.pgen", variants="a.pvar", pheno="a.psam")
    inputs = Inputs("RUN1", [target], {}, [], "GRCh38")
    files = [Scorefile(Path("x"), f"PGS00000{i}", "GRCh38", harmonised=False, trait=EVIL) for i in (1, 2)]
    scores = [
        ScoreReport(id="PGS000001", status="calculated", match_rate=0.8),
        ScoreReport(id="PGS000002", status="failed", reason=f"Because {EVIL}"),
    ]
    found = {"PGS000001": Matching(10, matched=8, flipped=3, ambiguous=2)}
    sums = {"PGS000001": array("d", [0.125, 0.25, 0.5])}
    return report_json.build(
        inputs,
        files,
        scores,
        matching=found,
        sums=sums,
        samples=3,
        engine="embedded",
        versions=report_json.embedded_versions(None),
    )


class Page(HTMLParser):
    VOID = frozenset({"meta", "rect", "line"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "action", "data")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_the_page_stands_alone_and_is_well_formed(report: report_json.Report) -> None:
    text = report_html.render(report)
    page = Page(text)
    assert page.open == []
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert page.links == ["#PGS000001", "#PGS000002"]
    assert not re.search(r"https?:|url\(|@import", text)


def test_everything_is_escaped(report: report_json.Report) -> None:
    text = report_html.render(report)
    assert "<script" not in text
    assert text.count("&lt;script&gt;") >= 3


def test_it_shows_rate_reason_and_what_was_left_out(report: report_json.Report) -> None:
    text = report_html.render(report)
    for words in ("80.0%", "Because ", "strand-ambiguous", "3 of them on the other strand", "1 of 2", "RUN1"):
        assert words in text
    assert text.count('class="bar"') == report_json.BINS


def test_the_json_counts_samples_and_names_none(report: report_json.Report, tmp_path: Path) -> None:
    read = json.loads(report_json.write(report, tmp_path / "r.json").read_text())
    assert (read["schema_version"], read["samples"]) == (1, 3)
    first, second = read["scores"]
    assert sum(first["distribution"]["histogram"]["counts"]) == 3
    assert first["variants"]["ambiguous"] == 2
    assert (second["status"], second["distribution"], second["variants"]) == ("failed", None, None)


@pytest.mark.parametrize("values", [[0.0], [1.0, 1.0, 1.0], [-3.0, -3.0]])
def test_equal_sums_are_one_bar(report: report_json.Report, values: list[float]) -> None:
    spread = report_json._distribution(array("d", values))
    assert sum(count > 0 for count in spread["histogram"]["counts"]) == 1
    assert "<svg" in histogram_svg.draw(spread["histogram"]["counts"], spread["histogram"]["edges"], "x")


def test_sums_too_large_to_square_have_a_distribution() -> None:
    values = array("d", [1e300, 2e300, 3e300])
    document = json.dumps(report_json._distribution(values), allow_nan=False)
    assert json.loads(document)["sd"] == pytest.approx(1e300)
    assert json.dumps(report_json._distribution(array("d", [1e300, 1e300])), allow_nan=False)
