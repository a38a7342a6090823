"""The trial talk beside the form: the customer's mind in sight, a word on any of his lines, the same replies again."""

from __future__ import annotations

from typing import Any, Literal

import streamlit as st

from bot import cases, view
from bot.errors import HuasuError
from bot.records import VARIABLES, Persona, Problem, Turn, Version
from bot.scenarios import read_yaml
from bot.screens import frame
from bot.screens.workshop_form import plain
from bot.workshop import Workshop, principles, trial
from bot.workshop.fields import VARIABLE_NAMES

TRIAL, REPLAY = "trial", "replayed"
TALK_HEIGHT = 430
BAD = ("A", "G", "S", "X", "D")
BANDS = {"boil": "沸", "hot": "热", "warm": "温", "cool": "凉", "calm": "平"}


def render(desk: Workshop, draft: Version, problems: tuple[Problem, ...]) -> None:
    """The whole panel."""
    st.markdown("**试聊**")
    case = _case(desk, draft)
    if problems:
        st.caption("先把左边标红的几处改好，就能和他聊。")
        return
    talk = _current(desk, draft)
    label = "重新开始" if talk else "和他聊聊"
    if st.button(label, key="trial-start", type="secondary" if talk else "primary", disabled=not case):
        started = trial.Trial.start(desk, draft.kind, draft.body, scenario_id=case)
        st.query_params[TRIAL] = started.session.id
        st.session_state.pop(REPLAY, None)
        st.rerun()
    if talk is None:
        st.caption("不发布也能聊。聊的是草稿现在的样子，不计成绩。")
        return
    _talk(desk, draft, talk)


def _case(desk: Workshop, draft: Version) -> str:
    if draft.kind == "scenario":
        return draft.id
    try:
        persona = Persona.model_validate(draft.body)
    except ValueError:
        return ""
    fitting = {s.id: f"{s.id} {s.title}" for s in desk.library.scenarios.values() if not cases.unsuitable(s, persona)}
    if not fitting:
        return ""
    return str(st.selectbox("放进哪个场景", list(fitting), format_func=fitting.__getitem__, key=f"try-in-{draft.id}"))


def _current(desk: Workshop, draft: Version) -> trial.Trial | None:
    """The talk named in the address, if it is one with this draft."""
    session_id = st.query_params.get(TRIAL, "")
    if not session_id:
        return None
    try:
        found = trial.Trial.resume(desk, session_id)
    except HuasuError:
        return None
    s = found.session.snapshot
    played = s.scenario.id.split("-")[0] if draft.kind == "scenario" else s.persona.id if s.persona else ""
    return found if played == draft.id else None


def _talk(desk: Workshop, draft: Version, talk: trial.Trial) -> None:
    session = talk.session
    _changed(desk, draft, talk)
    with st.container(height=TALK_HEIGHT, border=True, autoscroll=True):
        who = session.snapshot.scenario.profile.name
        opening = session.snapshot.scenario.opening
        frame.show(view.fragment("bubble", role="customer", who=who, parts=view.said(opening), notices=()))
        for turn in session.turns:
            mine = [{"text": turn.reply, "aside": False}]
            frame.show(view.fragment("bubble", role="manager", who="我", parts=mine, notices=()))
            frame.show(view.fragment("bubble", role="customer", who=who, parts=view.said(turn.answer.text),
                                     notices=turn.answer.notices))  # fmt: skip
            _opinion(desk, draft, turn)
    if session.ended:
        st.info(view.ENDINGS.get(session.ended, "谈话结束。"), icon=":material/flag:")
    else:
        _reply(talk)
    if session.turns:
        _mind(talk)


def _reply(talk: trial.Trial) -> None:
    with st.form(f"say-{talk.session.id}", clear_on_submit=True, border=False):
        text = st.text_area("回他一句", key=f"trial-reply-{talk.session.id}", height=80, label_visibility="collapsed",
                            placeholder="回他一句……")  # fmt: skip
        sent = st.form_submit_button("发送", type="primary")
    if not sent:
        return
    try:
        with st.spinner("客户在听……", show_time=False):
            talk.say(text)
    except HuasuError as error:
        st.warning(plain(str(error)), icon=":material/info:")
        return
    st.rerun()


# ── a word on a line ─────────────────────────────────────────────────────────────────────────────────


def _opinion(desk: Workshop, draft: Version, turn: Turn) -> None:
    key = f"op-{draft.id}-{draft.n}-{turn.n}-{hash(turn.answer.text)}"
    with st.popover("赞 / 不像", icon=":material/rate_review:"):
        which = st.radio("这句话", list(principles.KIND_NAMES), format_func=principles.KIND_NAMES.__getitem__,
                         horizontal=True, key=f"{key}-kind", index=1)  # fmt: skip
        kind: Literal["like", "unlike"] = "like" if which == "like" else "unlike"
        words = st.text_area("就是这几个字", value=turn.answer.text, key=f"{key}-words", max_chars=200, height=80,
                             help="整句不像就留着；只是几个字不像，删到只剩那几个字，含这几个字的台词都不再说。")  # fmt: skip
        why = st.text_input("为什么", key=f"{key}-why", max_chars=200, placeholder="例：他念过书，不会这样骂人")
        better = ""
        if kind == "unlike":
            better = st.text_input("他会怎么说（可不填）", key=f"{key}-better", max_chars=200)
        if st.button("记成一条原则", type="primary", key=f"{key}-keep"):
            try:
                found = principles.from_line(kind, turn, words, why, better, draft.body)
                desk.save(draft, principles.added(draft.body, found))
            except HuasuError as error:
                st.warning(plain(str(error)), icon=":material/info:")
                return
            st.rerun()


# ── the same replies again ───────────────────────────────────────────────────────────────────────────


def _changed(desk: Workshop, draft: Version, talk: trial.Trial) -> None:
    if not talk.session.turns or not _differs(draft, talk):
        return
    st.info("草稿改过了，这场聊的还是改之前的。", icon=":material/difference:")
    if st.button("用改过的重放这些话", key="replay", icon=":material/replay:"):
        bar = st.progress(0.0, text="正在重放……")
        rows = trial.replay(talk, draft.kind, draft.body, lambda n, of: bar.progress(n / of, text=f"第 {n} / {of} 句"))
        bar.empty()
        st.session_state[REPLAY] = (talk.session.id, desk.fingerprint(draft.body), rows)
    kept = st.session_state.get(REPLAY)
    if kept and kept[:2] == (talk.session.id, desk.fingerprint(draft.body)):
        frame.show(view.fragment("beside", rows=[_beside(r) for r in kept[2]], old="改之前", new="改之后"))


def _differs(draft: Version, talk: trial.Trial) -> bool:
    snapshot = talk.session.snapshot
    held: Any = snapshot.scenario if draft.kind == "scenario" else snapshot.persona
    try:
        return bool(type(held).model_validate(draft.body) != held)
    except ValueError:
        return False


def _beside(row: trial.Beside) -> dict[str, Any]:
    moved = row.mood_before is not None and row.mood_after is not None and row.mood_before != row.mood_after
    mood = f"{row.mood_before:.0f} → {row.mood_after:.0f}" if moved else ""
    return {"reply": row.reply, "before": row.before, "after": row.after, "differs": row.differs, "mood": mood}


# ── the mind ─────────────────────────────────────────────────────────────────────────────────────────


def _mind(talk: trial.Trial) -> None:
    session, count = talk.session, len(talk.session.turns)
    with st.expander("他心里", expanded=True, icon=":material/psychology:"):
        n = count
        if count > 1:
            n = st.select_slider("看第几句", list(range(1, count + 1)), value=count, key=f"mind-{session.id}-{count}")
        turn = session.turns[n - 1]
        before = session.turns[n - 2].mind if n > 1 else session.opening_mind
        acts = _act_names(talk)
        rows = [
            {"name": VARIABLE_NAMES[v], "value": turn.mind.values[v], "bad": v in BAD and turn.mind.values[v] >= 70,
             "delta": round(turn.mind.values[v] - before.values[v])}
            for v in VARIABLES
        ]  # fmt: skip
        allowed = [acts.get(a, a).split("，")[0].split("。")[0] for a in turn.act.allowed if a != turn.act.behaviour]
        frame.show(view.fragment("mind", rows=rows, act=acts.get(turn.act.behaviour, turn.act.behaviour),
                                 band=f"火候：{BANDS[turn.act.band]}", reason=turn.mind.reason,
                                 allowed=allowed))  # fmt: skip
        _causes(talk, turn)
    with st.expander("舞台指示与提示词", icon=":material/theater_comedy:"):
        st.text(trial.direction(session, n))
        sent = talk.prompt(n)
        if sent:
            st.caption("模型实际读到的全文：")
            st.code("\n\n".join(f"[{m.role}]\n{m.text}" for m in sent), language=None, wrap_lines=True)
        else:
            st.caption("这一句由内置台词说出，没有发给模型。上面是它照着演的指示。")


def _causes(talk: trial.Trial, turn: Turn) -> None:
    name = talk.session.parts.library.taxonomy.name
    read = turn.appraisal
    said = [*(name(t.code) for t in read.techniques), *(name(a.code) for a in read.antis),
            *(name(v.code) for v in read.violations)]  # fmt: skip
    st.caption(f"他听到的：{'、'.join(said) if said else '没有特别的技巧或毛病'}")


def _act_names(talk: trial.Trial) -> dict[str, str]:
    found: dict[str, str] = read_yaml(talk.session.parts.settings.content_dir / "prompts" / "directions.yaml")["acts"]
    return found
