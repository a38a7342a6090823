"""Who sees which page: through Streamlit's harness and in a real browser, by address, stored id and forged state."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from bot import login
from bot import parts as parts_module
from bot.classroom import Classroom, opinion
from bot.parts import Parts
from bot.people import CONSOLE, People
from bot.screens import frame
from bot.session import Session
from tests.conftest import ROOT
from tests.fakes import make_parts, on_fresh_database
from tests.test_classroom import EMPATHY, NEXT_WEEK, School
from tests.test_screens import _choose, _report, _talk, html, words

GOOD = "jiaotou-2026"


def _classroom() -> None:
    from bot.screens import classroom, frame

    frame.guarded(classroom.render)


def _observe() -> None:
    from bot.screens import frame, observe

    frame.guarded(observe.render)


def _admin() -> None:
    from bot.screens import admin, frame

    frame.guarded(admin.render)


def _door() -> None:
    from bot.screens import entry, frame

    frame.guarded(entry.render)


@pytest.fixture(scope="module")
def opened_parts(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    return make_parts(tmp_path_factory.mktemp("opened"), ROOT)


@pytest.fixture
def parts(opened_parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Parts:
    fresh = on_fresh_database(opened_parts, tmp_path)
    fresh = replace(fresh, settings=fresh.settings.model_copy(update={"login": "local"}), clock=parts_module.now)
    monkeypatch.setattr(frame, "shared", lambda: fresh)
    return fresh


@pytest.fixture
def school(parts: Parts) -> School:
    return School(parts)


def plain(app: AppTest) -> str:
    """What can be read on the page, highlights taken away."""
    return re.sub(r"<[^>]+>", "", words(app))


def token_of(parts: Parts, name: str) -> str:
    first = People(parts, CONSOLE).reset(parts.users.named(name)[0].id)  # type: ignore[index]
    return login.change_password(parts, login.sign_in(parts, name, first), first, GOOD)


def opened(page: Callable[[], None], token: str = "", session_id: str = "") -> AppTest:
    app = AppTest.from_function(page, default_timeout=60)
    if token:
        app.session_state[frame.TOKEN] = token
    if session_id:
        app.query_params[frame.SESSION_KEY] = session_id
    return app.run()


@pytest.mark.parametrize("page", [_choose, _talk, _report, _classroom, _observe, _admin])
@pytest.mark.parametrize("token", ["", "local"])
def test_nobody_sees_a_page_before_signing_in(school: School, page: Callable[[], None], token: str) -> None:
    talk = school.talk(school.min, EMPATHY)
    app = opened(page, token, talk.id)
    assert not app.exception and any("请先登录" in e.value for e in app.error)
    assert EMPATHY not in plain(app) and "有客户在等您" not in plain(app)


def test_a_first_password_opens_nothing_but_its_own_change(parts: Parts, school: School) -> None:
    first = People(parts, CONSOLE).reset(school.boss.id)
    token = login.sign_in(parts, "boss", first)
    assert any("第一次的密码" in e.value for e in opened(_admin, token).error)
    app = opened(_door, token)
    old, new, again = app.text_input[1:4]
    old.set_value(first)
    new.set_value(GOOD)
    again.set_value(GOOD)
    next(b for b in app.button if b.label == "换密码").click().run()
    assert not app.exception and not app.error
    assert login.who(parts, token) is None and opened(_admin, app.session_state[frame.TOKEN]).title[0].value == "管理"


def test_a_learner_reaches_neither_trainers_pages_nor_anothers_talk(parts: Parts, school: School) -> None:
    theirs, token = school.talk(school.qiang, EMPATHY), token_of(parts, "min")
    for page, says in ((_classroom, "培训师"), (_observe, "培训师"), (_admin, "管理员")):
        app = opened(page, token, theirs.id)
        assert any(f"只对{says}开放" in e.value for e in app.error) and EMPATHY not in plain(app)
        assert "qiang" not in plain(app)
    for page in (_talk, _report):
        app = opened(page, token, theirs.id)
        assert any("没有找到" in e.value for e in app.error) and EMPATHY not in plain(app)
        app = opened(page, token)
        app.session_state[frame.LAST] = theirs.id  # an id left in the state by hand
        assert any("没有找到" in e.value for e in app.run().error) and EMPATHY not in plain(app)


def test_a_trainer_reaches_only_talks_of_his_class(parts: Parts, school: School) -> None:
    mine, theirs, token = school.talk(school.min, EMPATHY), school.talk(school.lei, EMPATHY), token_of(parts, "zhou")
    assert EMPATHY in plain(opened(_observe, token, mine.id))
    for page in (_observe, _talk, _report):
        app = opened(page, token, theirs.id)
        assert any("没有找到" in e.value for e in app.error) and EMPATHY not in plain(app)
    assert any("只对管理员开放" in e.value for e in opened(_admin, token).error)
    assert "二班" not in str([s.options for s in opened(_classroom, token).selectbox])


def test_a_role_taken_away_is_gone_at_the_next_click(parts: Parts, school: School) -> None:
    app = opened(_classroom, token_of(parts, "zhou"))
    assert app.title[0].value == "班级"
    People(parts, CONSOLE).set_roles(school.zhou.id, ["learner"])
    assert any("只对培训师开放" in e.value for e in app.run().error)


def test_a_learner_finds_his_task_on_top_and_begins_it(parts: Parts, school: School) -> None:
    Classroom(parts, school.zhou).assign(school.one, "SC01", due=NEXT_WEEK.replace(year=2099), note="周五前谈完")
    app = opened(_choose, token_of(parts, "min"))
    assert "我的任务（1 项待做）" in plain(app) and "周五前谈完" in plain(app)
    next(b for b in app.button if b.key and b.key.startswith("task-")).click().run()
    (entry,) = parts.store.history(school.min.id)
    assert app.session_state["went"] == ("talk", entry.id) and entry.mode == "exam" and entry.assignment
    assert "我的任务" not in plain(opened(_choose, token_of(parts, "lei")))


def test_the_learner_sees_both_marks_and_objects(parts: Parts, school: School) -> None:
    talk, token = school.talk(school.min, EMPATHY), token_of(parts, "min")
    opinion.mark(parts, school.zhou, talk.id, "emotion", 2.5, "<img src=x onerror=alert(1)>没停下来")
    app = opened(_report, token, talk.id)
    page = html(app)
    assert "没停下来" in page and "<img src=x" not in page
    system = talk.finish().dims["emotion"]
    assert f"{system:.1f}" in page and ">2.5<" in page
    next(t for t in app.text_area if t.label == "哪一句、为什么").set_value("我停了三秒。")
    next(b for b in app.button if b.label == "提交申诉").click().run()
    assert not app.exception and parts.reviews.appeals(talk.id)[0].text == "我停了三秒。"
    assert not any(b.label == "提交申诉" for b in opened(_report, token, talk.id).button)


def test_a_trainer_comments_marks_and_answers_on_the_page(parts: Parts, school: School) -> None:
    talk, token = school.talk(school.min, EMPATHY), token_of(parts, "zhou")
    app = opened(_observe, token, talk.id)
    next(t for t in app.text_area if t.label.startswith("评语")).set_value("先停，再问。")
    next(b for b in app.button if b.label == "发表评语").click().run()
    next(t for t in app.text_area if t.label.startswith("理由")).set_value("和录音对过。")
    next(b for b in app.button if b.label == "保存这一项").click().run()
    assert not app.exception and not app.error
    assert parts.reviews.comments(talk.id)[0].text == "先停，再问。" and parts.reviews.marks(talk.id)[0].score == 3.0
    assert "先停，再问。" in plain(app) and "和录音对过。" in plain(app)


def test_a_talk_is_watched_while_it_goes_on(parts: Parts, school: School) -> None:
    talk = school.talk(school.min, EMPATHY, end=False)
    app = opened(_observe, token_of(parts, "zhou"), talk.id)
    assert not app.exception and EMPATHY in plain(app) and "正在谈" in plain(app)
    Session.resume(parts, talk.id, school.min.id).say("您先喝口水。")
    assert "您先喝口水。" in plain(app.run())


@pytest.mark.parametrize("full", [True, False])
def test_every_part_of_the_class_page_stands_full_and_empty(parts: Parts, school: School, full: bool) -> None:
    if full:
        talk = school.talk(school.min, EMPATHY, "再不还就让公安上门抓你")
        school.talk(school.qiang, EMPATHY, end=False)
        opinion.mark(parts, school.zhou, talk.id, "emotion", 3, "理由")
        Classroom(parts, school.zhou).assign(school.one, "SC02", due=NEXT_WEEK.replace(year=2099))
    app = opened(_classroom, token_of(parts, "zhou"))
    for part, says in (
        ("任务", "布置"),
        ("演练", "待看"),
        ("与系统一致", "复评"),
        ("成员", "学员 2 人"),
        ("概况", "练过的人"),
    ):
        app.segmented_control(key="class-part").set_value(part).run()
        assert not app.exception and not app.error and says in plain(app) + str([b.label for b in app.button]), part


def test_every_part_of_the_admin_page_stands(parts: Parts, school: School) -> None:
    app = opened(_admin, token_of(parts, "boss"))
    for part, says in (
        ("导入学员", "GBK"),
        ("模型与健康", "本地账号"),
        ("数据保留", "到期处理"),
        ("审计", "建班级"),
        ("账号", "zhou"),
    ):
        app.segmented_control(key="admin-part").set_value(part).run()
        assert not app.exception and not app.error and says in plain(app), part


def test_an_administrator_makes_an_account_and_is_told_its_password_once(parts: Parts, school: School) -> None:
    app = opened(_admin, token_of(parts, "boss"))
    next(t for t in app.text_input if t.label == "姓名").set_value("张敏")
    next(t for t in app.text_input if t.label == "登录名").set_value("Z009")
    next(b for b in app.button if b.label == "建账号").click().run()
    assert not app.exception and parts.users.named("z009")
    password = app.success[0].value.split("`")[1]
    assert login.sign_in(parts, "z009", password)


def test_the_door_refuses_and_lets_in(parts: Parts, school: School) -> None:
    token_of(parts, "min")
    app = opened(_door)
    name, password = app.text_input[:2]
    name.set_value("min")
    password.set_value("wrong-one-1")
    next(b for b in app.button if b.label == "登录").click().run()
    assert "不对" in app.error[0].value and frame.TOKEN not in app.session_state
    app.text_input[1].set_value(GOOD)
    next(b for b in app.button if b.label == "登录").click().run()
    assert login.who(parts, app.session_state[frame.TOKEN]).name == "min"  # type: ignore[union-attr]
