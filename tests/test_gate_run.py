"""The run through the five gates: attempts, falling back, the one demonstration, and how it ends."""

from __future__ import annotations

from typing import Any

from bot.grading import gate_run
from bot.parts import Parts
from bot.records import GateRun, Turn
from bot.scenarios import Library
from bot.session import Session
from tests.grading_talks import turn

CUSTOMER = "你们一天打八个电话！"


def run(library: Library, *turns: Turn) -> GateRun:
    return gate_run(turns, library.scenarios["SC38"], library)


def said(library: Library, n: int, anger: float, *codes: Any, **more: Any) -> Turn:
    first = library.scenarios["SC38"].opening
    return turn(library, n, f"第{n}句话。", *codes, A=anger, customer=first if n == 1 else CUSTOMER, **more)


def test_three_failures_bring_one_demonstration_and_three_more_end_it(library: Library) -> None:
    turns: list[Turn] = []
    shown = []
    for n in range(1, 14):
        turns.append(said(library, n, 76.0, "canned_script", "deny_emotion"))
        state = run(library, *turns)
        if state.demo:
            shown.append(n)
        if state.over:
            break
    assert shown == [3], "a demonstration after the third failure, once"
    assert state.over == "gates_stuck" and state.steps[0].tries == 6 and state.at == 0
    assert state.steps[0].demo and state.steps[0].tip


def test_an_attempt_runs_out_of_turns_and_the_next_one_starts_clean(library: Library) -> None:
    one = said(library, 1, 76.0, "vent_hold")
    assert run(library, one).steps[0].tries == 0
    two = said(library, 2, 76.0, "vent_hold")
    failed = run(library, one, two)
    assert failed.steps[0].tries == 1 and "没过" in failed.said
    three = said(library, 3, 60.0, ("pace_emotion", 1.2))
    passed = run(library, one, two, three)
    assert passed.at == 1 and passed.steps[0].passed and passed.steps[0].golden in three.reply


def test_anger_that_rises_again_falls_back_to_the_first_gate(library: Library) -> None:
    one = said(library, 1, 60.0, ("pace_emotion", 1.2), changes=())
    two = said(library, 2, 72.0, "rule_wall")
    back = run(library, one, two)
    assert back.rollbacks == (2,) and back.at == 0 and not any(s.passed for s in back.steps)
    three = said(library, 3, 60.0, ("pace_emotion", 1.2))
    assert run(library, one, two, three).at == 1
    calm = said(library, 2, 62.0, "rule_wall")
    assert run(library, one, calm).rollbacks == (), "a rise that stays low is only a slip"
    turns = [said(library, n, 60.0 if n % 2 else 75.0, ("pace_emotion", 1.2)) for n in range(1, 8)]
    assert run(library, *turns).over == "gates_rolled_back"


def test_a_run_ends_and_its_report_counts_every_gate(parts: Parts) -> None:
    session = Session.start(parts, "SC38", mode="gate")
    case = session.snapshot.scenario
    session.say(case.exemplary)
    state = session.gates
    assert state and state.at == 1 and state.steps[0].golden in case.exemplary
    for _ in range(12):
        if session.ended:
            break
        session.say("规定就是这样，我们也没办法。")
    assert session.ended
    report = session.finish()
    assert not report.passed and [g.id for g in report.gates] == ["G1", "G2", "G3", "G4", "G5"]
    assert len([p for p in report.penalties if p.name == "回炉"]) == len(session.gates.rollbacks)
    assert Session.resume(parts, session.id).recompute() == report


def test_other_modes_have_no_run(parts: Parts) -> None:
    assert Session.start(parts, "SC38").gates is None


def test_the_model_replies_of_the_case_open_the_first_three_gates(parts: Parts) -> None:
    session = Session.start(parts, "SC38", mode="gate")
    for line in (
        session.snapshot.scenario.exemplary,
        "调度那通电话，自己扛着的事倒让老班长先知道了，换谁都窝火、都觉得没脸。您跑了这么多年车，要强了半辈子，"
        "心里最要紧的是有人给个说法，是不是？",
        "同样的车比人家高一截，心里肯定不平，您跑一天车挣的都是辛苦钱。您看我先帮您把眼下的月供算一算，行吗？",
        "您心里过不去我明白。虽然利息我没权限免，但是有一件我今天就能替您办：把您车损停运的情况和定损单一起报上去，"
        "申请先只还利息，哪天有结果我打给您。",
    ):
        session.say(line)
    assert session.gates and session.gates.at == 3 and session.gates.rollbacks == ()
