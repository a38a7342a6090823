"""Every screen through Streamlit's own test harness: what is on it, and what happens on bad input."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from bot.parts import Parts
from bot.screens import frame
from bot.session import Session
from bot.settings import get_settings

EMPATHY = "一天八个电话，手机一响心就往下沉，换谁都得急、都得委屈。这口气您先出，我听着。"


def _choose() -> None:
    from bot.screens import choose, frame

    frame.guarded(choose.render)


def _talk() -> None:
    from bot.screens import frame, talk

    frame.guarded(talk.render)


def _report() -> None:
    from bot.screens import frame, report

    frame.guarded(report.render)


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return Parts.open(get_settings())


def opened(page: Callable[[], None], session_id: str = "") -> AppTest:
    app = AppTest.from_function(page, default_timeout=60)
    if session_id:
        app.query_params[frame.SESSION_KEY] = session_id
    return app.run()


def html(app: AppTest) -> str:
    return "".join(str(h.proto.body) for h in app.get("html"))


def words(app: AppTest) -> str:
    kinds = ("title", "header", "subheader", "markdown", "caption", "info", "warning", "error")
    return html(app) + "".join(str(e.value) for kind in kinds for e in getattr(app, kind))


def test_the_first_screen_is_an_angry_customer(parts: Parts) -> None:
    app = opened(_choose)
    assert not app.exception
    page = words(app)
    assert "你们就是吸血鬼" in page and "有客户在等您" in page
    for scenario in parts.library.scenarios.values():
        assert scenario.title in page or scenario.opening in page
        if not scenario.drills:
            assert scenario.need_emotional not in page and scenario.facts["how_much"] not in page
    app.button(key="start-SC01").click().run()
    assert app.session_state["went"][0] == "talk"


def test_a_turn_shows_reply_answer_curve_and_one_coaching_point(parts: Parts) -> None:
    session = Session.start(parts, "SC01")
    app = opened(_talk, session.id)
    assert not app.exception and "你们就是吸血鬼" in html(app)
    app.chat_input[0].set_value(EMPATHY).run()
    assert not app.exception
    turn = Session.resume(parts, session.id).turns[0]
    page = words(app)
    assert EMPATHY in page and turn.answer.text.split("（")[0][:6] in page
    assert "情绪曲线" in page and session.parts.appraiser.version
    assert Session.resume(parts, session.id).feedback(1).coaching.point in page


def test_exam_mode_gives_no_help(parts: Parts) -> None:
    session = Session.start(parts, "SC01", mode="exam")
    app = opened(_talk, session.id)
    app.chat_input[0].set_value(EMPATHY).run()
    assert "情绪曲线" not in words(app) and "教练" not in words(app)


@pytest.mark.parametrize(("typed", "says"), [("😀😀", "没有文字"), ("   ", "还没有写")])
def test_a_refused_reply_is_kept_for_editing(parts: Parts, typed: str, says: str) -> None:
    session = Session.start(parts, "SC01")
    app = opened(_talk, session.id)
    app.chat_input[0].set_value(typed).run()
    assert not app.exception
    if typed.strip():
        assert any(says in w.value for w in app.warning)
        assert app.text_area[0].value == typed
    assert Session.resume(parts, session.id).turns == ()


def test_script_is_shown_as_text(parts: Parts) -> None:
    session = Session.start(parts, "SC01")
    app = opened(_talk, session.id)
    app.chat_input[0].set_value("<script>alert(1)</script><img src=x onerror=alert(2)>您好").run()
    assert not app.exception
    assert "<script>" not in html(app) and "<img src=x" not in html(app)
    assert "&lt;script&gt;" in html(app)


def test_a_line_left_over_from_a_crash_can_be_sent_or_dropped(parts: Parts) -> None:
    session = Session.start(parts, "SC01")
    parts.store.hold(session.id, EMPATHY)
    app = opened(_talk, session.id)
    assert any("没有送达" in w.value for w in app.warning) and app.text_area[0].value == EMPATHY
    next(b for b in app.button if b.label == "重新发送").click().run()
    assert [t.reply for t in Session.resume(parts, session.id).turns] == [EMPATHY]
    parts.store.hold(session.id, "另一句")
    app = opened(_talk, session.id)
    next(b for b in app.button if b.label == "放弃这句").click().run()
    assert Session.resume(parts, session.id).held == ""


def test_a_second_tab_is_told_and_keeps_its_words(parts: Parts) -> None:
    session = Session.start(parts, "SC01")
    app = opened(_talk, session.id)
    Session.resume(parts, session.id).say("我先听您说，慢慢讲。")
    app.chat_input[0].set_value(EMPATHY).run()
    assert not app.exception
    assert len(Session.resume(parts, session.id).turns) in (1, 2), "never forked: either refused or the next turn"


def test_the_report_says_why_with_words_rules_and_a_better_wording(parts: Parts) -> None:
    session = Session.start(parts, "SC01")
    session.say(EMPATHY)
    session.say("再不还就让公安上门抓你")
    app = opened(_report, session.id)
    if not session.ended:
        assert any("还没有结束" in i.value for i in app.info), "looking must not end a talk"
        assert Session.resume(parts, session.id).ended == ""
        next(b for b in app.button if b.label == "结束并看报告").click().run()
    assert not app.exception
    page = words(app)
    for piece in ("未通过", "情绪曲线", "先跟后带", "致命红线", "确信度", "可以这样说", "需求冰山", "今天最值得改的"):
        assert piece in page, piece
    assert '<mark class="bad"' in page and "公安" in page
    assert session.snapshot.scenario.need_emotional in page


@pytest.mark.parametrize("page", [_talk, _report])
def test_empty_and_unknown_sessions_are_handled(parts: Parts, page: Callable[[], None]) -> None:
    empty = opened(page)
    assert not empty.exception and empty.info and any(b.label == "去选场景" for b in empty.button)
    unknown = opened(page, "deadbeef")
    assert not unknown.exception and any("没有找到" in e.value for e in unknown.error)


def test_a_report_before_the_first_word_waits_for_one(parts: Parts) -> None:
    session = Session.start(parts, "SC01")
    app = opened(_report, session.id)
    assert not app.exception and any("还没有结束" in e.value for e in app.info)
    assert next(b for b in app.button if b.label == "结束并看报告").disabled
