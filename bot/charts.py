"""Charts of growth, drawn by templates in the product's own look: scores over talks, and a small line per technique.

Every chart is an image with its data in words; one that has text comes in two widths, for the desk and for the phone.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from bot.view import environment, score_word

WIDE, NARROW, HEIGHT = 720, 360, 210
LEFT, RIGHT, TOP, BOTTOM = 44, 14, 14, 26
SMOOTH, SMOOTH_FROM = 5, 8
TOP_QUALITY = 1.5
BANDS = ((85.0, "很稳"), (75.0, "达标"), (60.0, "接近"))


@dataclass(frozen=True)
class Point:
    """One talk on the chart of scores."""

    score: float
    red: bool
    day: str


def trend(points: Sequence[Point], pass_line: float, calm: bool = False) -> Markup:
    """Scores over the talks, those with a red line marked, with their moving mean; `calm` shows bands, not numbers."""
    wide, narrow = (_trend(points, pass_line, calm, width) for width in (WIDE, NARROW))
    said = "，".join(
        f"{p.day} {score_word(p.score) if calm else f'{p.score:.0f} 分'}{'（碰了红线）' if p.red else ''}"
        for p in points[-10:]
    )
    return _image(wide, f"最近的成绩：{said}", "curve desk") + _image(narrow, f"最近的成绩：{said}", "curve phone")


def _trend(points: Sequence[Point], pass_line: float, calm: bool, width: int) -> str:
    step = (width - LEFT - RIGHT) / max(1, len(points) - 1)

    def x(i: int) -> float:
        return round(LEFT + step * i if len(points) > 1 else (LEFT + width - RIGHT) / 2, 1)

    def y(score: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (100 - score) / 100, 1)

    marks = [{"x": x(i), "y": y(p.score), "red": p.red} for i, p in enumerate(points)]
    lines = [{"y": y(at), "label": word} for at, word in BANDS] if calm else [
        {"y": y(at), "label": f"{at:.0f}"} for at in (0, 50, 100)
    ]  # fmt: skip
    return (
        environment()
        .get_template("trend.svg")
        .render(
            width=width, height=HEIGHT, left=LEFT, right=width - RIGHT, bottom=HEIGHT - BOTTOM, base=HEIGHT - 7,
            marks=marks, smooth=[{"x": x(i), "y": y(m)} for i, m in _smooth([p.score for p in points])], lines=lines,
            passing=None if calm else y(pass_line), first=points[0].day, last=points[-1].day if len(points) > 1 else "",
            radius=4.2 if step >= 14 else 2.6,
        )
    )  # fmt: skip


def _smooth(scores: Sequence[float]) -> list[tuple[int, float]]:
    if len(scores) < SMOOTH_FROM:
        return list(enumerate(scores))
    windows = [(i, scores[max(0, i - SMOOTH + 1) : i + 1]) for i in range(len(scores))]
    return [(i, sum(w) / len(w)) for i, w in windows]


def spark(qualities: Sequence[float], words: str, width: int = 120, height: int = 28) -> Markup:
    """The quality of one technique over the talks it was used in, as a small line."""
    step = (width - 10) / max(1, len(qualities) - 1)
    dots = [
        {"x": round(5 + step * i, 1), "y": round(4 + (height - 8) * (1 - min(q, TOP_QUALITY) / TOP_QUALITY), 1)}
        for i, q in enumerate(qualities)
    ]
    svg = environment().get_template("spark.svg").render(width=width, height=height, dots=dots)
    return _image(svg, words, "spark")


def _image(svg: str, words: str, kind: str) -> Markup:
    data = base64.b64encode(svg.encode()).decode()
    return Markup('<img class="{}" alt="{}" src="data:image/svg+xml;base64,{}">').format(kind, words, data)
