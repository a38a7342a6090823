"""报告: pass or not and why, the curve, every reply with its evidence, what he hid, and what to work on."""

from __future__ import annotations

from functools import partial

import streamlit as st

from bot import export, view, words
from bot.compare import forks
from bot.records import Report
from bot.screens import frame, marking
from bot.session import Session

WANTED = "report-wanted"
_FILES = (
    ("html", "网页版", "text/html"), ("pdf", " PDF", "application/pdf"), ("csv", "表格", "text/csv"),
    ("json", " JSON", "application/json"),
)  # fmt: skip


def render() -> None:
    """The page."""
    session = frame.current()
    if session is None:
        frame.nothing_here("还没有报告。先谈一场，结束后这里会告诉您哪句话起了作用。")
        return
    if not session.ended and st.session_state.get(WANTED) != session.id:
        _not_yet(session)
        return
    if session.debrief_due:
        _debrief(session)
        return
    finished = _finished(session)
    _first(session, finished)
    if session.snapshot.mode == "gate":
        st.subheader("五步闯关")
        frame.show(view.fragment("gates", steps=finished.gates, calm=frame.low_anxiety()))
        frame.show(view.fragment("review", steps=finished.gates, calm=frame.low_anxiety()))
    _shape(finished)
    if finished.focus:
        st.subheader("今天最值得改的")
        _focus(session, finished)
    st.subheader("合规的两面")
    frame.show(view.fragment("sides", slips=finished.slips))
    marking.shown(session.parts, session.id)
    _forks(session)
    _replies(session, finished)
    _below_the_water(session, finished)
    _leave(session, finished)


def _first(session: Session, finished: Report) -> None:
    """Pass or not and why, with everything that qualifies it."""
    s, entry = session.snapshot.scenario, session.entry
    ending = view.ENDINGS.get(session.ended, "")
    calm = words.total(finished) if frame.low_anxiety() else ""
    where, switch = st.columns([4, 1], vertical_alignment="center")
    where.caption(f"{s.id}　{s.title}　{view.MODE_NAMES[session.snapshot.mode]}　快照 {session.snapshot.id}")
    with switch:
        frame.low_anxiety_toggle()
    with st.container(border=True):
        marks = words.marks(entry)
        frame.show(view.fragment("headline", r=finished, ending=ending, marks_=marks, calm=calm))


def _shape(finished: Report) -> None:
    """The mood curve with what moved it, and the dimensions."""
    calm = frame.low_anxiety()
    left, right = st.columns([3, 2], gap="medium")
    with left, st.container(border=True, height="stretch"):
        st.markdown("**情绪曲线**")
        frame.show(view.curve(finished.start_mood, finished.moods, finished.moments, numbers=not calm))
        frame.show(view.fragment("jumps", r=finished, calm=calm))
    with right, st.container(border=True, height="stretch"):
        st.markdown("**八个维度**" if calm else "**八个维度**（1–5 分）")
        frame.show(view.radar(finished.dims, numbers=not calm))


def _focus(session: Session, finished: Report) -> None:
    """At most three things to work on, each with its drill one click away."""
    for i, item in enumerate(finished.focus, 1):
        frame.show(view.fragment("focus", items=(item,), first=i))
        drill = session.parts.library.scenarios.get(item.drill)
        if drill and st.button(f"去练：{drill.title}", key=f"drill-{i}", icon=":material/fitness_center:"):
            frame.go("talk", Session.start(session.parts, drill.id, owner=frame.owner()).id)


def _forks(session: Session) -> None:
    """The original and the second tries, side by side."""
    calm = frame.low_anxiety()
    for fork in forks(session):
        st.subheader("原来和重说")
        with st.container(border=True):
            overlaid = export.overlaid(fork, numbers=not calm)
            frame.show(view.fragment("fork", f=fork, curve=overlaid, calm=calm))
            other = fork.before if fork.again.entry.id == session.id else fork.again
            label = "看原来那场" if other is fork.before else "看重说的那场"
            if st.button(label, key=f"fork-{other.entry.id}"):
                frame.go("report" if other.entry.ended else "talk", other.entry.id)


def _debrief(session: Session) -> None:
    """What has to be looked at before a score: a cry for help went unheard."""
    with st.container(border=True):
        frame.show(view.fragment("debrief", said=session.turns[-1].customer))
        text = st.text_area("用自己的话写一句：下次听到这样的话，您的第一句怎么说？", key="debrief", height=90)
        done, read = st.columns(2)
        if done.button("写好了，看报告", type="primary", disabled=not text.strip(), width="stretch"):
            session.debrief(text)
            st.rerun()
        if read.button("我读过了，今天先不写", width="stretch"):
            session.debrief("")
            st.rerun()


def finish(session: Session) -> None:
    """Go and see the report of a talk, ending it if it is still going on."""
    st.session_state[WANTED] = session.id
    frame.go("report", session.id)


def _not_yet(session: Session) -> None:
    st.info(f"和{session.snapshot.scenario.profile.name}的谈话还没有结束，结束之后才有报告。", icon=":material/forum:")
    with st.container(horizontal=True):
        if st.button("接着谈", type="primary"):
            frame.go("talk", session.id)
        if st.button("结束并看报告", disabled=not session.turns):
            finish(session)


def _finished(session: Session) -> Report:
    if session.parts.judge is None:
        return session.finish()
    bar = st.progress(0.0, text="评委正在逐句点评……")

    def show(done: int, total: int) -> None:
        bar.progress(done / total, text=f"评委正在逐句点评 {done}/{total}")

    found = session.finish(show)
    bar.empty()
    return found


def _replies(session: Session, finished: Report) -> None:
    library = session.parts.library
    names, hinted = export.code_names(library), {h.n for h in session.hints}
    st.subheader("逐句回看")
    for turn in session.turns:
        row = export.row(turn, finished, session.turns, library, linked=True)
        worst = turn.appraisal.violations or turn.appraisal.antis
        helped = "　有提示" if turn.n in hinted else ""
        title = f"第 {turn.n} 轮{helped}　{turn.reply[:28]}{'……' if len(turn.reply) > 28 else ''}".replace("\n", " ")
        with st.expander(title, expanded=bool(turn.appraisal.violations) or (turn.n == 1 and not worst)):
            frame.show(
                view.fragment(
                    "turn",
                    t=turn,
                    grade=row["grade"],
                    spans=row["spans"],
                    names=names,
                    redlines=library.redlines,
                    moved=row["moved"],
                    cause=row["cause"],
                    cites=row["cites"],
                    calm=frame.low_anxiety(),
                )
            )
            st.caption(f"客户回：{turn.answer.text}")
            if session.snapshot.mode == "practice" and st.button(
                "从这一轮重说", key=f"again-{turn.n}", icon=":material/undo:"
            ):
                frame.go("talk", session.rewind(turn.n).id)


def _below_the_water(session: Session, finished: Report) -> None:
    s = session.snapshot.scenario
    st.subheader("需求冰山")
    frame.show(view.fragment("iceberg", scenario=s, found=finished.found))
    if session.snapshot.mode != "gate":
        with st.expander("五步通关走到哪一步"):
            frame.show(view.fragment("gates", steps=finished.gates, calm=frame.low_anxiety()))
    with st.expander("示范：换一种说法"):
        st.markdown("**开场**")
        st.text(s.exemplary)
        st.markdown("**破局**")
        st.text(s.exemplary_key)
        for a in s.answers:
            st.markdown(f"**{a.question}**")
            st.text(a.answer)


def _leave(session: Session, finished: Report) -> None:
    st.divider()
    with st.container(horizontal=True):
        if st.button("同一位客户，再来一次", type="primary"):
            snap = session.snapshot
            again = Session.start(
                session.parts,
                snap.scenario.id,
                persona_id=snap.persona.id if snap.persona else "",
                mode=snap.mode,
                owner=session.owner,
                confirmed=True,  # this learner has read the warning for this very customer
            )
            frame.go("talk", again.id)
        if st.button("换一位客户"):
            frame.leave()
        for kind, name, mime in _FILES:
            st.download_button(
                f"下载{name}", partial(export.of_session, kind, session, finished), f"huasu-{session.id[:8]}.{kind}", mime,
                key=f"get-{kind}", on_click="ignore",
            )  # fmt: skip
