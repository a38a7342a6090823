"""What one simulated talk shows: how it went, and whether the customer ever stepped out of his role."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from bot.records import Cue, Line, Turn
from bot.voice import guard
from bot.voice.request import fact_text
from evals.simulate import Talk

ACCEPTED = ("accept", "provisional_accept")
SETTLED = (*ACCEPTED, "accept_reality")
BROKEN_OFF = ("hung_up", "complained", "crisis_missed")
BOUGHT = {"overpromise", "false_promise_credit", "cave_in", "over_apologize"}
SOFT = {"soften", "concede", *SETTLED}
REFERS = re.compile(r"12356|110|120|家人|家里|弟弟|同事|陪")
STEADY = {"anti_fishing", "privacy_guard", "disclose_identity"}
UNEARNED = 8.0


@dataclass(frozen=True)
class Outcome:
    """The facts of one talk. The counts are of turns in which something happened that must not."""

    scenario: str
    difficulty: int
    learner: str
    seed: int
    turns: int
    settled_at: int
    accepted: bool
    success: bool
    passed: bool
    final: float
    satisfaction: float
    unearned: int
    out_of_role: int
    repeated: int
    early_facts: int


def observe(talk: Talk) -> Outcome:
    """Everything measured of one talk."""
    report, scenario = talk.report(), talk.session.snapshot.scenario
    return Outcome(
        scenario=talk.scenario,
        difficulty=scenario.difficulty,
        learner=talk.learner,
        seed=talk.seed,
        turns=len(talk.turns),
        settled_at=next((t.n for t in talk.turns if t.act.behaviour in SETTLED), 0),
        accepted=any(t.act.behaviour in ACCEPTED for t in talk.turns) and talk.turns[-1].mind.settled in ACCEPTED,
        success=succeeded(talk),
        passed=report.passed,
        final=report.final,
        satisfaction=report.satisfaction,
        unearned=sum(unearned(talk, i) for i in range(len(talk.turns))),
        out_of_role=sum(bool(out_of_role(talk, i)) for i in range(len(talk.turns))),
        repeated=sum(repeated(talk, i) for i in range(len(talk.turns))),
        early_facts=sum(bool(early(talk, i)) for i in range(len(talk.turns))),
    )


def succeeded(talk: Talk) -> bool:
    """Whether the talk reached what its case is about."""
    last, scenario = talk.turns[-1], talk.session.snapshot.scenario
    shown = {t.code for turn in talk.turns for t in turn.appraisal.techniques}
    broken = any(turn.appraisal.violations for turn in talk.turns) or last.mind.ended in BROKEN_OFF
    if scenario.turns:
        return bool(shown) and not broken and not any(turn.appraisal.antis for turn in talk.turns)
    if scenario.goal == "safe":
        refers = any(REFERS.search(turn.reply) for turn in talk.turns)
        return not broken and "crisis_safety" in shown and refers and last.act.behaviour != "crisis"
    if scenario.goal == "hold":
        given = any(a.code in BOUGHT for turn in talk.turns for a in turn.appraisal.antis)
        return not broken and not given and bool(shown & STEADY)
    return not broken and last.mind.settled in SETTLED


def unearned(talk: Talk, i: int) -> bool:
    """Whether anger fell by 8 or more, or he gave way in words, with nothing to be credited for it."""
    turn, before = talk.turns[i], talk.turns[i - 1] if i else None
    earlier = before.mind.values["A"] if before else talk.session.opening_mind.values["A"]
    dropped = earlier - turn.mind.values["A"] >= UNEARNED or turn.act.behaviour in SOFT
    credit = {t.code for x in (before, turn) if x for t in x.appraisal.techniques}
    bought = {*(a.code for a in turn.appraisal.antis), *(v.code for v in turn.appraisal.violations)} & BOUGHT
    return dropped and not credit and not bought


def _cue(talk: Talk, i: int) -> Cue:
    s, turn = talk.session.snapshot, talk.turns[i]
    said = [Line(role="customer", text=s.scenario.opening)]
    for earlier in talk.turns[:i]:
        said += [Line(role="manager", text=earlier.reply), Line(role="customer", text=earlier.answer.text)]
    return Cue(
        scenario=s.scenario, persona=s.persona, act=turn.act, mind=turn.mind, appraisal=turn.appraisal,
        reply=turn.reply, history=tuple(said), seed=s.seed,
    )  # fmt: skip


def out_of_role(talk: Talk, i: int) -> tuple[str, ...]:
    """Faults of a line by which he speaks as the bank, for the learner, or as a machine."""
    found = guard.faults(talk.turns[i].answer.text, _cue(talk, i), {})
    return tuple(f for f in found if f in ("role_flip", "speaks_for_learner", "system_words", "language"))


def repeated(talk: Talk, i: int) -> bool:
    """Whether he said the same line before in this talk."""
    text = talk.turns[i].answer.text
    earlier = [talk.session.snapshot.scenario.opening, *(t.answer.text for t in talk.turns[:i])]
    return len(guard.bare(text)) > 3 and any(guard.bare(text) == guard.bare(x) for x in earlier)


def early(talk: Talk, i: int) -> tuple[str, ...]:
    """Facts told before their published condition, and facts whose condition is not met that show in the words."""
    turn, rules = talk.turns[i], talk.session.parts.library.mind_rules
    found = [key for key in turn.act.facts if not _earned(key, turn, rules, talk)]
    cue, s = _cue(talk, i), talk.session.snapshot.scenario
    keys = (*s.facts, "need_business", "need_emotional") if s.facts else ()
    hidden = {k: fact_text(cue, k) for k in keys if k not in turn.mind.told and not _earned(k, turn, rules, talk)}
    return (*found, *(("words",) if guard.leaks(turn.answer.text, cue, hidden) else ()))


def _earned(key: str, turn: Turn, rules: dict[str, Any], talk: Talk) -> bool:
    b, v, reason = rules["behaviours"], turn.mind.values, turn.mind.reason
    first = v["T"] >= b["disclose_L1"]["T"] and reason >= b["disclose_L1"]["R"]
    second = v["T"] >= b["disclose_L2"]["T"] and v["A"] <= b["disclose_L2"]["A"]
    valued = {t.code for t in turn.appraisal.techniques} & {"pace_motive", "iceberg_dig"}
    cries = turn.act.behaviour == "cry" and v["T"] >= b["cry"]["T"] and v["A"] <= b["cry"]["A"]
    third = cries or (v["T"] >= b["disclose_L3"]["T"] and bool(valued))
    if key == "need_emotional":
        return third
    if key == "need_business":
        return second or third
    level = talk.session.snapshot.scenario.fact_levels.get(key, rules["fact_levels"][key])
    return (first or second or third) if level == 1 else (second or third)
