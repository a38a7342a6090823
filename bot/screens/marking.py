"""The second opinion: what trainers said and marked, and the learner's objection, on report and 观摩 alike."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from bot import classroom, view
from bot.classroom import Review, opinion
from bot.errors import HuasuError
from bot.parts import Parts
from bot.records import DIMENSIONS
from bot.screens import frame

WHOLE = "整场"


def shown(parts: Parts, session_id: str) -> None:
    """On the learner's own report: the trainer's words and marks beside the system's, and an objection."""
    found = classroom.review(parts, frame.actor(), session_id)
    taught = bool(parts.groups.of(frame.actor().id, "learner"))
    if not found and not taught:
        return
    st.subheader("培训师的意见")
    second(found)
    waiting = any(not a.answered_at for a in found.appeals)
    if taught and not waiting:
        with st.expander("对评分有不同意见？"):
            _appeal(parts, session_id)


def second(found: Review) -> None:
    """The words, the marks and the objections."""
    if not found:
        st.caption("培训师还没有看这一场。")
        return
    names = {"": WHOLE, **view.DIMENSION_NAMES}
    frame.show(view.fragment("second", r=found, names=names))


def _appeal(parts: Parts, session_id: str) -> None:
    with st.form(f"appeal-{session_id}", border=False, clear_on_submit=False):
        about = st.selectbox("对哪一项", ["", *DIMENSIONS], format_func=lambda d: view.DIMENSION_NAMES.get(d, WHOLE))
        text = st.text_area(
            "哪一句、为什么", max_chars=1000, height=90, placeholder="例如：第 2 轮我先说了他的难处，再解释的。"
        )
        sent = st.form_submit_button("提交申诉")
    if sent:
        attempt(lambda: classroom.appeal(parts, frame.actor(), session_id, text, about), "申诉已提交，培训师会看到。")


def marks_form(session_id: str, system: dict[str, float | None]) -> None:
    """A trainer's mark for one dimension."""
    with st.form(f"mark-{session_id}", border=False):
        dimension = st.selectbox("维度", DIMENSIONS, format_func=lambda d: _with_mark(d, system))
        score = st.select_slider("您的分", [1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0], 3.0)
        reason = st.text_area("理由（学员会看到）", max_chars=1000, height=80, key=f"why-{session_id}")
        sent = st.form_submit_button("保存这一项", type="primary")
    if sent:
        attempt(lambda: opinion.mark(frame.parts(), frame.actor(), session_id, dimension, score, reason), "已保存。")


def comment_form(session_id: str, turns: int) -> None:
    """A trainer's words about one turn or the whole talk."""
    with st.form(f"comment-{session_id}", border=False, clear_on_submit=True):
        n = st.selectbox("评哪一句", range(turns + 1), index=turns, format_func=lambda i: f"第 {i} 轮" if i else WHOLE)
        text = st.text_area("评语（学员会看到）", max_chars=1000, height=80)
        sent = st.form_submit_button("发表评语", type="primary")
    if sent:
        attempt(lambda: opinion.comment(frame.parts(), frame.actor(), session_id, int(n or 0), text), "已发表。")


def answers_form(session_id: str, found: Review) -> None:
    """Answers to objections that are open."""
    for a in (a for a in found.appeals if not a.answered_at):
        with st.form(f"answer-{a.id}", border=False):
            st.caption(f"申诉（{view.DIMENSION_NAMES.get(a.dimension, WHOLE)}）")
            st.text(a.text)
            text = st.text_area("答复（学员会看到）", max_chars=1000, height=80)
            sent = st.form_submit_button("答复", type="primary")
        if sent:
            attempt(partial(opinion.answer, frame.parts(), frame.actor(), session_id, a.id, text), "已答复。")


def attempt(deed: Callable[[], object], done: str) -> None:
    """Do it and say so, or say why not and leave what was typed."""
    try:
        deed()
    except HuasuError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.toast(done)
    st.rerun()


def _with_mark(dimension: str, system: dict[str, float | None]) -> str:
    mark = system.get(dimension)
    return f"{view.DIMENSION_NAMES[dimension]}（系统 {'不计' if mark is None else f'{mark:.1f}'}）"
