"""The terms a talk starts on: who may begin which case, what is frozen, where there is no help."""

from __future__ import annotations

import hashlib

from bot import cases, mind
from bot.errors import LearnerError
from bot.parts import Parts
from bot.records import Persona, Scenario
from bot.scenarios import Library

RISK_NOTE = "这位客户可能说出不想活的话。建议培训师在场，中途随时可以退出。"
NO_HELP = {
    "exam": "考核里没有提示，也不能重说。想边练边学，请用“练习”。",
    "gate": "闯关里没有提示，也不能重说；同一关三次没过，教练会示范一次。",
}


def admit(parts: Parts, scenario: Scenario, persona: Persona | None, confirmed: bool) -> None:
    """Raises `LearnerError` for a case or persona that may not be started like this."""
    why = cases.unsuitable(scenario, persona) if persona else ""
    if persona and why:
        raise LearnerError(f"“{persona.name}”放不进这个场景：{why}。请换一种性格，或者用客户原本的性格。")
    if not mind.at_risk(scenario, persona, parts.rules.data):
        return
    if scenario.id not in parts.settings.crisis_cases:
        raise LearnerError(
            f"{scenario.id} 的客户可能说出轻生的话，培训师没有开放它（设置 HUASU_CRISIS_SCENARIOS）。请换一个场景。"
        )
    if not confirmed:
        raise LearnerError(f"开始之前请先看清楚：{scenario.safety_note or RISK_NOTE}确认之后再开始。")


def exam_seed(scenario_id: str, assignment: str = "") -> int:
    """The same exam puts the same customer before everybody who says the same."""
    return int(hashlib.sha256(f"{scenario_id}|{assignment}".encode()).hexdigest()[:8], 16) % 1_000_000


def versions(parts: Parts, library: Library, scenario: Scenario, persona: Persona | None) -> dict[str, str]:
    """What the grade of a talk started now will rest on, a trainer's version of the case and persona included."""
    names = [f"scenario {scenario.id.split('-')[0]}", *([f"persona {persona.id}"] if persona else [])]
    used = {name: library.stamps[name] for name in names if name in library.stamps}
    return {**library.versions(), **used, "appraiser": parts.appraiser.version}
