"""One step of the mind: pushes -> values -> reason -> stage -> behaviours -> act."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.mind import acts, effects
from bot.mind.effects import clamp, weighted
from bot.records import VARIABLES, Appraisal, Mind, Persona, Scenario, Step, Taxonomy

CUSTOMER_NOTICES = "promise_broken"
VENTED, COOLED = "vented", "cooled"
ANSWERED = "answered"


@dataclass(frozen=True)
class MindRules:
    """The calibration (``knowledge/mind.yaml``) and the labels it speaks of."""

    data: dict[str, Any]
    taxonomy: Taxonomy

    def harmful(self, code: str) -> bool:
        """Whether a code is an anti-pattern or a violation."""
        return code in self.taxonomy.antis or code in self.taxonomy.violations

    def visible_fatal(self, code: str) -> bool:
        """Whether the customer notices this breach now, and it is fatal."""
        card = self.taxonomy.violations.get(code)
        return card is not None and card.level == "fatal" and code not in self.data["hidden_violations"]


def traits_of(scenario: Scenario, persona: Persona | None) -> dict[str, float]:
    """The scenario's traits with the persona's laid over them."""
    return {**scenario.traits, **(persona.traits if persona else {})}


def at_risk(scenario: Scenario, persona: Persona | None, data: Mapping[str, Any]) -> bool:
    """Whether this customer can come to speak of ending his life."""
    return traits_of(scenario, persona).get("crisis_prone", 0.0) >= float(data["behaviours"]["crisis"]["crisis_prone"])


def start(scenario: Scenario, persona: Persona | None, rules: MindRules) -> Mind:
    """The mind before the learner has said anything."""
    shift = persona.init_shift if persona else {}
    values = {v: clamp(scenario.init[v] + shift.get(v, 0.0)) for v in VARIABLES}
    return Mind(
        values=values,
        reason=_target_reason(values, rules.data),
        mood=weighted(values, rules.data["mood"]),
        stage=scenario.stage,
        audience=min(5, scenario.audience + (persona.audience if persona else 0)),
    )


def step(
    mind: Mind,
    appraisal: Appraisal,
    scenario: Scenario,
    rules: MindRules,
    persona: Persona | None = None,
    *,
    gathered: bool | None = None,
    promise_broken: bool | None = None,
) -> Step:
    """The mind after one reply, every change with its cause, and what the customer does now.

    `gathered` (a crowd is filming) and `promise_broken` default to what the mind itself knows; transcripts that say
    so may set them. Order inside a reply does not matter here; order between replies does, through gate and novelty.
    """
    data, traits = rules.data, traits_of(scenario, persona)
    labels = _labels(appraisal)
    names = tuple(code for code, _ in labels)
    broken = _promise_breaks(mind, names, traits, data) if promise_broken is None else promise_broken
    moved = _moved(mind, labels, appraisal, traits, rules, broken)
    values, deltas = effects.settle(mind, moved, traits, data)
    reason = clamp(mind.reason + data["reason"]["inertia"] * (_target_reason(values, data) - mind.reason))
    crowd = mind.audience > 0 if gathered is None else gathered
    stage, last_down = _stage(mind, values, names, appraisal, crowd, rules)
    after = mind.model_copy(
        update={
            "values": values,
            "reason": reason,
            "mood": weighted(values, data["mood"]),
            "stage": stage,
            "last_down": last_down,
            "turn": mind.turn + 1,
            "codes": (*mind.codes, names),
            "promises": () if broken else (*mind.promises, *(c for c in names if c in data["promises"])),
            "promise_due": False,
            "audience": max(0, mind.audience - 1) if "isolate_scene" in names else mind.audience,
            "angers": (*mind.angers, values["A"]),
            "moods": (*mind.moods, weighted(values, data["mood"])),
            "ticket": mind.ticket or appraisal.ticket,
        }
    )
    final, act = acts.perform(mind, after, deltas, labels, appraisal, scenario, traits, rules)
    if scenario.turns and final.turn >= scenario.turns and not final.ended:
        final, act = final.model_copy(update={"ended": ANSWERED}), act.model_copy(update={"ends": True})
    return Step(mind=final, changes=effects.explained(moved), act=act)


def _labels(appraisal: Appraisal) -> tuple[tuple[str, float], ...]:
    marks = sorted(
        [(t.start, t.code, t.quality) for t in appraisal.techniques]
        + [(a.start, a.code, a.intensity) for a in appraisal.antis]
        + [(v.start, v.code, v.intensity) for v in appraisal.violations],
        key=lambda m: m[0],
    )
    labels = [(code, quality) for _, code, quality in marks]
    names = {code for code, _ in labels}
    if appraisal.customer_act == "crisis" and "crisis_safety" not in names and "crisis_ignore" not in names:
        labels.append(("crisis_ignore", 1.0))  # safety first: anything else said to a person in danger ignores it
    if appraisal.customer_act == "vent" and "soft_explain" in names and "early_explain" not in names:
        labels.append(("early_explain", 1.0))  # 吐槽不解释
    return tuple(labels)


def _moved(
    mind: Mind, labels: tuple[tuple[str, float], ...], appraisal: Appraisal, traits: dict[str, float],
    rules: MindRules, broken: bool,
) -> effects.Tally:  # fmt: skip
    data = rules.data
    names = [code for code, _ in labels]
    before = mind.codes[-1] if mind.codes else ()
    opened = effects.gate(mind.reason, any(c in data["pace"] for c in (*names, *before)), data)
    recent = [code for turn in mind.codes[-data["novelty"]["window"] :] for code in turn]
    pushes = [effects.push(c, q, rules.harmful(c), recent, opened, data) for c, q in labels]
    moved = effects.tally(pushes, traits, data)
    if broken:
        for variable, amount in zip(VARIABLES, data["promise_broken"], strict=True):
            moved.add(CUSTOMER_NOTICES, variable, effects.moderated(variable, amount, traits, data["trait_default"]))
    if not any(rules.harmful(c) for c in names):
        moved.add(COOLED, "A", data["decay"]["A_per_turn_if_no_harm"])
    if appraisal.customer_act == "vent":
        moved.add(VENTED, "G", data["decay"]["G_after_customer_vent"])
    if mind.audience:
        for variable in "AS":
            if moved.total(variable) > 0:
                moved.scale(variable, data["audience_factor"])
    return moved


def _promise_breaks(mind: Mind, names: tuple[str, ...], traits: dict[str, float], data: dict[str, Any]) -> bool:
    if "false_info" in names and traits.get("legal_savvy", 0.0) >= data["false_info_seen_through"]:
        return True
    if "promise_due" in mind.behaviours and set(names) & set(data["promises"]):
        return True  # he was let down once: the next fine promise only opens the wound
    return mind.promise_due or bool(mind.promises and set(names) & set(data["promise_retracted_by"]))


def _target_reason(values: dict[str, float], data: dict[str, Any]) -> float:
    weights = data["reason"]
    return clamp(weights["base"] + weighted(values, {k: w for k, w in weights.items() if k in VARIABLES}))


def _slips(mind: Mind, names: tuple[str, ...], rules: MindRules) -> int:
    return sum(rules.harmful(code) for turn in (*mind.codes, names) for code in turn)


def _stage(
    mind: Mind, values: dict[str, float], names: tuple[str, ...], appraisal: Appraisal, crowd: bool, rules: MindRules
) -> tuple[int, int]:
    r, said = rules.data["stage_rules"], appraisal.customer_act
    anger, trust, stage = values["A"], values["T"], mind.stage
    provoked = any(rules.visible_fatal(c) for c in names)
    if provoked or crowd or said in r["to_4"]["acts"] or (anger >= r["to_4"]["A"] and trust <= r["to_4"]["T"]):
        stage = 4
    elif (anger >= r["to_3"]["A"] and said in r["to_3"]["acts"]) or set(names) & set(r["severe"]):
        stage = max(stage, 3)
    elif anger >= r["to_2"]["A"] or values["G"] >= r["to_2"]["G"] or _slips(mind, names, rules) >= r["to_2"]["antis"]:
        stage = max(stage, 2)
    calm = anger <= r["down"]["A"] and trust >= r["down"]["T"]
    waited = mind.turn + 1 - mind.last_down >= r["down"]["every"]
    heard = stage < 4 or mind.ticket or appraisal.ticket  # an escalated complaint steps down only once it is on record
    if stage == mind.stage and stage > 1 and calm and waited and heard:
        return stage - 1, mind.turn + 1
    return stage, mind.last_down
