"""Single-question drills: a case that holds questions, a few of them drawn, each played as a talk of one reply."""

from __future__ import annotations

import random

from bot.records import Drill, Scenario

DRAWN = 3


def draw(scenario: Scenario, seed: int, count: int = DRAWN) -> tuple[str, ...]:
    """The ids of some questions of a drill, all different; the same seed draws the same ones in the same order."""
    ids = [d.id for d in scenario.drills]
    return tuple(random.Random(seed).sample(ids, min(count, len(ids))))  # noqa: S311 - a choice of exercises


def question(scenario: Scenario | None, drill_id: str) -> Scenario | None:
    """One question as a case of its own; None when the case has no such question."""
    drill = next((d for d in scenario.drills if d.id == drill_id), None) if scenario else None
    return as_case(scenario, drill) if scenario and drill else None


def as_case(scenario: Scenario, drill: Drill) -> Scenario:
    """A question as a case that ends after one reply, with the mood and weights of the drill it belongs to."""
    return scenario.model_copy(
        update={
            "id": drill.id,
            "title": f"{scenario.title.split('（')[0].strip()}：{drill.customer}",
            "channel": drill.channel,
            "profile": drill.profile,
            "turns": 1,
            "opening": drill.customer,
            "opening_act": drill.act,
            "demand": drill.customer,
            "need_business": drill.need,
            "drills": (),
            "wrong": drill.wrong,
            "exemplary": drill.gold,
            "exemplary_key": drill.gold,
            "note": drill.note,
        }
    )
