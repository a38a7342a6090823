"""What must hold of the mind whatever is said to it, in whatever order, by anybody to anyone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bot.mind import MindRules, start, step
from bot.records import VARIABLES, Anti, Appraisal, Mind, Persona, Scenario, Step, Technique, Violation
from bot.scenarios import Library, load_library
from tests.conftest import ROOT

LIBRARY: Library = load_library(ROOT)
RULES = MindRules(LIBRARY.mind_rules, LIBRARY.taxonomy)
TAX = LIBRARY.taxonomy
CASES = [s for s in LIBRARY.scenarios.values() if not s.drills]
TECHNIQUES, ANTIS, BREACHES = sorted(TAX.techniques), sorted(TAX.antis), sorted(TAX.violations)
EMPATHY = ["pace_fact", "pace_emotion", "pace_expectation", "pace_motive", "vent_hold", "self_regulate", "same_side"]
WARM = [c for c in TECHNIQUES if c not in RULES.data["solutions"]["codes"]]
FATAL = [c for c in BREACHES if RULES.visible_fatal(c)]
HIDDEN_FATAL = [c for c in BREACHES if TAX.violations[c].level == "fatal" and c in RULES.data["hidden_violations"]]
SLOTS = ("who", "what", "when", "where", "why", "which", "how", "how_much", "how_long")
ACTS = ("vent", "complain", "allege", "demand", "threat", "ask", "soften", "disclose", "refuse")

case = st.sampled_from(CASES)
persona = st.none() | st.sampled_from(sorted(LIBRARY.personas.values(), key=lambda p: p.id))
quality = st.floats(0.3, 1.5)
codes = st.lists(st.tuples(st.sampled_from([*TECHNIQUES, *ANTIS, *BREACHES]), quality), max_size=6,
                 unique_by=lambda pair: pair[0])  # fmt: skip
fast = settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


def read(labels: list[tuple[str, float]], act: str = "complain", **more: Any) -> Appraisal:
    """An appraisal that shows some codes."""
    spot = list(enumerate(labels))
    return Appraisal(
        techniques=tuple(Technique(code=c, quality=q, evidence="", start=i) for i, (c, q) in spot if c in TAX.techniques),
        antis=tuple(Anti(code=c, severity=TAX.antis[c].severity, intensity=q, evidence="", start=i)
                    for i, (c, q) in spot if c in TAX.antis),
        violations=tuple(Violation(code=c, level=TAX.violations[c].level, intensity=q, evidence="", start=i)
                         for i, (c, q) in spot if c in TAX.violations),
        customer_act=act, **more,
    )  # fmt: skip


appraisals = st.builds(
    lambda labels, act, slots, ticket, long: read(labels, act, slots=tuple(slots), ticket=ticket, explain_chars=long),
    codes, st.sampled_from(ACTS), st.lists(st.sampled_from(SLOTS), max_size=3, unique=True), st.booleans(),
    st.integers(0, 200),
)  # fmt: skip
talks = st.lists(appraisals, min_size=1, max_size=12)


def play(scenario: Scenario, who: Persona | None, turns: list[Appraisal]) -> list[Step]:
    """A talk up to where the customer ends it."""
    mind, steps = start(scenario, who, RULES), list[Step]()
    for turn in turns:
        steps.append(step(mind, turn, scenario, RULES, who))
        mind = steps[-1].mind
        if mind.ended:
            break
    return steps


@fast
@given(case, persona, talks)
def test_no_variable_leaves_its_range_and_no_turn_moves_more_than_it_may(
    scenario: Scenario, who: Persona | None, turns: list[Appraisal]
) -> None:
    before: Mind = start(scenario, who, RULES)
    for done in play(scenario, who, turns):
        mind = done.mind
        assert set(mind.values) == set(VARIABLES)
        assert all(0 <= v <= 100 for v in mind.values.values()) and 0 <= mind.reason <= 100
        assert 1 <= mind.stage <= 4 and 0 <= mind.audience <= 5
        assert mind.stage >= before.stage - 1, "a complaint steps down one stage at a time"
        for name, (low, high) in RULES.data["turn_caps"].items():
            moved = mind.values[name] - before.values[name]
            assert low - 1e-6 <= moved <= high + 1e-6 or name in RULES.data["residual"], (name, moved)
        before = mind


@fast
@given(case, persona, talks)
def test_the_same_talk_gives_the_same_mind(scenario: Scenario, who: Persona | None, turns: list[Appraisal]) -> None:
    assert play(scenario, who, turns) == play(scenario, who, [t.model_copy() for t in turns])


@fast
@given(case, persona, talks)
def test_nothing_is_earned_for_nothing(scenario: Scenario, who: Persona | None, turns: list[Appraisal]) -> None:
    """Anger falls by 8 or more, or he gives way, only where a technique (or a promise) was shown."""
    bought = {"overpromise", "false_promise_credit", "cave_in", "over_apologize"}
    anger, last = start(scenario, who, RULES).values["A"], frozenset[str]()
    for done in play(scenario, who, turns):
        shown = frozenset(done.mind.codes[-1])
        good = {c for c in shown | last if not RULES.harmful(c)}
        softer = done.act.behaviour in ("soften", "concede", "accept", "provisional_accept")
        if anger - done.mind.values["A"] >= 8 or softer:
            assert good or shown & bought, (done.act.behaviour, shown)
        anger, last = done.mind.values["A"], shown


@fast
@given(case, persona, st.lists(st.lists(st.tuples(st.sampled_from(WARM), quality), max_size=4, unique_by=lambda x: x[0]),
                               min_size=1, max_size=14))  # fmt: skip
def test_warmth_without_a_way_out_never_buys_acceptance(
    scenario: Scenario, who: Persona | None, turns: list[list[tuple[str, float]]]
) -> None:
    for done in play(scenario, who, [read(t) for t in turns]):
        assert done.act.behaviour not in ("accept", "provisional_accept")
        assert not {"accept", "provisional_accept"} & set(done.act.allowed)


@fast
@given(case, persona, talks, st.sampled_from(FATAL), st.floats(0.6, 1.2))
def test_a_fatal_breach_he_sees_always_has_consequences(
    scenario: Scenario, who: Persona | None, turns: list[Appraisal], breach: str, force: float
) -> None:
    steps = play(scenario, who, turns)
    assume(not steps[-1].mind.ended)
    done = step(steps[-1].mind, read([(breach, force)]), scenario, RULES, who)
    assert "file_complaint" in done.act.allowed and done.mind.stage == 4
    assert done.act.behaviour in ("file_complaint", "crisis", "silence")
    before = steps[-1].mind.values
    assert done.mind.values["T"] < before["T"] or before["T"] < 1


@fast
@given(case, st.sampled_from(HIDDEN_FATAL), st.floats(0.6, 1.2))
def test_a_fatal_breach_he_does_not_see_comes_back_or_costs_trust(
    scenario: Scenario, breach: str, force: float
) -> None:
    act = "complain"
    one = step(start(scenario, None, RULES), read([(breach, force)], act), scenario, RULES)
    if breach not in RULES.data["promises"]:
        assert one.mind.values["T"] < scenario.init["T"] or one.act.ends
        return
    steps, mind = [one], one.mind
    for _ in range(6):
        steps.append(step(mind, read([("pace_fact", 0.5)], act), scenario, RULES))
        mind = steps[-1].mind
        if mind.ended:
            break
    behaviours = [s.act.behaviour for s in steps]
    broken = any(c.cause == "promise_broken" for s in steps for c in s.changes)
    assert "promise_due" in behaviours or broken or {"crisis"} & set(behaviours) or mind.ended


@fast
@given(case, st.permutations(EMPATHY[:5]), st.floats(1.0, 1.4))
def test_pacing_before_leading_beats_the_same_words_the_other_way_round(
    scenario: Scenario, paces: list[str], strength: float
) -> None:
    assume(scenario.goal == "accept")
    kind, lead = [read([(c, strength)]) for c in paces], [read([("third_option", strength)])]
    paced, led = play(scenario, None, kind + lead), play(scenario, None, lead + kind)
    assume(len(paced) == len(led) == len(paces) + 1)
    assume(start(scenario, None, RULES).reason < 45)  # whoever can reason from the start may be led from the start
    assert paced[-1].mind.values["D"] < led[-1].mind.values["D"]
    assert paced[-1].mind.values["C"] > led[-1].mind.values["C"]
    assert paced[-1].mind.values["H"] > led[-1].mind.values["H"]


@fast
@given(case, persona, talks)
def test_hidden_facts_wait_for_their_condition(scenario: Scenario, who: Persona | None, turns: list[Appraisal]) -> None:
    b = RULES.data["behaviours"]
    told: tuple[str, ...] = ()
    for done in play(scenario, who, turns):
        v, reason = done.mind.values, done.mind.reason
        assert set(told) <= set(done.mind.told), "what is told stays told"
        for key in done.act.facts:
            assert key not in told, "nothing is told twice"
            level = 3 if key.startswith("need_") else scenario.fact_levels.get(key, RULES.data["fact_levels"][key])
            cries = done.act.behaviour == "cry" and v["T"] >= b["cry"]["T"] and v["A"] <= b["cry"]["A"]
            second = v["T"] >= b["disclose_L2"]["T"] and v["A"] <= b["disclose_L2"]["A"]
            third = v["T"] >= b["disclose_L3"]["T"] or cries
            first = v["T"] >= b["disclose_L1"]["T"] and reason >= b["disclose_L1"]["R"]
            earned = {1: first or second or third, 2: second or third, 3: third or (key == "need_business" and second)}
            assert earned[level], (key, v["T"], v["A"], reason)
        told = done.mind.told


@fast
@given(case, persona, talks)
def test_only_a_customer_at_risk_ever_speaks_of_it(
    scenario: Scenario, who: Persona | None, turns: list[Appraisal]
) -> None:
    assume(scenario.traits.get("crisis_prone", 0) < 0.5)
    assert not {"crisis", "silence"} & {done.act.behaviour for done in play(scenario, who, turns)}


@fast
@given(talks)
def test_a_cry_unheard_ends_the_talk_and_one_heard_does_not(turns: list[Appraisal]) -> None:
    scenario = LIBRARY.scenarios["SC30"]
    first = turns[0].model_copy(update={"customer_act": "crisis"})
    done = step(start(scenario, None, RULES), first, scenario, RULES)
    heard = any(t.code == "crisis_safety" for t in first.techniques)
    unheard = not heard or any(v.code == "crisis_ignore" for v in first.violations)
    assert (done.mind.ended == "crisis_missed") is unheard


def test_two_slips_wake_a_complaint_that_was_only_budding() -> None:
    calm = LIBRARY.scenarios["SC11"].model_copy(
        update={"init": {"A": 10, "G": 10, "S": 20, "X": 40, "T": 40, "H": 40, "C": 40, "D": 30}}
    )
    steps = play(calm, None, [read([("over_apologize", 0.3)]), read([("over_apologize", 0.3)])])
    assert [s.mind.stage for s in steps] == [1, 2]


def test_whoever_was_let_down_once_does_not_fall_for_the_next_promise() -> None:
    scenario = LIBRARY.scenarios["SC01"]
    promise, wait = read([("overpromise", 1.0)]), read([("pace_fact", 0.5)])
    steps = play(scenario, None, [promise, wait, wait, wait, wait, promise])
    assert steps[0].mind.values["A"] < scenario.init["A"]
    assert "promise_due" in [s.act.behaviour for s in steps]
    assert steps[-1].mind.values["A"] > steps[-2].mind.values["A"]
    assert steps[-1].mind.values["T"] < steps[-2].mind.values["T"]


def test_the_five_gates_are_put_in_order_and_only_to_someone_who_does_some_good() -> None:
    scenario = LIBRARY.scenarios["SC38"]
    kind = [read([("pace_fact", 0.6)]), read([("pace_emotion", 0.6)]), read([("vent_hold", 0.6)])]
    said = [s.act.says for s in play(scenario, None, kind * 4) if s.act.says]
    assert said == [g.customer for g in scenario.gates[1:]][: len(said)] and len(said) >= 3
    assert not [s for s in play(scenario, None, [read([])] * 6) if s.act.says]
    assert not [s for s in play(scenario, None, [read([("rebut", 0.5)])] * 3) if s.act.says]


@pytest.mark.parametrize("case_id", ["SC08", "SC20"])
def test_each_isolation_takes_one_layer_of_onlookers(case_id: str) -> None:
    steps = play(LIBRARY.scenarios[case_id], None, [read([("isolate_scene", 1.0), ("pace_emotion", 1.0)])] * 4)
    assert [s.mind.audience for s in steps] == [2, 1, 0, 0]
