"""Feedback on one reply: the one point made, the checks that apply, the better wording."""

from __future__ import annotations

from typing import Any

import pytest

from bot import grading
from bot.grading.wording import said_back
from bot.records import Scenario, Turn, TurnGrade
from bot.scenarios import Library
from tests.grading_talks import good, turn


def feedback(library: Library, only: Turn, *earlier: Turn) -> TurnGrade:
    return grading.grade_turn(only, earlier, library)


PRIORITY = [
    (["threat_intimidate", "deny_emotion", "early_explain"], "threat_intimidate"),
    (["obstruct_complaint", "deny_emotion"], "obstruct_complaint"),
    (["deny_emotion", "early_explain", "canned_script"], "deny_emotion"),
    (["early_explain", "rebut"], "early_explain"),
    (["rebut", "canned_script"], "rebut"),
    (["canned_script"], "canned_script"),
]


@pytest.mark.parametrize(("codes", "first"), PRIORITY)
def test_one_point_is_made_the_gravest(codes: list[str], first: str, library: Library) -> None:
    words = "甲乙丙丁戊己"
    marks = [(c, 1.0, words[2 * i : 2 * i + 2]) for i, c in enumerate(codes)]
    grade = feedback(library, turn(library, 1, words, *marks, A=80.0))
    assert grade.coaching.code == first
    assert grade.coaching.better
    assert grade.coaching.evidence == next(m[2] for m in marks if m[0] == first)


def test_a_solution_ahead_of_pacing_is_about_order(library: Library) -> None:
    early = turn(library, 1, "我给您办只还利息。", ("lead_solution", 1.2), A=80.0)
    grade = feedback(library, early)
    assert "顺序" in grade.coaching.point
    assert grade.dims["pacing"].score == 2
    assert next(v for v in grade.verdicts if v.id == "order").passed is False
    paced = turn(library, 2, "我给您办只还利息。", ("lead_solution", 1.2), A=70.0)
    after = feedback(library, paced, good(library, 1, A=75.0))
    assert next(v for v in after.verdicts if v.id == "order").passed is True
    assert after.dims["pacing"].score == 5


MISSING = [
    ("complain", "pace_emotion"), ("vent", "vent_hold"), ("allege", "people_centered"), ("threat", "self_regulate"),
    ("disclose", "pace_emotion"), ("demand", "pace_expectation"), ("bargain", "refuse_concede"),
    ("soften", "lead_solution"), ("accept", "warm_close"), ("refuse", "accept_reality"), ("test", "anti_fishing"),
    ("ask", "compliant_script"),
]  # fmt: skip


@pytest.mark.parametrize(("act", "code"), MISSING)
def test_a_reply_without_marks_is_told_what_is_missing(act: str, code: str, library: Library) -> None:
    grade = feedback(library, turn(library, 2, "好的，我看一下。", act=act, A=65.0), good(library, 1, A=65.0))
    assert grade.coaching.code == code
    assert "还缺" in grade.coaching.point
    assert grade.coaching.evidence == "好的，我看一下。"
    assert grade.coaching.better
    if act in ("complain", "disclose", "threat"):
        assert grade.dims["emotion"].score == 2
        assert "没有接" in grade.dims["emotion"].why


def test_a_good_reply_is_praised_for_its_best(library: Library) -> None:
    reply = turn(library, 1, "您这口气憋了一天，换谁都难受。", ("pace_emotion", 1.3), ("self_regulate", 0.8))
    grade = feedback(library, reply)
    assert grade.coaching.code == "pace_emotion"
    assert "值得留住" in grade.coaching.point


def test_the_first_reply_gets_the_cases_own_model_reply(library: Library) -> None:
    case = library.scenarios["SC01"]
    opening = turn(library, 1, "您先冷静。", ("deny_emotion", 1.0, "您先冷静"), customer=case.opening)
    assert feedback(library, opening).coaching.better == case.exemplary
    other = turn(library, 1, "您先冷静。", ("deny_emotion", 1.0, "您先冷静"), customer="你们取消了两回都没通知我！")
    assert "你们取消了两回都没通知我" in feedback(library, other).coaching.better


def test_hidden_facts_are_not_given_away_by_the_better_wording(library: Library) -> None:
    case = library.scenarios["SC01"]
    first = good(library, 1, customer=case.opening)
    wall = turn(library, 2, "规定不能免。", "rule_wall", act="demand", customer="把利息给我免了。")
    assert feedback(library, wall, first).coaching.better != case.exemplary_key
    earned = good(library, 1, customer=case.opening, told=("how_much",))
    assert feedback(library, wall, earned).coaching.better == case.exemplary_key


def test_an_outbound_call_starts_with_identity(library: Library) -> None:
    case = library.scenarios["SC11"]
    grade = feedback(library, turn(library, 1, "您好，最近忙吗。", act="ask", customer=case.opening))
    assert grade.coaching.code == "disclose_identity"
    assert grade.coaching.better == case.exemplary
    assert next(v for v in grade.verdicts if v.id == "identity").passed is False


def test_breaches_cite_their_rules_and_fill_placeholders(library: Library) -> None:
    for code, card in library.taxonomy.violations.items():
        said = turn(library, 1, "一句不该说的话。", code, customer=library.scenarios["SC11"].opening)
        grade = feedback(library, said)
        assert grade.coaching.code == code
        assert grade.coaching.better
        assert "{" not in grade.coaching.better
        verdict = grade.verdicts[0]
        assert verdict.passed is False
        assert verdict.evidence == "一句不该说的话。"
        assert verdict.citations, card.code
        assert all(c.startswith("《") and "（确信度" in c for c in verdict.citations)


CHECKS = [
    ("vent", "排队久是因为系统慢。", ["early_explain"], "vent", False),
    ("vent", "是挺气人的。", [("vent_hold", 1.0)], "vent", True),
    ("allege", "我登记编号去查。", [("people_centered", 1.0)], "allege", True),
    ("allege", "不可能。", ["rebut"], "allege", False),
    ("ask", "几张卡？收入多少？还有贷款吗？", [], "questions", False),
    ("ask", "大概是多少？", [("probe_6w3h", 1.0)], "questions", True),
    ("demand", "肯定能免。", ["overpromise"], "promise", False),
    ("demand", "批不批要看审核。", [("compliant_script", 1.0)], "promise", True),
    ("crisis", "先把这期还了。", ["premature_lead"], "crisis", False),
    ("crisis", "您身边有没有人？", [("crisis_safety", 1.0)], "crisis", True),
    ("threat", "你去投诉啊。", ["retaliate"], "threat", False),
    ("threat", "投诉是您的权利。", [("self_regulate", 1.0)], "threat", True),
    ("disclose", "先还两千。", ["premature_lead"], "disclosed", False),
    ("soften", "明天上午十点给您回电话。", [("lead_solution", 1.0)], "when", True),
    ("soften", "您等通知。", ["delay_stall"], "when", False),
    ("accept", "好的再见。", [], "close", False),
    ("complain", "一天八个电话。", [("pace_fact", 1.0)], "detail", True),
]


@pytest.mark.parametrize(("act", "reply", "codes", "name", "passed"), CHECKS)
def test_checks(act: str, reply: str, codes: list[Any], name: str, passed: bool, library: Library) -> None:
    grade = feedback(library, turn(library, 1, reply, *codes, act=act))
    verdict = next(v for v in grade.verdicts if v.id == name)
    assert verdict.passed is passed
    assert verdict.evidence in reply
    assert verdict.reason
    assert len({v.id for v in grade.verdicts}) == len(grade.verdicts)


def test_only_checks_that_apply_are_made(library: Library) -> None:
    grade = feedback(library, turn(library, 1, "嗯。", act="ask"))
    assert [v.id for v in grade.verdicts] == ["redline"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("（拍桌）打四次电话四个说法！", "您说『打四次电话四个说法』"),
        ("你再说一遍？！", ""),
        ("你们就是吸血鬼啊啊！", ""),
        ("", ""),
    ],
)
def test_the_customers_words_are_handed_back_only_when_fit(line: str, said: str) -> None:
    assert said_back(line) == said


def test_the_drill_for_a_typical_slip_is_a_case_where_it_is_typical(library: Library) -> None:
    case: Scenario = library.scenarios["SC01"]
    blamed = turn(library, 1, "您早说不就好了。", "blame_customer")
    report = grading.report([blamed], case, library)
    drilled = library.scenarios[report.focus[0].drill]
    assert any(w.code == "blame_customer" for w in drilled.wrong)
    assert drilled.id != case.id


def test_found_and_hidden_split_what_can_be_known(library: Library) -> None:
    report = grading.report([good(library, 1, told=("how", "need_business"))], library.scenarios["SC01"], library)
    assert report.found == ("how", "need_business")
    assert len(report.found) + len(report.hidden) == 11
    assert "need_emotional" in report.hidden
