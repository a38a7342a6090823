"""Where a new case or persona begins: nothing written yet, numbers that work."""

from __future__ import annotations

from collections import Counter
from statistics import median
from typing import Any

from bot.records import SLOTS, VARIABLES, Scenario
from bot.scenarios import Library

OWN = "自建"
KIND = "complaint_vent"
COMMON_TRAITS = ("irritability", "suspicion", "face", "openness", "desperation")


def blank_scenario(library: Library, kind: str = KIND) -> dict[str, Any]:
    """An empty case whose moods and temper are the usual ones of its type."""
    return {
        "outline_ref": OWN,
        "title": "",
        "type": kind,
        "channel": "电话",
        "difficulty": 3,
        "profile": {
            "name": "", "gender": "女", "age": 38, "job": "", "product": "个人消费贷", "balance": 50000,
            "overdue_days": 0,
        },
        **usual(library, kind),
        "goal": "accept",
        "opening": "",
        "opening_act": "complain",
        "demand": "",
        "need_business": "",
        "need_emotional": "",
        "facts": dict.fromkeys(SLOTS, ""),
        "cannot": [],
        "success": [],
        "wrong": [],
        "exemplary": "",
        "exemplary_key": "",
        "lines": "",
    }  # fmt: skip


def usual(library: Library, kind: str) -> dict[str, Any]:
    """The moods, temper, stage and offers that cases of a type usually have."""
    alike = [s for s in library.scenarios.values() if s.type == kind and not s.drills and s.goal == "accept"]
    alike = alike or [s for s in library.scenarios.values() if not s.drills and s.goal == "accept"]
    return {
        "init": {v: _middle([s.init[v] for s in alike]) for v in VARIABLES},
        "traits": {t: _middle([s.traits.get(t, 0.5) for s in alike], 2) for t in COMMON_TRAITS},
        "stage": int(_middle([s.stage for s in alike])),
        "offer": _offers(alike),
        "regulations": list(alike[0].regulations[:2]) if alike else [],
    }


def _middle(values: list[float], places: int = 0) -> float:
    return round(median(values), places) if values else 50.0


def _offers(alike: list[Scenario]) -> list[str]:
    counts = Counter(p for s in alike for p in s.offer)
    return sorted(p for p, _ in counts.most_common(4))


def blank_persona() -> dict[str, Any]:
    """An empty persona that changes nothing yet."""
    return {"name": "", "description": "", "traits": {}, "init_shift": {}, "style": []}
