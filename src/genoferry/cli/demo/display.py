"""What `genoferry demo` shows: its steps with their times, then the scores."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from genoferry.cli import output
from genoferry.cli.demo.compare import TOLERANCE, Verdict

if TYPE_CHECKING:
    from genoferry.cli.demo.prepared import Prepared
    from genoferry.contracts.events import Summary

SHOWN_SAMPLES = 3


@dataclass
class Step:
    """One step under way: `detail` is set by who does it."""

    detail: str = ""


@dataclass
class Scene:
    console: Console = field(default_factory=output.answers)
    begun: float = field(default_factory=time.monotonic)

    def title(self) -> None:
        text = "genoferry demo: an encrypted cohort, from a message on a queue to its scores, on this machine alone"
        self.say(text, "bold")
        self.say()

    @contextmanager
    def step(self, doing: str, done: str) -> Iterator[Step]:
        """Show what is being done; then that it was, and how long it took."""
        begun, step = time.monotonic(), Step()
        if self.console.is_terminal:
            with self.console.status(Text(f"{doing}…"), spinner_style="cyan"):
                yield step
        else:
            yield step
        took = time.monotonic() - begun
        head, seconds = Text.assemble(("✓ ", "green"), f"{done:<34}"), f"{took:5.1f} s"
        if self.console.is_terminal:
            self.console.print(output.hanging(head, Text(seconds, "dim"), Text(step.detail, "dim")))
        else:
            self.say(f"{head}  {seconds}  {step.detail}")

    def say(self, text: str = "", style: str = "") -> None:
        """A line; on a terminal it is broken between words."""
        self.console.print(Text(text, style), soft_wrap=not self.console.is_terminal)

    def scores(
        self,
        summary: Summary | None,
        verdicts: Sequence[Verdict],
        sums: Mapping[str, Mapping[str, float]],
        prepared: Prepared,
    ) -> None:
        """Each score's outcome, then the first samples' numbers beside the expected ones."""
        self.say(f"\nScores: {summary.done} of {summary.total} calculated" if summary else "\nScores", "bold")
        columns = ("score", "status", "variants matched", "samples", "largest difference", "check")
        output.table(columns, [_row(v) for v in verdicts], right=columns[2:5])
        for verdict in verdicts:
            if verdict.reason:
                self.say(f"{verdict.id}: {verdict.reason}", "yellow")
        self.samples(sums, prepared)

    def samples(self, sums: Mapping[str, Mapping[str, float]], prepared: Prepared) -> None:
        calculated = [pgs_id for pgs_id in prepared.expected if pgs_id in sums]
        self.say(f"\nSUM of the first {SHOWN_SAMPLES} of {len(prepared.samples)} samples", "bold")
        rows = []
        for sample in prepared.samples[:SHOWN_SAMPLES]:
            rows.append((sample, "calculated", *(_number(sums[i].get(sample)) for i in calculated)))
            rows.append(("", "expected", *(_number((prepared.expected[i].sums or {}).get(sample)) for i in calculated)))
        output.table(("sample", "", *calculated), rows, right=calculated)

    def times(self, parts: Mapping[str, float]) -> None:
        """Where the time went, in seconds."""
        said = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in parts.items())
        self.console.print(Text.assemble(("Time    ", "dim"), said), soft_wrap=True)

    def report(self, path: str) -> None:
        self.console.print(Text.assemble(("Report  ", "dim"), path), soft_wrap=True)

    def verdict(self, verdicts: Sequence[Verdict]) -> None:
        passed = all(verdict.passed for verdict in verdicts)
        total = time.monotonic() - self.begun
        word = ("PASS", "bold green") if passed else ("FAIL", "bold red")
        said = f"  every score is as expected, within {TOLERANCE:g}" if passed else "  not every score is as expected"
        self.console.print(Text.assemble("\n", word, said, (f"   {total:.1f} s in all", "dim")), soft_wrap=True)


def _row(verdict: Verdict) -> tuple[str, ...]:
    difference = "" if verdict.difference is None else f"{verdict.difference:.1e}"
    check = "PASS" if verdict.passed else "FAIL"
    samples = str(verdict.samples) if verdict.samples else ""
    return verdict.id, verdict.status, verdict.matched, samples, difference, check


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:+.6f}"
