"""Words for numbers, and the marks that qualify an attempt, the same on every page and in every file."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.records import Entry, Report

_TRUST = ((65, "信得过您了"), (45, "愿意听您说"), (25, "半信半疑"), (0, "还信不过您"))
_ANGER = ((85, "火气正旺"), (70, "还在气头上"), (50, "气消了一些"), (30, "缓下来了"), (0, "平静了"))
_DIMENSION = ((4.5, "拿手"), (3.5, "做到了"), (2.5, "差一点"), (0, "要练"))
_LETTER = {"S": "很稳，可以去教别人", "A": "稳稳当当", "B": "有模有样", "C": "差一口气", "D": "还要再练练"}
_JUMP, _DRIFT = 8, 1


def marks(entry: Entry) -> tuple[str, ...]:
    """What must be said beside a score: that hints were used, that it was said again from a turn on."""
    found = []
    if entry.hints:
        found.append(f"有提示（{entry.hints} 次）")
    if entry.parent:
        found.append(f"重说（从第 {entry.parent_turn} 轮起）")
    return tuple(found)


def anger(value: float) -> str:
    """How angry he is."""
    return _least(value, _ANGER)


def trust(value: float) -> str:
    """How far he trusts the learner."""
    return _least(value, _TRUST)


def dimension(score: float | None) -> str:
    """How well a dimension was shown."""
    return "这次没用上" if score is None else _least(score, _DIMENSION)


def total(report: Report) -> str:
    """How the whole talk went."""
    return _LETTER[report.grade]


def moved(delta: float) -> str:
    """Where one reply moved his mood."""
    if abs(delta) < _DRIFT:
        return "情绪没怎么动"
    much = "一大步" if abs(delta) >= _JUMP else "一点"
    return f"情绪往{'好' if delta > 0 else '坏'}里走了{much}"


def plainly(text: str, calm: bool = True) -> str:
    """A gate's reasons without their figures."""
    if not calm:
        return text
    less = re.sub(r"比开场最多降了 \d+，要降 \d+", "降得还不够", text)
    return re.sub(r"比开场变化 [+-]?\d+，要升 \d+", "升得还不够", less)


def state(values: Mapping[str, float]) -> str:
    """Anger and trust in one phrase."""
    return f"{anger(values['A'])}，{trust(values['T'])}"


def _least(value: float, steps: tuple[tuple[float, str], ...]) -> str:
    return next((word for least, word in steps if value >= least), steps[-1][1])
