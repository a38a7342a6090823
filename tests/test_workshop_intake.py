"""A pasted record of a complaint: nothing personal is kept, what it says is used, what it does not say is marked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.errors import LearnerError, ModelError
from bot.mind import MindRules
from bot.parts import Parts
from bot.records import LOCAL_ACTOR, SLOTS, Problem
from bot.scenarios import Library
from bot.workshop import Workshop, intake, masking, problems, regress
from tests.conftest import ROOT
from tests.fakes import ScriptedModel

RECORD = (
    "2026年3月2日，客户王建国先生来电投诉，手机13812345678，身份证11010519491231002X，住城西区幸福路18号3栋502室，"
    "邮箱wjg@example.com，座机010-88886666，车牌京A12345。客户45岁，职业：货车司机，在我行办理车贷，余额12.6万，逾期62天。"
    "客户情绪激动，称：“我跑车跑了半年没结到运费，你们一天打五个电话，是不是想逼死我？！”王建国反映去年底因物流公司拖欠运费，"
    "家里孩子上大学，妻子住院，每月能拿出2000元左右。要求停止催收电话并减免罚息。客户表示愿意分期，希望缓三个月。"
)
PERSONAL = ("王建国", "13812345678", "11010519491231002X", "幸福路18号", "wjg@example.com", "010-88886666", "京A12345")


@pytest.fixture
def desk(parts: Parts) -> Workshop:
    return Workshop(parts, LOCAL_ACTOR)


def read(library: Library, text: str = RECORD, model: Any = None) -> intake.Draft:
    return intake.read(text, library, ROOT / "prompts", model)


def wrong(library: Library, draft: intake.Draft) -> tuple[Problem, ...]:
    rules = MindRules(library.mind_rules, library.taxonomy)
    return problems("scenario", {**draft.body, "id": "WS01"}, library, rules)


def test_nothing_personal_is_kept(library: Library) -> None:
    draft = read(library)
    kept = draft.model_dump_json()
    assert not [p for p in PERSONAL if p in kept]
    assert {"姓名", "电话号码", "身份证号", "住址", "邮箱", "车牌"} <= set(draft.masked)


@pytest.mark.parametrize(
    "text",
    [
        "客户说余额86000元，逾期47天，拨打12378投诉",
        "要求免除罚息，去年在城西支行办的房贷",
        "于是客户要求见负责人，安排在周五",
    ],
)
def test_ordinary_words_of_a_record_are_left_alone(text: str) -> None:
    assert masking.mask(text) == (text, ())


def test_what_the_record_says_is_used(library: Library) -> None:
    draft = read(library)
    body, profile = draft.body, draft.body["profile"]
    assert (profile["gender"], profile["age"], profile["job"]) == ("男", 45, "货车司机")
    assert (profile["product"], profile["balance"], profile["overdue_days"]) == ("车贷", 126000, 62)
    assert "一天打五个电话" in body["opening"] and body["demand"].startswith("停止催收电话")
    assert "2000" in body["facts"]["how_much"] and "三个月" in body["facts"]["how_long"]
    assert "profile.balance" not in draft.suggested and "facts.where" in draft.suggested
    assert set(body["facts"]) == set(SLOTS)


def test_a_record_becomes_a_case_that_is_sound_and_can_be_won(desk: Workshop, library: Library) -> None:
    made = desk.made("scenario", read(library).body, "投诉记录")
    assert desk.problems("scenario", made.body) == ()
    found = regress.run(desk, "scenario", made.body, semantic=False, seeds=(0,), learners=("good", "bad"))
    assert found.comparisons[0].new.success == 1 and found.comparisons[1].new.accepted == 0


@pytest.mark.parametrize(
    "text",
    ["客户来电说利率太高了，别家都降了，要求把房贷利率调下来，态度很差，说要投诉到12378。", "李女士 68岁 退休教师 说我们把她贷款的事告诉了她儿子，要求书面道歉并赔偿精神损失。",
     "有个客户闹。" * 8],
)  # fmt: skip
def test_short_and_poor_records_still_give_a_sound_draft(text: str, library: Library) -> None:
    draft = read(library, text)
    assert wrong(library, draft) == () and "profile.name" in draft.suggested


@pytest.mark.parametrize(("text", "says"), [("  ", "太短"), ("字" * 9000, "超过了")])
def test_too_little_or_too_much_is_refused(text: str, says: str, library: Library) -> None:
    with pytest.raises(LearnerError, match=says):
        read(library, text)


# ── with a model ─────────────────────────────────────────────────────────────────────────────────────

ANSWER = {
    "title": "运费没结，催收电话太密", "type": "complaint_vent", "channel": "电话", "name": "马大勇", "gender": "男", "age": 45,
    "job": "货车司机", "product": "车贷", "balance": 126000, "overdue_days": 62, "opening": "一天五个电话，你们是不是想逼死我？！",
    "opening_act": "complain", "demand": "电话停了，罚息减了。", "need_business": "缓三个月，运费结了就补上。",
    "need_emotional": "被当成肯还钱的人。", "facts": {s: f"关于{s}的事，手机13812345678" for s in SLOTS}, "offer": ["P03", "P07", "P99"],
    "exemplary": "一天五个电话，换谁都得急。您先说，我听着。", "exemplary_key": "罚息我定不了，可以替您申请，十个工作日回您。",
    "guessed": ["where", "age"],
}  # fmt: skip


def test_a_model_drafts_from_the_masked_record_only(library: Library) -> None:
    model = ScriptedModel(json.dumps(ANSWER, ensure_ascii=False))
    draft = read(library, model=model)
    seen = "".join(m.text for m in model.asked[0])
    assert not [p for p in PERSONAL if p in seen] and "〖投诉记录开始〗" in seen
    assert draft.by_model and draft.body["title"] == ANSWER["title"]
    assert draft.body["offer"] == ["P03"], "a policy nobody may grant, or that does not exist, is dropped"
    assert "13812345678" not in draft.model_dump_json()
    assert {"facts.where", "profile.age", "profile.name"} <= set(draft.suggested)
    assert wrong(library, draft) == ()


def test_a_model_that_fails_leaves_the_rules_to_it(library: Library) -> None:
    draft = read(library, model=ScriptedModel(ModelError("连不上模型服务。")))
    assert not draft.by_model and "连不上" in draft.notice and draft.body["profile"]["age"] == 45
