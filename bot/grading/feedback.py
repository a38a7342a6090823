"""Feedback on one reply, in milliseconds and without a model: dimensions, checks, and the one point worth making."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.grading.checks import citations, verdicts
from bot.grading.dims import plain, score_dims, short_name
from bot.grading.scene import Harm, Scene
from bot.grading.wording import coaching, for_harm, for_technique
from bot.records import Coaching, Scenario, Technique, Turn, TurnGrade
from bot.scenarios import Library

CALLS_FOR = {
    "vent": "客户在吐槽", "complain": "客户在质问", "allege": "客户提的是指控", "demand": "客户在提诉求",
    "threat": "客户在施压", "crisis": "客户露出了危险信号", "ask": "客户在问", "test": "客户在试探",
    "disclose": "客户刚吐露了难处", "bargain": "客户在讨价还价", "soften": "客户松口了", "accept": "客户已经答应",
    "refuse": "客户拒绝了",
}  # fmt: skip


def grade_turn(turn: Turn, earlier: Sequence[Turn], library: Library, scenario: Scenario | None = None) -> TurnGrade:
    """Feedback on a reply given the turns before it.

    The case is recognised by the opening line of the first turn, among the library's and `scenario` (an edited or
    frozen copy); an unknown case only makes the suggested wording more general.
    """
    return grade_scene(Scene(turn, tuple(earlier), library, scenario))


def grade_scene(scene: Scene) -> TurnGrade:
    """Feedback on a reply seen as a scene."""
    return TurnGrade(
        n=scene.turn.n,
        dims=score_dims(scene),
        verdicts=verdicts(scene),
        coaching=coach(scene),
        reason_gate="high" if scene.reason >= scene.rules["reason_high"] else "low",
    )


def plain_words(text: str) -> str:
    """A card's reasoning without its foreign terms and names: a tired learner reads this, not the literature."""
    without = re.sub(r"（[^（）]*[A-Za-z][^（）]*）", "", text)
    return re.sub(r"[A-Z][A-Za-z& ]{2,}的?\s?[a-z]*", "", without)


def coach(scene: Scene) -> Coaching:
    """The most valuable point about a reply: breaches, then grave slips, order, slips, what is missing, praise."""
    grave = next((h for h in scene.harms if h.level != "anti" or h.severity >= 3), None)
    if grave is not None:
        return _about_harm(scene, grave)
    if scene.order_harm is not None:
        return _about_harm(scene, scene.order_harm)
    if scene.out_of_order is not None:
        return _about_order(scene, scene.out_of_order)
    if scene.harms:
        return _about_harm(scene, scene.harms[0])
    missing = missing_technique(scene)
    return _about_missing(scene, missing) if missing else _about_best(scene)


def missing_technique(scene: Scene) -> str:
    """The technique this customer's words called for and the reply did not show; empty when nothing is missing."""
    rules, first = coaching(scene.library), coaching(scene.library)["first_call"]
    calling = not scene.earlier and scene.scenario is not None and first["channel"] in scene.scenario.channel
    if calling and first["code"] not in scene.codes:
        return str(first["code"])
    for i, group in enumerate(rules["needs_groups"].get(scene.act, [])):
        later = scene.earlier and scene.reason >= rules["later_groups_need_reason"] and not _seen(scene, group)
        if (i == 0 or later) and not scene.codes & set(group):
            return str(group[0])
    return "" if scene.techniques else "pace_fact"


def _seen(scene: Scene, group: Sequence[str]) -> bool:
    return any(t.code in group for turn in scene.earlier for t in turn.appraisal.techniques)


def _about_harm(scene: Scene, harm: Harm) -> Coaching:
    name, words = short_name(scene.library, harm.code), scene.quote(harm.evidence)
    if harm.level == "anti":
        card = scene.library.taxonomy.antis[harm.code]
        basis = f"反模式「{name}」"
        point = f"“{words}”是「{name}」：" + plain(scene.library, f"{card.definition}改法：{card.rewrite}")
    else:
        grade = "致命红线" if harm.level == "fatal" else "严重违规"
        rules = citations(scene, harm)
        basis = rules[0] if rules else f"{grade}「{name}」"
        based = f"依据：{rules[0]}。" if rules else ""
        point = f"“{words}”碰了{grade}「{name}」：{scene.library.taxonomy.violations[harm.code].definition}{based}"
    return Coaching(code=harm.code, point=point, evidence=words, better=for_harm(scene, harm), basis=basis)


def _about_order(scene: Scene, lead: Technique) -> Coaching:
    name, words = short_name(scene.library, lead.code), scene.quote(lead.evidence)
    return Coaching(
        code=lead.code,
        point=f"话没错，顺序早了：客户还在气头上，“{words}”（「{name}」）跑在了跟的前面。先接住感受，停一拍，再带。",
        evidence=words,
        better=for_technique(scene, "pace_emotion"),
        basis="先跟后带：情绪没接住之前不带",
    )


def _about_missing(scene: Scene, code: str) -> Coaching:
    card = scene.library.taxonomy.techniques[code]
    best = scene.best([t.code for t in scene.techniques])
    good = f"「{short_name(scene.library, best.code)}」做到了。" if best else ""
    situation = CALLS_FOR.get(scene.act, "客户在等回应")
    name, words = short_name(scene.library, code), scene.quote(best.evidence if best else "")
    point = f"您说“{words}”。{good}{situation}，还缺「{name}」：{plain(scene.library, card.definition)}"
    return Coaching(code=code, point=point, evidence=words, better=for_technique(scene, code), basis=f"技巧「{name}」")


def _about_best(scene: Scene) -> Coaching:
    best = scene.best([t.code for t in scene.techniques])
    assert best is not None  # a reply without techniques always misses something
    card = scene.library.taxonomy.techniques[best.code]
    name, words = short_name(scene.library, best.code), scene.quote(best.evidence)
    point = f"这句最值得留住：“{words}”是「{name}」。{plain_words(card.why_it_works)}"
    return Coaching(code=best.code, point=point, evidence=words, basis=f"技巧「{name}」")
