"""快练, 知识测验 and 成长 as a learner meets them: every state, and what happens on bad input."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from bot import practice, rounds
from bot.parts import Parts, shared
from bot.session import Session
from bot.store import LOCAL_OWNER
from tests.test_screens import EMPATHY, html, opened, words


def _drill() -> None:
    from bot.screens import drill, frame

    frame.guarded(drill.render)


def _quiz() -> None:
    from bot.screens import frame, quiz

    frame.guarded(quiz.render)


def _growth() -> None:
    from bot.screens import frame, growth

    frame.guarded(growth.render)


@pytest.fixture
def parts() -> Parts:
    return shared()  # the very ones the page uses


def press(app: AppTest, label: str) -> AppTest:
    """Press the button with this label (or beginning with it)."""
    return next(b for b in app.button if b.label.startswith(label)).click().run()


def earlier(parts: Parts) -> Parts:
    """The same parts, some days ago: what goes wrong there is due by now."""
    return replace(parts, clock=lambda: "2026-01-01T02:00:00+00:00")


# ── 快练 ─────────────────────────────────────────────────────────────────────────────────────────────


def reply(app: AppTest, text: str) -> AppTest:
    app.text_area[0].set_value(text)
    return press(app, "交这一句")


def test_a_wrong_reply_is_told_why_and_may_try_again(parts: Parts) -> None:
    app = opened(_drill)
    assert not app.exception and "今天还没有练" in words(app)
    card = app.session_state["drill-card"]
    reply(app, "您先冷静一下，按规定就是这样的。")
    page = words(app)
    assert not app.exception and "再来一句" in page and "您先冷静一下" in page and "否定情绪" in page
    assert 'class="better"' in page and "示范" in {e.label[-2:] for e in app.expander}
    press(app, "再来一次")
    assert app.session_state["drill-card"] == card and app.text_area[0].value == ""
    assert parts.practice.one(LOCAL_OWNER, card) is not None


def test_a_good_reply_passes_and_another_question_follows(parts: Parts) -> None:
    app = AppTest.from_function(_drill, default_timeout=60)
    app.session_state["drill-card"] = "DR02"
    app.run()
    gold = practice.decks(parts).exercise("DR02").case.exemplary
    reply(app, gold)
    page = words(app)
    assert "过了" in page and "示范的原话" in page and "分" in page
    press(app, "下一题")
    assert app.session_state["drill-card"] != "DR02" and len(app.text_area) == 1
    assert "今天练了 1 题" in words(app)


def test_a_refused_reply_stays_in_the_box(parts: Parts) -> None:
    app = reply(opened(_drill), "😀")
    assert any("没有文字" in w.value for w in app.warning) and app.text_area[0].value == "😀"
    assert parts.practice.all(LOCAL_OWNER) == ()


def test_a_breach_is_shown_with_its_rule(parts: Parts) -> None:
    app = AppTest.from_function(_drill, default_timeout=60)
    app.session_state["drill-card"] = "DR06"
    app.run()
    page = words(reply(app, "您投诉也没用，最后还是转回我们这里处理。"))
    assert "严重违规" in page and "依据" in page and "knowledge?doc=" in page and 'mark class="bad"' in page


def test_script_in_a_reply_is_shown_as_text(parts: Parts) -> None:
    app = reply(opened(_drill), "<script>alert(1)</script>您好")
    assert "<script>" not in html(app) and "&lt;script&gt;" in html(app)


def test_a_deck_is_kept_to(parts: Parts) -> None:
    app = opened(_drill)
    app.selectbox(key="drill-deck").set_value("although-but").run()
    seen = set()
    for _ in range(4):
        seen.add(app.session_state["drill-card"])
        press(app, "换一题")
    assert all(c.startswith("DB") for c in seen)


def test_the_book_is_empty_then_holds_what_went_wrong(parts: Parts) -> None:
    app = opened(_drill)
    app.segmented_control[0].set_value("错题本").run()
    assert not app.exception and any("错题本是空的" in i.value for i in app.info)
    practice.answer(earlier(parts), LOCAL_OWNER, "DR06", "您投诉也没用。")
    rounds.answer(earlier(parts), LOCAL_OWNER, "QM01", ["对"])
    app = opened(_drill)
    app.segmented_control[0].set_value("错题本").run()
    page = words(app)
    assert "我现在就打12378" in page and "您投诉也没用" in page and "一共 2 题，2 题到时间了" in page
    app.button(key="book-DR06").click().run()
    assert app.session_state["drill-card"] == "DR06" and "我现在就打12378" in html(app) and app.text_area


def test_a_question_of_the_book_opens_the_quiz(parts: Parts) -> None:
    rounds.answer(earlier(parts), LOCAL_OWNER, "QM01", ["对"])
    app = opened(_drill)
    app.segmented_control[0].set_value("错题本").run()
    app.button(key="book-QM01").click().run()
    assert app.session_state["went"][0] == "quiz" and app.session_state["quiz-round"] == ("QM01",)


def test_a_card_that_was_taken_out_says_so(parts: Parts) -> None:
    app = AppTest.from_function(_drill, default_timeout=60)
    app.session_state["drill-card"] = "DX99"
    app.run()
    assert not app.exception and any("没有编号为 DX99" in e.value for e in app.error)


# ── 知识测验 ─────────────────────────────────────────────────────────────────────────────────────────


def asking(*ids: str) -> AppTest:
    app = AppTest.from_function(_quiz, default_timeout=60)
    app.session_state["quiz-round"] = ids
    return app.run()


def test_a_round_from_the_first_question_to_the_summary(parts: Parts) -> None:
    app = asking("QM01", "QR01", "QT01")
    question = rounds.question(parts, "QM01")
    assert question.question in html(app)
    press(app, "就选这个")
    assert any("还没有选" in w.value for w in app.warning)
    app.radio[0].set_value("对")
    press(app, "就选这个")
    page = words(app)
    assert "这题再看一眼" in page and question.explanation[:12] in page and "knowledge?doc=R15" in page
    press(app, "下一题")
    app.radio[0].set_value(rounds.question(parts, "QR01").answer[0])
    press(app, "就选这个")
    assert "答对了" in words(app) and "参照《" in words(app)
    press(app, "下一题")
    app.text_area[0].set_value("先把人听明白，过程公平最要紧。")
    press(app, "写好了")
    assert "参考要点" in words(app) and "答对了" not in html(app)
    press(app, "看这一轮的结果")
    page = words(app)
    assert not app.exception and "1<small> / 2 题答对" in page and "写了 1 道思考题" in page
    assert [e.label for e in app.expander] == [question.question.replace("-", "\\-")]
    press(app, "再来一轮")
    assert any(r.label == "考什么" for r in app.radio)


def test_a_multiple_choice_is_ticked(parts: Parts) -> None:
    q = next(q for q in rounds.questions(parts).values() if q.kind == "multiple")
    app = asking(q.id)
    assert len(app.checkbox) == len(q.options)
    for i, option in enumerate(q.options):
        if option in q.answer:
            app.checkbox[i].check()
    press(app, "就选这个")
    assert "答对了" in words(app) and words(app).count("您选对了") == len(q.answer)


def test_a_round_can_be_left_and_is_summed_up(parts: Parts) -> None:
    app = press(asking("QM01", "QM02"), "先不答了")
    assert any(r.label == "考什么" for r in app.radio), "nothing answered: back to the start"
    app = asking("QM01", "QM02")
    app.radio[0].set_value("错")
    press(app, "就选这个")
    press(app, "先不答了")
    assert not app.exception and "1<small> / 1 题答对" in html(app)


def test_wrong_ones_that_are_due_are_offered_first(parts: Parts) -> None:
    rounds.answer(earlier(parts), LOCAL_OWNER, "QM01", ["对"])
    app = opened(_quiz)
    assert "有 1 道错题到时间了" in words(app)
    app.button(key="due").click().run()
    assert rounds.question(parts, "QM01").question in html(app)


# ── 成长 ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_learner_is_shown_where_to_begin(parts: Parts) -> None:
    app = opened(_growth)
    assert not app.exception and any("还没有记录" in i.value for i in app.info)
    app.button(key="begin-drill").click().run()
    assert app.session_state["went"][0] == "drill"
    app = opened(_growth)
    app.segmented_control[0].set_value("谈过的客户").run()
    assert any("还没有谈过客户" in i.value for i in app.info)


def finished(parts: Parts) -> Session:
    session = Session.start(parts, "SC01")
    session.say(EMPATHY)
    session.say("再不还就让公安上门抓你")
    session.finish()
    return session


def test_growth_shows_trends_red_lines_and_what_to_do_next(parts: Parts) -> None:
    session = finished(parts)
    app = opened(_growth)
    page = words(app)
    assert not app.exception
    for piece in ("连续练习", "最好的一场", "接下来练什么", "每一场的成绩", "每项技巧的走势", "红线", "先跟"):
        assert piece in page, piece
    assert "碰了红线" in page and page.count("data:image/svg+xml") >= 3
    spot = next(b for b in app.button if str(b.key).startswith("spot-"))
    spot.click().run()
    assert app.session_state["went"][0] == "drill" and app.session_state["drill-card"]
    app = opened(_growth)
    app.segmented_control[0].set_value("谈过的客户").run()
    app.button(key=f"past-{session.id}").click().run()
    assert app.session_state["went"] == ("report", session.id)


def test_words_instead_of_numbers_where_they_are_asked_for(parts: Parts) -> None:
    finished(parts)
    app = opened(_growth)
    assert " 分<" in html(app) or "分</p>" in html(app)
    app.toggle[0].set_value(True).run()
    page = html(app)
    assert not app.exception and "分</p>" not in page and "还在练" in page and "用过" not in page
    assert not re.search(r"\d+ [次场题]", page)
    app.segmented_control[0].set_value("谈过的客户").run()
    assert "还在练" in html(app) and " 分" not in html(app)


def test_the_path_leads_to_what_is_left(parts: Parts) -> None:
    app = opened(_growth)
    app.segmented_control[0].set_value("一天走完六个模块").run()
    assert not app.exception and all(f"模块{n}" in html(app) for n in "一二三四五六")
    app.button(key="path-next").click().run()
    assert app.session_state["went"][0] == "quiz" and app.session_state["quiz-round"][0] == "QT01"
    app = opened(_growth)
    app.segmented_control[0].set_value("一天走完六个模块").run()
    app.button(key="leg-M1-cases").click().run()
    page, session_id = app.session_state["went"]
    assert page == "talk" and Session.resume(parts, session_id).snapshot.scenario.id == "SC01"


def test_somebody_elses_talks_and_answers_are_not_shown(parts: Parts) -> None:
    theirs = Session.start(parts, "SC01", owner="someone")
    theirs.say(EMPATHY)
    practice.answer(parts, "someone", "DR06", "您投诉也没用。")
    app = opened(_growth)
    assert any("还没有记录" in i.value for i in app.info)
