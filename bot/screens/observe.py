"""观摩: a trainer reads a learner's talk, live or afterwards, comments on turns and marks it a second time."""

from __future__ import annotations

import streamlit as st

from bot import classroom, export, view
from bot.classroom import Watched
from bot.screens import frame, marking

LOOKED, EVERY = "looked-at", 4
_ENDINGS = {**view.ENDINGS, "finished": "学员结束了谈话。"}


def render() -> None:
    """The page."""
    frame.require("trainer")
    session_id = st.query_params.get(frame.SESSION_KEY, "") or st.session_state.get(LOOKED, "")
    if not session_id:
        st.info("还没有选要看的演练。到“班级”的“演练”里选一场。", icon=":material/visibility:")
        if st.button("去班级", type="primary"):
            frame.go("classroom")
        return
    again = st.session_state.get(LOOKED) == session_id
    talk = classroom.watch(frame.parts(), frame.actor(), session_id, note=not again)
    st.session_state[LOOKED] = session_id
    _header(talk)
    said, side = st.columns([5, 3], gap="large")
    with said:
        if talk.report is None:
            _live(session_id)
        else:
            _replies(talk)
    with side:
        _opinion(talk)


def _header(talk: Watched) -> None:
    s = talk.snapshot.scenario
    title, back = st.columns([6, 1], vertical_alignment="center")
    state = _ENDINGS.get(talk.ended, "") if talk.ended else "正在谈"
    title.markdown(f"#### {s.title}")
    title.caption(f"{talk.name}　{s.id}　{view.MODE_NAMES[talk.snapshot.mode]}　{len(talk.turns)} 轮　{state}")
    if back.button("回班级", width="stretch"):
        frame.go("classroom")
    if talk.report:
        with st.container(border=True):
            frame.show(view.fragment("headline", r=talk.report, ending=""))


@st.fragment(run_every=EVERY)
def _live(session_id: str) -> None:
    """The talk so far; it comes anew every few seconds while it goes on."""
    talk = classroom.watch(frame.parts(), frame.actor(), session_id, note=False)
    if talk.report is not None:
        st.rerun()
    who, opening = talk.snapshot.scenario.profile.name, talk.snapshot.scenario.opening
    frame.show(view.fragment("bubble", role="customer", who=who, parts=view.said(opening), notices=()))
    for turn in talk.turns:
        plain = [{"text": turn.reply, "aside": False}]
        frame.show(view.fragment("bubble", role="manager", who=f"{talk.name}　第 {turn.n} 轮", parts=plain, notices=()))
        frame.show(view.fragment("bubble", role="customer", who=who, parts=view.said(turn.answer.text), notices=()))
    if not talk.ended:
        st.caption(f"每 {EVERY} 秒自动更新。学员看不到您在旁边。")


def _replies(talk: Watched) -> None:
    if talk.report is None:
        return
    library = frame.parts().library
    names = export.code_names(library)
    for turn in talk.turns:
        row = export.row(turn, talk.report, talk.turns, library, linked=True)
        short = turn.reply[:28].replace("\n", " ")
        title = f"第 {turn.n} 轮　{short}{'……' if len(turn.reply) > 28 else ''}"
        with st.expander(title, expanded=bool(turn.appraisal.violations) or turn.n == 1):
            frame.show(view.fragment("turn", names=names, redlines=library.redlines, **row))


def _opinion(talk: Watched) -> None:
    found = classroom.review(frame.parts(), frame.actor(), talk.id)
    with st.container(border=True):
        st.markdown("**情绪曲线**")
        moods = [t.mind.mood for t in talk.turns]
        frame.show(view.curve(talk.opening.mood, moods, talk.report.moments if talk.report else (), width=420))
    with st.container(border=True):
        st.markdown("**评语**")
        marking.comment_form(talk.id, len(talk.turns))
    if talk.report:
        with st.container(border=True):
            st.markdown("**复评**（系统的分保留在旁边）")
            marking.marks_form(talk.id, talk.report.dims)
    with st.container(border=True):
        st.markdown("**已有的意见**")
        marking.second(found)
        marking.answers_form(talk.id, found)
