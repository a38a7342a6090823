"""知识测验: rounds of questions, each answer shown with why and where it stands written."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import streamlit as st

from bot import growth, rounds, view
from bot.errors import LearnerError
from bot.quiz import load_quiz
from bot.records import Question, QuizSet
from bot.rounds import Verdict
from bot.screens import frame

ROUND, AT, VERDICT, DONE, TOPIC = "quiz-round", "quiz-at", "quiz-verdict", "quiz-done", "quiz-topic"
ALL, WIDTH = "", 780


def render() -> None:
    """The page."""
    st.title("知识测验")
    ids: tuple[str, ...] = st.session_state.get(ROUND, ())
    if not ids:
        _start()
        return
    at = int(st.session_state.get(AT, 0))
    if at >= len(ids):
        with st.container(width=WIDTH):
            _summary(st.session_state.get(DONE, []))
        return
    with st.container(width=WIDTH):
        _progress(at, len(ids))
        question = rounds.question(frame.parts(), ids[at])
        verdict: Verdict | None = st.session_state.get(VERDICT)
        if verdict is None:
            _ask(question)
        else:
            _answered(verdict, last=at + 1 == len(ids))
        _stop(len(ids))


def open_round(ids: Sequence[str]) -> None:
    """Go and answer these questions."""
    _begin(ids)
    frame.go("quiz")


def _begin(ids: Sequence[str]) -> None:
    st.session_state[ROUND], st.session_state[AT], st.session_state[DONE] = tuple(ids), 0, []
    st.session_state.pop(VERDICT, None)


# ── before and after ─────────────────────────────────────────────────────────────────────────────────


def _start() -> None:
    parts, owner = frame.parts(), frame.owner()
    sets = load_quiz(parts.library.root)
    waiting = rounds.due(parts, owner)
    if waiting:
        with st.container(border=True):
            st.markdown(f"**有 {len(waiting)} 道错题到时间了**")
            if st.button("先答错题", type="primary", key="due"):
                _begin(waiting)
                st.rerun()
    answered = {p.card for p in parts.practice.all(owner)}
    names = {ALL: "混着来（错题和弱项在前）", **{s.id: _named(s, answered) for s in sets.values()}}
    topic = st.radio("考什么", list(names), format_func=names.__getitem__, key=TOPIC) or ALL
    st.caption(sets[topic].intro if topic else "从各组里抽十题，每一题都说为什么，也说写在哪里。思考题单独成组。")
    if st.button("开始一轮", type="primary" if not waiting else "secondary", key="start"):
        _begin(rounds.draw(parts, owner, growth.weak(parts, owner), topic, parts.make_seed()))
        st.rerun()


def _named(quiz: QuizSet, answered: Collection[str]) -> str:
    done = sum(q.id in answered for q in quiz.questions)
    return f"{quiz.title}（{len(quiz.questions)} 题{f'，答过 {done}' if done else ''}）"


def _summary(done: list[Verdict]) -> None:
    judged = [v for v in done if v.right is not None]
    right = sum(bool(v.right) for v in judged)
    wrong = [v for v in judged if not v.right]
    frame.show(
        view.fragment(
            "round", right=right, judged=len(judged), opened=len(done) - len(judged), wrong=len(wrong),
            calm=frame.low_anxiety(), word=view.score_word(100 * right / len(judged)) if judged else "",
        )
    )  # fmt: skip
    with st.container(horizontal=True):
        if st.button("再来一轮", type="primary", key="more"):
            st.session_state.pop(ROUND, None)
            st.rerun()
        if st.button("去快练", key="to-drill"):
            st.session_state.pop(ROUND, None)
            frame.go("drill")
    if wrong:
        st.header("这一轮的错题")
    for v in wrong:
        with st.expander(_plain(v.question.question), expanded=v is wrong[0]):
            frame.show(view.fragment("choices", v=v, banner=False))
            frame.show(view.fragment("why", q=v.question, sources=v.sources))


def _progress(at: int, count: int) -> None:
    st.progress((at + 1) / count, text=f"第 {at + 1} 题，共 {count} 题")


def _stop(count: int) -> None:
    """End the round here: what was answered is summed up."""
    if st.button("先不答了", key="stop", type="tertiary"):
        st.session_state[AT] = count
        st.session_state.pop(VERDICT, None)
        if not st.session_state.get(DONE):
            st.session_state.pop(ROUND, None)
        st.rerun()


# ── one question ─────────────────────────────────────────────────────────────────────────────────────


def _ask(q: Question) -> None:
    with st.form(f"quiz-{q.id}", border=True):
        frame.show(view.fragment("question", q=q, kind=rounds.KIND_NAMES[q.kind]))
        chosen: list[str] = []
        written = ""
        if q.kind == "open":
            written = st.text_area(
                "您的想法", key=f"open-{q.id}", height=140, placeholder="写一两句就行，写完看参考要点。"
            )
        elif q.kind == "multiple":
            chosen = [o for i, o in enumerate(q.options) if st.checkbox(_plain(o), key=f"tick-{q.id}-{i}")]
        else:
            picked = st.radio("选一个", q.options, index=None, format_func=_plain, key=f"pick-{q.id}")
            chosen = [picked] if picked else []
        sent = st.form_submit_button("写好了，看要点" if q.kind == "open" else "就选这个", type="primary")
    if sent:
        _check(q, chosen, written)


def _plain(option: str) -> str:
    """An option as it is written: widget labels would read Markdown in it."""
    return "".join(f"\\{ch}" if ch in r"\`*_{}[]()#+-.!~$:<>|" else ch for ch in option)


def _check(q: Question, chosen: list[str], written: str) -> None:
    try:
        verdict = rounds.answer(frame.parts(), frame.owner(), q.id, chosen, written)
    except LearnerError as error:
        st.warning(str(error), icon=":material/info:")
        return
    st.session_state[VERDICT] = verdict
    st.session_state[DONE] = [*st.session_state.get(DONE, []), verdict]
    st.rerun()


def _answered(v: Verdict, last: bool) -> None:
    with st.container(border=True):
        frame.show(view.fragment("question", q=v.question, kind=rounds.KIND_NAMES[v.question.kind]))
        frame.show(view.fragment("choices", v=v))
        frame.show(view.fragment("why", q=v.question, sources=v.sources))
    if st.button("看这一轮的结果" if last else "下一题", type="primary", key="next"):
        st.session_state[AT] = int(st.session_state.get(AT, 0)) + 1
        st.session_state.pop(VERDICT, None)
        st.rerun()
