"""From marks on replies to a total: session dimensions, the rubric score, bonuses, the final number and its letter.

``rubric_score = Σ w_d × (S_d − 1) / 4 × 100``, then the blend with satisfaction, penalties, bonuses, caps, floor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, cast

from bot.grading import adjust
from bot.grading.adjust import Finding, Talk
from bot.grading.scene import Scene
from bot.records import DIMENSIONS, Adjustment, Scenario, TurnGrade
from bot.scenarios import Library

Dims = dict[str, float | None]
Letter = Literal["S", "A", "B", "C", "D"]


class Total(NamedTuple):
    """The numbers of a talk and everything that made them."""

    final: float
    letter: Letter
    rubric_score: float
    dims: Dims
    penalties: tuple[Adjustment, ...]
    bonuses: tuple[Adjustment, ...]
    caps: tuple[Adjustment, ...]


def compose(
    talk: Talk, scenario: Scenario, grades: Sequence[TurnGrade], satisfaction: float, fell: Sequence[Adjustment] = ()
) -> Total:
    """The total of a talk from the marks on its replies; `fell` is what falling back at the five gates costs."""
    penalties, caps = (*adjust.penalties(talk), *map(Finding, fell)), adjust.caps(talk)
    bonuses = _capped(adjust.bonuses(talk), talk.library)
    dims = session_dims(talk, grades, [*penalties, *caps])
    score = rubric_score(dims, scenario, talk.library)
    final = _final(talk, score, satisfaction, penalties, bonuses, caps)
    return Total(
        final, letter(final, talk.library), score, dims,
        tuple(p.adjustment for p in penalties), bonuses, tuple(c.adjustment for c in caps),
    )  # fmt: skip


def session_dims(talk: Talk, grades: Sequence[TurnGrade], findings: Sequence[Finding]) -> Dims:
    """Every dimension of the talk, 1–5 to two decimals; None where there was no chance to show it."""
    weights = {s.turn.n: _turn_weight(talk, s) for s in talk.scenes}
    limits = _limits(talk, findings)
    dims: Dims = {}
    for entry in talk.library.rubric["dimensions"]:
        code = entry["code"]
        scored = [(g.dims[code].score, weights[g.n]) for g in grades if code in g.dims]
        value = sum(s * w for s, w in scored) / sum(w for _, w in scored) if scored else _unscored(talk, entry)
        dims[code] = None if value is None else round(min(value, limits.get(code, 5.0)), 2)
    return {code: dims[code] for code in DIMENSIONS}


def _turn_weight(talk: Talk, scene: Scene) -> float:
    keys, rules = talk.rules["key_turn_weights"], scene.rules
    found = [1.0]
    if not scene.earlier:
        found.append(keys["first_turn"])
    elif scene.earlier[-1].act.behaviour in rules["heated_behaviours"]:
        found.append(keys["after_outburst"])
    if scene.best(rules["solution_codes"]):
        found.append(keys["solution_turn"])
    if scene is talk.last:
        found.append(keys["closing_turn"])
    return max(found)


def _limits(talk: Talk, findings: Sequence[Finding]) -> dict[str, float]:
    limits = {**adjust.crowded_dimensions(talk)}
    sources: list[Mapping[str, float]] = [adjust.grave_dimensions(talk), *(f.caps for f in findings)]
    no_close = talk.rules["penalty_points"]["no_close"]
    if talk.unclosed and talk.last.harms:
        sources.append(dict.fromkeys(no_close["cap"], no_close["harmed"]))
    for source in sources:
        for code, limit in source.items():
            limits[code] = min(float(limit), limits.get(code, 5.0))
    return limits


def _unscored(talk: Talk, entry: Mapping[str, Any]) -> float | None:
    """What a dimension no reply was scored on is worth: a default, the worst if every chance was missed, or None."""
    if "session_default" in entry:
        return float(entry["session_default"])
    if entry["code"] in talk.rules["penalty_points"]["no_close"]["cap"] and talk.unclosed:
        return float(talk.rules["penalty_points"]["no_close"]["cap"][entry["code"]])
    absent = entry.get("session_absent")
    if absent is None or not talk.complete or len(talk.scenes) < talk.rules["absent_from_turns"]:
        return None
    return float(absent["score"]) if any(s.act in absent["acts"] for s in talk.scenes) else None


def rubric_score(dims: Mapping[str, float | None], scenario: Scenario, library: Library) -> float:
    """0–100 by the weights of the scenario's type; a dimension that was not shown hands its weight to the others."""
    weights = library.rubric["scenario_types"][scenario.type]["weights"]
    shown = [(weights[code], score) for code, score in dims.items() if score is not None]
    total = sum(weight for weight, _ in shown)
    return round(sum(weight * (score - 1) / 4 * 100 for weight, score in shown) / total, 1) if total else 0.0


def _capped(bonuses: Sequence[Adjustment], library: Library) -> tuple[Adjustment, ...]:
    room = float(library.rubric["session_composition"]["bonus_cap"])
    kept = []
    for bonus in sorted(bonuses, key=lambda b: (-b.points, b.turn)):
        points = min(bonus.points, room)
        if points > 0:
            kept.append(bonus.model_copy(update={"points": points}))
        room -= points
    return tuple(kept)


def _final(
    talk: Talk, score: float, satisfaction: float, penalties: Sequence[Finding], bonuses: Sequence[Adjustment],
    caps: Sequence[Finding],
) -> float:  # fmt: skip
    blend = talk.rules["blend"]
    total: float = blend["rubric"] * score + blend["satisfaction"] * satisfaction
    total += sum(p.adjustment.points for p in penalties) + sum(b.points for b in bonuses)
    total = min([total, 100.0, *(c.adjustment.points for c in caps)])
    return round(max(total, float(talk.rules["floor"]) if talk.complete else 0.0), 1)


def letter(final: float, library: Library) -> Letter:
    """The grade a final score earns."""
    bounds: dict[str, float] = library.rubric["session_composition"]["grade_from"]
    return cast(Letter, max((least, name) for name, least in bounds.items() if final >= least)[1])
