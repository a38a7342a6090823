"""The mind against the six gold dialogues and the claims the course makes about order and empathy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.mind import MindRules, start, step
from bot.records import Anti, Appraisal, Mind, Scenario, Step, Technique, Violation
from bot.scenarios import Library

GOLD = sorted((Path(__file__).parent.parent / "evals" / "dialogues" / "gold").glob("*.yaml"))
NAMES = {"insult_outburst": "outburst", "crisis_speech": "crisis", "cry_soften": "cry",
         "accept_reality_state": "accept_reality", "concede_part": "concede", "end_call": "hang_up"}  # fmt: skip
EXTRA = {"interrupt", "file_complaint", "hang_up", "close"}


@pytest.fixture(scope="module")
def rules(library: Library) -> MindRules:
    return MindRules(library.mind_rules, library.taxonomy)


def appraisal(
    library: Library, codes: list[tuple[str, float]], act: str = "complain", ticket: bool = False
) -> Appraisal:
    tax = library.taxonomy
    techniques, antis, violations = [], [], []
    for i, (code, q) in enumerate(codes):
        if code in tax.techniques:
            techniques.append(Technique(code=code, quality=q, evidence="", start=i))
        elif code in tax.antis:
            antis.append(Anti(code=code, severity=tax.antis[code].severity, intensity=q, evidence="", start=i))
        else:
            violations.append(Violation(code=code, level=tax.violations[code].level, intensity=q, evidence="", start=i))
    return Appraisal(
        techniques=tuple(techniques), antis=tuple(antis), violations=tuple(violations), customer_act=act, ticket=ticket
    )


def play(library: Library, rules: MindRules, scenario: Scenario, turns: list[Any], **kw: Any) -> list[Step]:
    mind, steps = start(scenario, None, rules), []
    for codes in turns:
        steps.append(step(mind, appraisal(library, codes, **kw), scenario, rules))
        mind = steps[-1].mind
    return steps


def base(library: Library, **init: float) -> Scenario:
    first = library.scenarios["SC01"]
    values = {"A": 72, "G": 65, "S": 35, "X": 45, "T": 22, "H": 20, "C": 20, "D": 70}
    return first.model_copy(update={"init": {**values, **init}, "traits": {}, "stage": 2})


@pytest.mark.parametrize("path", GOLD, ids=lambda p: p.stem)
def test_gold_dialogue_states_are_reproduced(path: Path, library: Library, rules: MindRules) -> None:
    gold = yaml.safe_load(path.read_text(encoding="utf-8"))
    first = library.scenarios.get(gold["scenario"], library.scenarios["SC01"])
    scenario = first.model_copy(update=gold.get("start", {}))
    mind: Mind = start(scenario, None, rules)
    for turn in gold["turns"]:
        codes = [(c["code"], c["quality"]) for c in turn["codes"]]
        found = step(
            mind, appraisal(library, codes, turn["customer_act"], turn.get("ticket", False)), scenario, rules,
            gathered=turn.get("gathered", False), promise_broken=turn.get("promise_broken", False),
        )  # fmt: skip
        mind, expected = found.mind, turn["state_after"]
        got = {**{k: round(x) for k, x in mind.values.items()}, "R": round(mind.reason), "M": round(mind.mood, 1)}
        assert {**got, "stage": mind.stage} == expected, f"{gold['id']} turn {turn['n']}"
        wanted = {NAMES.get(b, b) for b in turn["allowed_behaviours"]}
        assert wanted <= set(found.act.allowed), (turn["n"], wanted, found.act.allowed)
        assert set(found.act.allowed) - wanted <= EXTRA, (turn["n"], wanted, found.act.allowed)


def test_changes_add_up_to_what_moved(library: Library, rules: MindRules) -> None:
    scenario = base(library)
    (only,) = play(library, rules, scenario, [[("pace_emotion", 1.2), ("pace_fact", 1.0)]])
    for variable, value in only.mind.values.items():
        moved = sum(c.delta for c in only.changes if c.variable == variable)
        assert value - scenario.init[variable] == pytest.approx(moved, abs=0.2), variable


def test_order_matters(library: Library, rules: MindRules) -> None:
    good = [[("pace_fact", 1.0), ("pace_emotion", 1.0)], [("pace_expectation", 1.0), ("pace_emotion", 1.0)],
            [("pace_motive", 1.0), ("lead_solution", 1.0)], [("probe_6w3h", 1.0)], [("iceberg_dig", 1.0)],
            [("third_option", 1.0), ("soft_explain", 1.0)], [("warm_close", 1.0)]]  # fmt: skip
    forward = play(library, rules, base(library), good)[-1].mind
    backward = play(library, rules, base(library), [*reversed(good[:-1]), good[-1]])[-1].mind
    assert forward.mood > backward.mood + 8
    assert forward.values["D"] < backward.values["D"]


def test_empathy_alone_never_buys_acceptance(library: Library, rules: MindRules) -> None:
    kind = [[("pace_fact", 1.2), ("pace_emotion", 1.3)], [("pace_expectation", 1.2)], [("pace_emotion", 1.3)],
            [("pace_motive", 1.2)], [("same_side", 1.0)], [("vent_hold", 1.2)], [("pace_emotion", 1.5)]]  # fmt: skip
    steps = play(library, rules, base(library), kind)
    assert steps[-1].mind.values["A"] < 50
    assert not any({"accept", "provisional_accept"} & set(s.act.allowed) for s in steps)


def test_solution_before_pacing_backfires_on_an_angry_customer(library: Library, rules: MindRules) -> None:
    angry = base(library, A=82, G=85)
    (lead,) = play(library, rules, angry, [[("third_option", 1.2)]])
    (pace,) = play(library, rules, angry, [[("pace_emotion", 1.2)]])
    assert lead.mind.values["A"] > 82 > pace.mind.values["A"]
    assert lead.act.behaviour != "accept" and lead.mind.values["C"] <= angry.init["C"]


def test_a_visible_fatal_breach_makes_him_complain_and_a_hidden_one_explodes_later(
    library: Library, rules: MindRules
) -> None:
    (threat,) = play(library, rules, base(library), [[("threat_intimidate", 1.0)]])
    assert threat.act.behaviour == "file_complaint" and threat.mind.stage == 4
    promised = [[("false_promise_credit", 1.2)], [("pace_emotion", 1.0)], [("pace_fact", 1.0)],
                [("pace_motive", 1.0)], [("same_side", 1.0)]]  # fmt: skip
    steps = play(library, rules, base(library), promised)
    assert steps[0].mind.values["A"] < 72 and steps[0].act.behaviour != "file_complaint"
    assert steps[3].act.behaviour == "promise_due"
    assert steps[4].mind.values["A"] > steps[3].mind.values["A"]
    assert any(c.cause == "promise_broken" for c in steps[4].changes)


def test_hidden_facts_come_out_only_when_asked_and_earned(library: Library, rules: MindRules) -> None:
    scenario = base(library)
    asked = appraisal(library, [("probe_6w3h", 1.0)]).model_copy(update={"slots": ("how_much",)})
    early = step(start(scenario, None, rules), asked, scenario, rules)
    assert early.act.behaviour == "withhold" and early.mind.told == ()
    trusting = base(library, A=40, G=40, T=55, X=30)
    late = step(start(trusting, None, rules), asked, trusting, rules)
    assert late.act.facts == ("how_much",) and late.mind.told == ("how_much",)


def test_he_leaves_after_two_turns_of_fury_or_three_of_stalling(library: Library, rules: MindRules) -> None:
    furious = play(library, rules, base(library, A=90), [[("retaliate", 1.0)], [("preach", 1.0)]])
    assert furious[-1].act.ends and furious[-1].mind.ended
    stalled = play(library, rules, base(library, A=35, G=30), [[("brush_off", 0.5)]] * 3)
    assert stalled[-1].act.behaviour == "hang_up"


def test_same_inputs_same_outputs(library: Library, rules: MindRules) -> None:
    turns = [[("pace_fact", 0.8)], [("early_explain", 1.0)], [("third_option", 1.0)]]
    assert play(library, rules, base(library), turns) == play(library, rules, base(library), turns)
