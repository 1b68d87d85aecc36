"""A histogram as inline SVG, coloured by the page's style sheet. It draws counts and says them in its titles."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT = 640, 190
LEFT, RIGHT, TOP, BOTTOM = 8, 8, 12, 30
GAP = 2.0
TICKS = 5


def draw(counts: Sequence[int], edges: Sequence[float], label: str) -> str:
    """`edges` has one number more than `counts`; `label` says to a screen reader what is drawn."""
    step = (WIDTH - LEFT - RIGHT) / len(counts)
    floor = HEIGHT - BOTTOM
    tallest = max(*counts, 1)
    bars = "".join(
        _bar(LEFT + i * step, step, floor, (floor - TOP) * count / tallest, _says(count, edges[i], edges[i + 1]))
        for i, count in enumerate(counts)
    )
    line = f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{floor}" y2="{floor}"/>'
    text = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">'
    return f"{text}{bars}{line}{_ticks(edges)}</svg>"


def _bar(x: float, step: float, floor: float, height: float, says: str) -> str:
    return (
        f'<rect class="bar" x="{x + GAP / 2:.2f}" y="{floor - height:.2f}" width="{step - GAP:.2f}" '
        f'height="{height:.2f}" rx="1.5"><title>{escape(says)}</title></rect>'
    )


def _says(count: int, low: float, high: float) -> str:
    return f"{count} sample{'' if count == 1 else 's'} from {low:.4g} to {high:.4g}"


def _ticks(edges: Sequence[float]) -> str:
    low, high = edges[0], edges[-1]
    marks = []
    for i in range(TICKS):
        part = i / (TICKS - 1)
        anchor = "start" if i == 0 else "end" if i == TICKS - 1 else "middle"
        x = LEFT + part * (WIDTH - LEFT - RIGHT)
        value = f"{low + part * (high - low):.4g}"
        marks.append(f'<text class="tick" x="{x:.1f}" y="{HEIGHT - 9}" text-anchor="{anchor}">{value}</text>')
    return "".join(marks)
