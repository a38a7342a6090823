"""The trainer's desk at the core's boundary: what is published is sound, and what is in use never changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.errors import ConflictError, ContentError, ForbiddenError, LearnerError
from bot.parts import Parts
from bot.records import LOCAL_ACTOR, Actor
from bot.session import Session
from bot.workshop import Workshop

EMPATHY = "一天八个电话，手机一响心就往下沉，换谁都得急、都得委屈。这口气您先出，我听着。"


@pytest.fixture
def desk(parts: Parts) -> Workshop:
    return Workshop(parts, LOCAL_ACTOR)


def published(desk: Workshop, source: str, **change: Any) -> str:
    draft = desk.copied("scenario", source)
    return desk.publish(desk.save(draft, {**draft.body, **change}), "测试").id


def test_only_trainers_get_in(parts: Parts) -> None:
    with pytest.raises(ForbiddenError, match="培训师"):
        Workshop(parts, Actor(name="小李", roles=("learner",)))
    Workshop(parts, Actor(name="老张", roles=("trainer",)))


def test_a_draft_is_seen_by_nobody_until_it_is_published(desk: Workshop) -> None:
    draft = desk.revise("scenario", "SC01")
    draft = desk.save(draft, {**draft.body, "title": "改过的标题"})
    assert Session.start(desk.parts, "SC01").snapshot.scenario.title == desk.parts.library.scenarios["SC01"].title
    desk.publish(draft, "标题更清楚")
    session = Session.start(desk.parts, "SC01")
    assert session.snapshot.scenario.title == "改过的标题" and session.snapshot.versions["scenario SC01"] == "1"


def test_a_new_case_can_be_played_and_a_running_talk_keeps_its_version(desk: Workshop) -> None:
    made = published(desk, "SC01", title="第一版")
    assert made == "WS01"
    session = Session.start(desk.parts, made)
    session.say(EMPATHY)
    again = desk.revise("scenario", made)
    desk.publish(desk.save(again, {**again.body, "title": "第二版"}), "改标题")
    assert Session.resume(desk.parts, session.id).snapshot.scenario.title == "第一版"
    assert Session.start(desk.parts, made).snapshot.scenario.title == "第二版"
    assert [(v.n, v.status) for v in desk.versions("scenario", made)] == [(2, "published"), (1, "archived")]
    assert [v.body["title"] for v in desk.versions("scenario", made)] == ["第二版", "第一版"]


def test_the_body_of_a_version_in_use_cannot_be_written(desk: Workshop) -> None:
    draft = desk.copied("scenario", "SC01")
    live = desk.publish(draft, "上线")
    with pytest.raises(LearnerError, match="不能改"):
        desk.save(live, {**live.body, "title": "偷改"})
    with pytest.raises(ConflictError):
        desk.save(draft, {**draft.body, "title": "用旧的草稿偷改"})
    with pytest.raises(ConflictError):
        desk.publish(draft, "再发一次")
    assert desk.versions("scenario", live.id)[0].body == live.body


def test_two_windows_cannot_overwrite_each_other(desk: Workshop) -> None:
    draft = desk.copied("persona", "joker")
    desk.save(draft, {**draft.body, "name": "甲"})
    with pytest.raises(ConflictError, match="另一个窗口"):
        desk.save(draft, {**draft.body, "name": "乙"})
    with pytest.raises(ConflictError, match="已经有草稿"):
        desk.made("persona", draft.body, "再来一份", draft.id)


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"title": " "}, "title", "标题：还没有写"),
        ({"init": {"A": 95}}, "init.A", "火气"),
        ({"difficulty": 9}, "difficulty", "不大于 5"),
        ({"colour": "红"}, "colour", "不认识这一项"),
        ({"offer": ["P07"]}, "offer", "没有人能批"),
        ({"facts": {}}, "facts", "缺少"),
        ({"traits": {"crisis_prone": 0.9}}, "traits.crisis_prone", "开始前的提醒"),
        ({"type": "opera"}, "type", "不存在"),
    ],
)
def test_nothing_invalid_can_be_published(desk: Workshop, change: dict[str, Any], field: str, says: str) -> None:
    draft = desk.copied("scenario", "SC01")
    merged = {k: {**draft.body[k], **v} if isinstance(v, dict) and v else v for k, v in change.items()}
    draft = desk.save(draft, {**draft.body, **merged})
    found = desk.problems("scenario", draft.body)
    assert any(p.field == field for p in found), found
    assert any(says in str(p) for p in found), found
    with pytest.raises(ContentError, match="还不能用"):
        desk.publish(draft, "硬发")
    assert draft.id not in desk.library.scenarios


def test_a_case_nobody_can_win_is_named_with_the_sliders_to_move(desk: Workshop) -> None:
    draft = desk.copied("scenario", "SC33")
    hopeless = {"black_agent": 1.0, "openness": 0.0, "suspicion": 1.0, "desperation": 1.0, "irritability": 1.0}
    start = {"A": 87, "G": 100, "S": 90, "X": 100, "T": 0, "H": 0, "C": 0, "D": 100}
    found = desk.problems("scenario", {**draft.body, "traits": hopeless, "init": start, "goal": "accept"})
    assert [p.label for p in found] == ["开场情绪"] and "火气" in found[0].message and "守住" in found[0].message


def test_every_built_in_case_and_persona_passes_the_same_examination(desk: Workshop) -> None:
    for kind in ("scenario", "persona"):
        for item in desk.items(kind):
            body = desk.in_use(kind, item.id)
            assert body and desk.problems(kind, body) == (), item.id


def test_going_back_publishes_the_old_words_as_a_new_version(desk: Workshop) -> None:
    made = published(desk, "SC01", title="甲")
    second = desk.revise("scenario", made)
    desk.publish(desk.save(second, {**second.body, "title": "乙"}), "换标题")
    with pytest.raises(LearnerError, match="为什么"):
        desk.roll_back("scenario", made, 1, "  ")
    back = desk.roll_back("scenario", made, 1, "学员看不懂")
    assert back.n == 3 and desk.library.scenarios[made].title == "甲"
    history = desk.versions("scenario", made)
    assert [(v.n, v.status) for v in history] == [(3, "published"), (2, "archived"), (1, "archived")]
    assert history[0].reason == "学员看不懂" and history[0].decided_by == LOCAL_ACTOR.name


def test_archiving_brings_the_original_back_or_takes_the_case_away(desk: Workshop) -> None:
    changed = desk.revise("scenario", "SC01")
    live = desk.publish(desk.save(changed, {**changed.body, "title": "改了"}), "试试")
    own = published(desk, "SC02")
    desk.archive(live, "改坏了")
    desk.archive(desk.versions("scenario", own)[0], "不用了")
    assert desk.library.scenarios["SC01"].title == desk.parts.library.scenarios["SC01"].title
    with pytest.raises(LearnerError, match="没有场景"):
        Session.start(desk.parts, own)


def test_a_case_that_a_published_persona_names_cannot_be_taken_away(desk: Workshop) -> None:
    own = published(desk, "SC01")
    persona = desk.copied("persona", "joker")
    suits = {**persona.body["suits"], "not_cases": [own]}
    desk.publish(desk.save(persona, {**persona.body, "suits": suits}), "不用在这里")
    with pytest.raises(ContentError, match="人设"):
        desk.archive(desk.versions("scenario", own)[0], "不用了")
    assert own in desk.library.scenarios


def test_a_persona_made_here_can_be_played(desk: Workshop) -> None:
    draft = desk.copied("persona", "hot-tempered")
    live = desk.publish(desk.save(draft, {**draft.body, "init_shift": {"A": -20}}), "温和一点")
    assert live.id == "own-a"
    session = Session.start(desk.parts, "SC01", persona_id="own-a")
    assert session.opening_mind.values["A"] == desk.parts.library.scenarios["SC01"].init["A"] - 20


def test_a_version_that_a_newer_release_no_longer_allows_is_left_out_not_fatal(desk: Workshop) -> None:
    own = published(desk, "SC01")
    fewer = dict(desk.parts.library.policies)
    fewer.pop(desk.library.scenarios[own].offer[0])
    later = desk.parts.library.with_content(desk.parts.library.scenarios, desk.parts.library.personas, {})
    later.policies = fewer
    later.__dict__.pop("vocabulary", None)
    assert own not in replace(desk.parts, library=later).current.scenarios


def test_differences_are_said_in_words(desk: Workshop) -> None:
    old = desk.in_use("scenario", "SC01")
    assert old is not None
    new = {**old, "init": {**old["init"], "A": 60}, "offer": ["P03", "P06", "P10", "P22", "P05"], "title": "新标题"}
    said = [str(d) for d in desk.differences("scenario", old, new)]
    assert "标题：情绪失控下的抱怨质问 → 新标题" in said
    assert "开场情绪·火气：78 → 60（调低 18）" in said
    assert "可以给的办法：去掉“P21 联系约定”" in said and "可以给的办法：新增“P05 协议重组分期”" in said
    assert desk.differences("scenario", old, dict(old)) == ()


def test_changed_facts_are_told_in_the_new_words(desk: Workshop) -> None:
    """The hand-written lines of the original speak of 800 yuan; a copy that says 1500 must not."""
    draft = desk.copied("scenario", "SC01")
    assert draft.body["lines"] == "SC01" and draft.body["reworded"] == []
    facts = {**draft.body["facts"], "how_much": "每月能稳定拿出 1500 元"}
    assert desk.save(draft, {**draft.body, "facts": facts}).body["reworded"] == ["how_much"]
