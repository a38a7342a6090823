"""The five gates of module six, each decided by code from the stored turns, with what is still missing in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bot.grading.adjust import Talk, unanswered_allegation
from bot.grading.dims import short_name
from bot.grading.scene import questions
from bot.records import SLOTS, GateStep, Scenario

Missing = list[str]


def gates(talk: Talk, scenario: Scenario) -> tuple[GateStep, ...]:
    """G1 to G5 in order."""
    found = []
    for step in talk.library.rubric["pass_gate"]["steps"]:
        lacking = missing(talk, scenario, step)
        found.append(GateStep(id=step["id"], name=step["name"], passed=not lacking, missing=tuple(lacking)))
    return tuple(found)


def missing(talk: Talk, scenario: Scenario, step: Mapping[str, Any]) -> Missing:
    """What a talk still lacks to open one gate; empty when it is open."""
    return _RULES[step["id"]](talk, scenario, step["rule"])


def slots_found(talk: Talk) -> frozenset[str]:
    """The 6W3H slots the learner asked about or the customer told."""
    asked = {slot for s in talk.scenes for slot in s.turn.appraisal.slots}
    return frozenset((asked | set(talk.last.turn.mind.told)) & set(SLOTS))


def _opening(talk: Talk, scenario: Scenario, variable: str) -> float:
    first = talk.scenes[0].turn
    if not first.changes:
        return scenario.init[variable]
    if variable == "A":
        return next((s for s in talk.scenes if s.turn.n >= talk.fresh), talk.scenes[0]).anger
    return first.mind.values[variable] - sum(c.delta for c in first.changes if c.variable == variable)


def unwanted(talk: Talk, rule: Mapping[str, Any]) -> Missing:
    """The slips a gate forbids."""
    found = [pair for pair in talk.harms(*rule.get("none_of", ("",))) if pair[0].turn.n >= talk.fresh]
    light = [pair for pair in found if pair[1].severity == 1]
    excess = found if len(light) < len(found) or len(found) > rule.get("light_allowed", 0) else ()
    return [f"第 {s.turn.n} 轮出现了「{short_name(talk.library, h.code)}」" for s, h in excess]


def _accepts_feeling(talk: Talk, scenario: Scenario, rule: Mapping[str, Any]) -> Missing:
    lacking = []
    early = [s for s in talk.scenes if s.turn.n >= talk.fresh][: rule["within_turns"]]
    if not any(s in early for s, _ in talk.shown(rule["codes"], rule["quality"])):
        lacking.append(f"前 {rule['within_turns']} 轮没有贴着客户细节的复述或接纳")
    opening = _opening(talk, scenario, "A")
    drop = opening - min((s.turn.mind.values["A"] for s in talk.scenes if s.turn.n >= talk.fresh), default=opening)
    if drop < rule["anger_drop"]:
        lacking.append(f"愤怒比开场最多降了 {max(0.0, drop):.0f}，要降 {rule['anger_drop']}")
    return lacking + unwanted(talk, rule)


def _paces_first(talk: Talk, scenario: Scenario, rule: Mapping[str, Any]) -> Missing:
    lacking = []
    leads = [pair for pair in talk.shown(rule["lead"]) if pair[0].turn.n >= talk.fresh]
    if not leads:
        lacking.append("跟了以后没有往解决上带")
    else:
        scene, lead = leads[0]
        before = {t.code for s, t in talk.shown(rule["pace"]) if (s.turn.n, t.start) < (scene.turn.n, lead.start)}
        if len(before) < rule["pace_kinds"]:
            lacking.append(f"带之前只有 {len(before)} 类跟，要有 {rule['pace_kinds']} 类")
    gain = talk.last.turn.mind.values["T"] - _opening(talk, scenario, "T")
    if gain < rule["trust_gain"]:
        lacking.append(f"信任比开场变化 {gain:+.0f}，要升 {rule['trust_gain']}")
    return lacking + unwanted(talk, rule)


def _explains_softly(talk: Talk, scenario: Scenario, rule: Mapping[str, Any]) -> Missing:
    lacking = []
    for scene in (s for s in talk.scenes if s.turn.n >= talk.fresh):
        if scene.act == "vent" and any(h.code in scene.rules["explain_codes"] for h in scene.harms):
            lacking.append(f"第 {scene.turn.n} 轮对吐槽做了解释")
    alleged = unanswered_allegation(talk)
    if alleged:
        lacking.append(f"第 {alleged.turn.n} 轮的指控没有回应")
    if not talk.shown(rule["codes"], rule["quality"]):
        lacking.append("没有一次把重心落在「但是」后面的顺耳解释")
    return lacking + unwanted(talk, rule)


def _analyses(talk: Talk, scenario: Scenario, rule: Mapping[str, Any]) -> Missing:
    lacking, slots = [], slots_found(talk)
    if len(slots) < rule["slots"]:
        lacking.append(f"6W3H 了解到 {len(slots)} 项，要有 {rule['slots']} 项")
    asked = [s for s in talk.scenes if s.turn.n >= talk.fresh]
    crowded = next((s for s in asked if len(questions(s.turn.reply)) > s.rules["max_questions"]), None)
    if crowded:
        lacking.append(f"第 {crowded.turn.n} 轮一口气问了 {len(questions(crowded.turn.reply))} 个问题")
    if not talk.shown(rule["codes"], rule["quality"]):
        lacking.append("没有一次贴切的需求试探（『我猜您真正着急的是…是不是』）")
    if not set(talk.last.turn.mind.told) & set(rule["needs"]):
        lacking.append("客户还没有亲口确认真正的需求")
    return lacking + unwanted(talk, rule)


def _solves(talk: Talk, scenario: Scenario, rule: Mapping[str, Any]) -> Missing:
    lacking = []
    if not talk.shown(rule["codes"], rule["quality"]):
        lacking.append("没有对准需求的第三选择")
    if not talk.settled(rule["settled"]):
        lacking.append("客户还没有答应，哪怕先试试")
    if not talk.shown(rule["close"]):
        lacking.append("没有柔性收尾")
    for scene, harm in talk.harms():
        if harm.level != "anti" and scene.turn.n >= talk.fresh:
            lacking.append(f"第 {scene.turn.n} 轮有违规「{short_name(talk.library, harm.code)}」")
    return lacking


_RULES: dict[str, Callable[[Talk, Scenario, Mapping[str, Any]], Missing]] = {
    "G1": _accepts_feeling, "G2": _paces_first, "G3": _explains_softly, "G4": _analyses, "G5": _solves,
}  # fmt: skip
