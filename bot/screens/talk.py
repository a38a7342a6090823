"""对练: the talk itself. A turn is committed before it is shown, so a click or a reload can never lose it."""

from __future__ import annotations

import streamlit as st

from bot import live, sources, view
from bot.citations import load_shelf
from bot.errors import ConflictError, HuasuError
from bot.records import Turn
from bot.screens import frame, report
from bot.session import Session

FLASH, DRAFT, WARM = "flash", "draft", "warm"


def render() -> None:
    """The page."""
    session = frame.current()
    if session is None:
        frame.nothing_here("还没有客户在谈。先选一位客户。")
        return
    _header(session)
    if session.at_risk:
        _help()
    practice = session.snapshot.mode == "practice"
    talk, side = st.columns([5, 3], gap="large") if practice else (st.container(), None)
    with talk:
        _history(session)
        making = live.running(session.id)
        if making is None:
            _trouble(session)
        waiting = st.empty()
    if side is not None:
        with side:
            _panel(session)
    if session.ended:
        _over(session)
        return
    if making is not None:
        with waiting.container():
            _follow(session, making)
    if not session.turns and not st.session_state.get(f"{WARM}-{session.id}"):
        st.session_state[f"{WARM}-{session.id}"] = True
        live.warm(session)
    text = st.chat_input("回客户一句……", key="reply", submit_mode="disable")
    if text:
        with waiting.container():
            _answer(session, text)


def _header(session: Session) -> None:
    s = session.snapshot.scenario
    title, actions = st.columns([5, 2], vertical_alignment="center")
    who = f"{s.profile.name}（{session.snapshot.persona.name}）" if session.snapshot.persona else s.profile.name
    title.markdown(f"#### {s.title}")
    title.caption(f"{s.id}　{who}　{s.channel}　{view.MODE_NAMES[session.snapshot.mode]}　第 {len(session.turns)} 轮")
    with actions, st.container(horizontal=True, horizontal_alignment="right"):
        with st.popover("档案与政策"):
            frame.show(view.fragment("file", rows=view.file_lines(s)))
            for policy in view.offers(s, session.parts.library.policies):
                st.markdown(f"**{policy.id} {policy.name}**：{policy.terms}（{policy.authority}定）")
        if st.button("结束并看报告", disabled=not session.turns, key="finish"):
            report.finish(session)


def _help() -> None:
    """The way out and the help line of a case that can turn to a crisis; it stays in sight while the talk scrolls."""
    with st.container(key="help"):
        words, leave = st.columns([6, 1], vertical_alignment="center")
        with words:
            frame.show(view.fragment("help", note="停下来不算没完成，也不计成绩。"))
        if leave.button("先停下", key="stop", width="stretch", icon=":material/logout:"):
            frame.leave()


def _history(session: Session) -> None:
    s = session.snapshot.scenario
    frame.show(view.fragment("bubble", role="customer", who=s.profile.name, parts=view.said(s.opening), notices=()))
    for turn in session.turns:
        _bubble("manager", "我", turn.reply)
        _customer(session, turn.answer.text, turn.answer.notices)


def _customer(session: Session, text: str, notices: tuple[str, ...]) -> None:
    who = session.snapshot.scenario.profile.name
    frame.show(view.fragment("bubble", role="customer", who=who, parts=view.said(text), notices=notices))


def _bubble(role: str, who: str, text: str) -> None:
    frame.show(view.fragment("bubble", role=role, who=who, parts=[{"text": text, "aside": False}], notices=()))


def _answer(session: Session, text: str) -> None:
    _follow(session, live.start(session, text))


def _follow(session: Session, turn: live.Live) -> None:
    """Show a turn while it is made. Leaving this page does not stop it: coming back joins it again."""
    text = turn.reply
    _bubble("manager", "我", text)
    try:
        with st.spinner("客户在听……", show_time=False):
            line = st.empty()
            for said in turn.follow():
                with line:
                    _customer(session, said, ())
        st.session_state.pop(FLASH, None)
        st.session_state.pop(DRAFT, None)
    except ConflictError as error:
        st.session_state[FLASH], st.session_state[DRAFT] = str(error), text
    except HuasuError as error:
        st.session_state[FLASH], st.session_state[DRAFT] = str(error), text
    st.rerun()


def _trouble(session: Session) -> None:
    message = st.session_state.get(FLASH)
    held = session.held if not session.ended else ""
    draft = st.session_state.get(DRAFT) or held
    if message:
        st.warning(message, icon=":material/info:")
    elif held:
        st.warning("上次这句话没有送达（可能页面中断过）。可以改一改重新发送，或者放弃它。", icon=":material/info:")
    if not draft or session.ended:
        return
    edited = st.text_area("您刚才写的", value=draft, key=f"draft-{len(session.turns)}-{hash(draft)}", height=110)
    send, drop, _ = st.columns([2, 2, 5])
    if send.button("重新发送", type="primary", width="stretch"):
        _answer(session, edited)
    if drop.button("放弃这句", width="stretch"):
        session.parts.store.hold(session.id, "")
        st.session_state.pop(FLASH, None)
        st.session_state.pop(DRAFT, None)
        st.rerun()


def _panel(session: Session) -> None:
    moods = [t.mind.mood for t in session.turns]
    st.html('<span class="hs-side"></span>')  # the style sheet keeps the column that holds this in view
    with st.container(border=True):
        st.markdown("**情绪曲线**")
        frame.show(view.curve(session.opening_mind.mood, moods, width=420))
        stage = view.STAGE_NAMES[session.mind.stage]
        st.caption(f"投诉{stage}（第 {session.mind.stage} 阶段）　愤怒 {session.mind.values['A']:.0f}　"
                   f"信任 {session.mind.values['T']:.0f}")  # fmt: skip
    with st.container(border=True):
        st.markdown("**教练**")
        if not session.turns:
            st.caption("先接住他的话：说出一个只属于他的细节，再说出他的感受，停一下。别急着解释。")
            return
        _coaching(session, session.turns[-1])


def _coaching(session: Session, last: Turn) -> None:
    frame.show(view.fragment("coaching", c=session.feedback(last.n).coaching))
    for violation in last.appraisal.violations:
        for citation in violation.citations[:2]:
            cited = sources.source(citation, load_shelf(session.parts.library.root))
            frame.show(view.fragment("sourced", s=cited))


def _over(session: Session) -> None:
    st.info(view.ENDINGS.get(session.ended, "谈话结束。"), icon=":material/flag:")
    if st.button("看报告", type="primary", key="to-report"):
        report.finish(session)
