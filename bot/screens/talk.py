"""对练: the talk itself. A turn is committed before it is shown, so a click or a reload can never lose it."""

from __future__ import annotations

import streamlit as st

from bot import export, live, sources, view, words
from bot.citations import load_shelf
from bot.compare import forks
from bot.errors import ConflictError, HuasuError
from bot.grading import HINT_STEPS
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
    panel = {"practice": _panel, "gate": _gates}.get(session.snapshot.mode)
    talk, side = st.columns([5, 3], gap="large") if panel else (st.container(), None)
    with talk:
        _history(session)
        making = live.running(session.id)
        if making is None:
            _trouble(session)
        waiting = st.empty()
    if panel and side is not None:
        with side:
            st.html('<span class="hs-side"></span>')  # the style sheet keeps the column that holds this in view
            panel(session)
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
    marks = words.marks(session.entry)
    with title:
        if session.snapshot.mode == "exam":
            st.caption(f"没有提示和点评，谈完看报告。快照 {session.snapshot.id}")
        if marks:
            frame.show(view.fragment("told", what="", found=marks))
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
    calm = frame.low_anxiety()
    with st.container(border=True):
        moods = [t.mind.mood for t in session.turns]
        frame.show(view.curve(session.opening_mind.mood, moods, width=420, numbers=not calm))
        values, stage = session.mind.values, view.STAGE_NAMES[session.mind.stage]
        figures = f"（第 {session.mind.stage} 阶段）　愤怒 {values['A']:.0f}　信任 {values['T']:.0f}"
        st.caption(f"投诉{stage}，他{words.state(values)}" if calm else f"投诉{stage}{figures}")
    with st.container(border=True):
        if session.turns:
            st.markdown("**教练**")
            _coaching(session, session.turns[-1])
        elif not session.hints:
            st.caption("先接住他的话：说出一个只属于他的细节，再说出他的感受，停一下。别急着解释。")
        if not session.ended:
            _hints(session)
    if session.turns and not session.debrief_due:
        _again(session)
    _compared(session)
    frame.low_anxiety_toggle()


def _hints(session: Session) -> None:
    """The hints for the line that is waiting for an answer, and the button that gives the next one."""
    given = [h for h in session.hints if h.n == len(session.turns) + 1]
    if given:
        frame.show(view.fragment("hint", h=given[-1]))
    if len(given) < HINT_STEPS:
        cost = "" if frame.low_anxiety() else "，每次扣 3 分"
        if st.button(
            "再具体一点" if given else "给我一个提示", key="hint", icon=":material/lightbulb:", width="stretch",
            help=f"用了提示，这一场会标上「有提示」{cost}。",
        ):  # fmt: skip
            session.hint()
            st.rerun()


def _again(session: Session) -> None:
    """Back to a step of this talk: a new talk begins there, this one stays as it is."""
    last = len(session.turns)
    with st.container(border=True):
        st.markdown("**回到这一步重说**")
        n = last
        if last > 1:
            n = st.selectbox(
                "从哪一轮重说", range(last, 0, -1), key=f"step-{last}", format_func=lambda i: _step(session, i)
            )
        if st.button("从这里重说", key="again", icon=":material/undo:", width="stretch"):
            frame.go("talk", session.rewind(n).id)
        st.caption("原来这一场原样留着，两种说法可以并排比。")


def _step(session: Session, n: int) -> str:
    reply = session.turns[n - 1].reply.replace("\n", " ")
    return f"第 {n} 轮：{reply[:14]}{'……' if len(reply) > 14 else ''}"


def _compared(session: Session) -> None:
    """The two ways of saying it, once both are said."""
    calm = frame.low_anxiety()
    for fork in forks(session):
        if fork.again.turn is not None:
            with st.expander(f"原来和重说（第 {fork.n} 轮）", expanded=fork.again.entry.id == session.id):
                overlaid = export.overlaid(fork, 420, not calm)
                frame.show(view.fragment("fork", f=fork, curve=overlaid, calm=calm))


def _gates(session: Session) -> None:
    """Progress through the five gates."""
    run = session.gates
    if run is not None:
        with st.container(border=True):
            st.markdown("**五步闯关**")
            most = session.parts.library.rubric["pass_gate"]["run"]["attempts"]
            frame.show(view.fragment("steps", run=run, most=most, calm=frame.low_anxiety()))


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
