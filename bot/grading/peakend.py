"""How the customer will remember the talk: peak and end of the mood curve, not its length.

Numbers: ``peak_end`` and ``satisfaction_bands`` of ``knowledge/mind.yaml``, ``session_composition.peak_end`` of
``knowledge/rubric.yaml``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bot.grading.dims import short_name
from bot.grading.scene import Scene
from bot.records import Moment, Scenario, Turn
from bot.scenarios import Library


class Memory(NamedTuple):
    """What stays: the peak (and its turn), the end, and satisfaction 0–100 with its band."""

    peak: float
    peak_turn: int
    end: float
    satisfaction: float
    band: str


def start_mood(turns: Sequence[Turn], scenario: Scenario, library: Library) -> float:
    """The mood before the first reply: undone from its changes, else the scenario's opening state."""
    weights: dict[str, float] = library.mind_rules["mood"]
    first = turns[0]
    if first.changes:
        return first.mind.mood - sum(weights.get(c.variable, 0.0) * c.delta for c in first.changes)
    return sum(weight * scenario.init[variable] for variable, weight in weights.items())


def remember(turns: Sequence[Turn], start: float, library: Library) -> Memory:
    """The peak–end memory of at least one turn. Falls below the start weigh double when the peak is sought."""
    rule, own = library.mind_rules["peak_end"], library.rubric["session_composition"]["peak_end"]
    moods = [t.mind.mood for t in turns]

    def stands_out(mood: float) -> float:
        return mood - start if mood >= start else own["negative_bias"] * (start - mood)

    peak_at = max(range(len(moods)), key=lambda i: (stands_out(moods[i]), -i))
    last = moods[-own["last_turns"] :]
    end = sum(last) / len(last)
    if set(turns[-1].appraisal.codes) & set(own["bad_end"]):
        end -= rule["bad_end"]
    felt = rule["peak"] * moods[peak_at] + rule["end"] * end + rule["mean"] * sum(moods) / len(moods)
    score = max(0.0, min(100.0, (felt - rule["low"]) / (rule["high"] - rule["low"]) * 100))
    if min(moods) < start - rule["repair_margin"] and end < start:
        score = min(score, rule["unrepaired_cap"])  # a hurt that was never mended
    score = round(score, 1)
    peak, end = round(moods[peak_at], 1), round(end, 1)  # one value, however it is shown later
    return Memory(peak, peak_at + 1, end, score, band(score, library))


def explained(scenes: Sequence[Scene], start: float, memory: Memory, library: Library) -> tuple[str, ...]:
    """How the peak, the end and what stays of the talk were reckoned, in words."""
    rule, own = library.mind_rules["peak_end"], library.rubric["session_composition"]["peak_end"]
    moods = [s.turn.mind.mood for s in scenes]
    lower = memory.peak < start
    bias = f"低于开场的要按 {own['negative_bias']} 倍算，人更记得住难受的那一下" if lower else "高于开场，是往好里记的"
    last = min(own["last_turns"], len(scenes))
    peak = (
        f"峰：全场离开场（{start:.0f}）最远的一刻，是第 {memory.peak_turn} 轮的 {memory.peak:.0f}；{bias}。"
        f"那一轮您说：{_why(scenes, memory.peak_turn, start)}"
    )
    ending = f"终：最后 {last} 轮的平均，{memory.end:.0f}。最后一轮您说：{_why(scenes, len(scenes), start)}"
    if set(scenes[-1].turn.appraisal.codes) & set(own["bad_end"]):
        ending += f"；收尾的话伤人，再减 {rule['bad_end']}"
    felt = (
        f"客户记住的 = 峰×{rule['peak']:g} + 终×{rule['end']:g} + 全程平均 {sum(moods) / len(moods):.0f}×{rule['mean']:g}，"
        f"折成满意度 {memory.satisfaction:g}（{memory.band}）。"
    )
    return (peak, ending, felt)


def _why(scenes: Sequence[Scene], n: int, start: float) -> str:
    before = scenes[n - 2].turn.mind.mood if n > 1 else start
    return cause(scenes[n - 1], scenes[n - 1].turn.mind.mood - before)


def band(score: float, library: Library) -> str:
    """The name of a satisfaction score's band."""
    bands: dict[str, float] = library.mind_rules["satisfaction_bands"]
    return max((least, name) for name, least in bands.items() if score >= least)[1]


def moments(scenes: Sequence[Scene], start: float, memory: Memory, library: Library) -> tuple[Moment, ...]:
    """The peak, every other jump of the mood and the end, by turn, each with the words that caused it."""
    least = library.rubric["session_composition"]["peak_end"]["jump"]
    found: list[Moment] = []
    before = start
    for scene in scenes:
        mood, n = scene.turn.mind.mood, scene.turn.n
        moved = round(mood - before, 2)
        if n == memory.peak_turn:
            found.append(Moment(turn=n, mood=round(mood, 1), kind="peak", cause=cause(scene, moved)))
        elif abs(moved) >= least:
            found.append(Moment(turn=n, mood=round(mood, 1), kind="jump", cause=cause(scene, moved)))
        before = mood
    last = scenes[-1]
    end = Moment(turn=last.turn.n, mood=round(last.turn.mind.mood, 1), kind="end", cause=cause(last, moved))
    return (*found, end)


def cause(scene: Scene, moved: float) -> str:
    """The reply's words that explain a movement of the mood, with the name of what they show."""
    tax_name, quote = short_name, scene.quote
    best = scene.best([t.code for t in scene.techniques])
    if any(c.cause == "promise_broken" for c in scene.turn.changes) and moved < 0:
        return f"先前的许诺落空，而这句说的是“{scene.first_sentence}”"
    if scene.harms and (moved < 0 or best is None):
        return f"“{quote(scene.harms[0].evidence)}”（{tax_name(scene.library, scene.harms[0].code)}）"
    if best is not None:
        return f"“{quote(best.evidence)}”（{tax_name(scene.library, best.code)}）"
    return f"“{scene.first_sentence}”"
