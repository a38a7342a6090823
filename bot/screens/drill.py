"""快练: one line of a customer, one reply, feedback at once; and the book of what went wrong."""

from __future__ import annotations

import streamlit as st

from bot import growth, notebook, practice, rounds, sources, view
from bot.citations import load_shelf
from bot.decks import Exercise
from bot.errors import LearnerError
from bot.export import code_names
from bot.practice import Outcome
from bot.records import Practised
from bot.screens import frame, quiz

CARD, OUTCOME, TRY, TAB, DECK = "drill-card", "drill-outcome", "drill-try", "drill-tab", "drill-deck"
ONE, BOOK = "练一题", "错题本"
MINE = ""


def render() -> None:
    """The page."""
    st.title("快练")
    book = frame.parts().practice.all(frame.owner())
    tab = st.segmented_control("做什么", [ONE, BOOK], default=ONE, label_visibility="collapsed", key=TAB)
    if tab == BOOK:
        _book([p for p in book if notebook.in_book(p)])
    else:
        _one(book)


def open_card(card_id: str = "") -> None:
    """Go and practise a question; without one, the one most worth it."""
    _take(card_id)
    frame.go("drill")


def _take(card_id: str) -> None:
    st.session_state[CARD], st.session_state[TAB] = card_id, ONE
    st.session_state.pop(OUTCOME, None)


# ── one question ─────────────────────────────────────────────────────────────────────────────────────


def _one(book: tuple[Practised, ...]) -> None:
    found = practice.decks(frame.parts())
    names = {MINE: "为我挑（错题和弱项在前）", **{d.id: d.title for d in found.decks.values()}}
    question, side = st.columns([5, 2], gap="large")
    with side:
        deck = st.selectbox("练哪一组", list(names), format_func=names.__getitem__, key=DECK, on_change=_forget)
        _today(book)
    with question:
        exercise = found.exercise(_card(deck or MINE))
        _ask(exercise)
        outcome = st.session_state.get(OUTCOME)
        if outcome is None:
            _reply(exercise)
        else:
            _feedback(exercise, outcome, deck or MINE)


def _card(deck: str) -> str:
    """The question on the page; it stays until another is asked for."""
    current = str(st.session_state.get(CARD, ""))
    if not current:
        current = _next(deck)
        st.session_state[CARD] = current
    return current


def _next(deck: str, after: str = "") -> str:
    parts, owner = frame.parts(), frame.owner()
    return practice.choose(parts, owner, growth.weak(parts, owner), deck, skip=(after,))


def _forget() -> None:
    st.session_state.pop(CARD, None)
    st.session_state.pop(OUTCOME, None)


def _today(book: tuple[Practised, ...]) -> None:
    parts = frame.parts()
    done = parts.practice.days(frame.owner()).get(notebook.day(parts.clock()), 0)
    waiting = len(notebook.due(book, parts.clock()))
    st.caption(f"今天练了 {done} 题。" if done else "今天还没有练，一题只要一分钟。")
    if waiting:
        st.caption(f"错题本里有 {waiting} 题到时间了。")


def _ask(exercise: Exercise) -> None:
    case = exercise.case
    p = case.profile
    overdue = f"，逾期 {p.overdue_days} 天" if p.overdue_days else ""
    frame.show(
        view.fragment(
            "asked",
            who=p.name,
            channel=case.channel.split("（")[0],
            parts_=view.said(case.opening),
            file=f"{p.age} 岁，{p.job}，{p.product}{overdue}",
        )
    )


def _reply(exercise: Exercise) -> None:
    with st.form(f"drill-form-{exercise.id}-{st.session_state.get(TRY, 0)}", border=False):
        text = st.text_area(
            "您的第一句", key=f"drill-text-{exercise.id}-{st.session_state.get(TRY, 0)}", height=120,
            placeholder="先接住他，再往下说。按 Ctrl + Enter 也能交。",
        )  # fmt: skip
        with st.container(horizontal=True):
            sent = st.form_submit_button("交这一句", type="primary")
            skipped = st.form_submit_button("换一题")
    if skipped:
        _go_on(exercise, str(st.session_state.get(DECK) or MINE))
    if sent:
        try:
            st.session_state[OUTCOME] = practice.answer(frame.parts(), frame.owner(), exercise.id, text)
        except LearnerError as error:
            st.warning(str(error), icon=":material/info:")
            return
        st.rerun()


def _go_on(exercise: Exercise, deck: str) -> None:
    st.session_state[CARD] = _next(deck, exercise.id)
    _again()


def _again() -> None:
    st.session_state.pop(OUTCOME, None)
    st.session_state[TRY] = st.session_state.get(TRY, 0) + 1
    st.rerun()


def _feedback(exercise: Exercise, o: Outcome, deck: str) -> None:
    parts = frame.parts()
    library, names = parts.library, code_names(parts.library)
    if o.notice:
        st.info(o.notice, icon=":material/shield:")
    frame.show(
        view.fragment(
            "outcome",
            o=o,
            spans=view.spans(o.turn.reply, o.read, library.taxonomy),
            names=names,
            score=view.score_word(o.score) if frame.low_anxiety() else f"{o.score:.0f} 分",
        )
    )
    with st.container(border=True):
        frame.show(view.fragment("coaching", c=o.coaching))
        for citation in (c for v in o.read.violations for c in v.citations[:2]):
            frame.show(view.fragment("sourced", s=sources.source(citation, load_shelf(library.root))))
        frame.show(view.fragment("trained", rows=o.trained, names=names))
    with st.container(horizontal=True):
        if st.button("再来一次", type="secondary" if o.passed else "primary", key="again"):
            _again()
        if st.button("下一题", type="primary" if o.passed else "secondary", key="next"):
            _go_on(exercise, deck)
    with st.expander("看看示范"):
        frame.show(view.fragment("model", gold=exercise.case.exemplary, note=exercise.case.note))
    with st.expander("逐项检查"):
        frame.show(view.fragment("checks", verdicts=[v for v in o.grade.verdicts if v.passed is not None]))


# ── the book ─────────────────────────────────────────────────────────────────────────────────────────


def _book(book: list[Practised]) -> None:
    parts = frame.parts()
    if not book:
        st.info("错题本是空的。练过没过的题会自动收进来，隔几天再请您练一次。", icon=":material/menu_book:")
        return
    now = parts.clock()
    ready = notebook.due(book, now)
    st.caption(f"一共 {len(book)} 题，{len(ready)} 题到时间了。隔几天再答对，间隔越来越长，记牢了就自动离开。")
    _review([p.card for p in ready])
    for p in sorted(book, key=lambda p: (p not in ready, p.due)):
        _missed(p, now, p in ready)


def _review(ready: list[str]) -> None:
    drills = [c for c in ready if c in practice.decks(frame.parts()).exercises]
    asked = rounds.due(frame.parts(), frame.owner())
    with st.container(horizontal=True):
        if drills:
            label = f"练到时间的快练（{len(drills)}）"
            st.button(label, type="primary", key="review", on_click=_take, args=(drills[0],))
        if asked and st.button(f"答到时间的测验题（{len(asked)}）", key="review-quiz"):
            quiz.open_round(asked)


def _missed(p: Practised, now: str, ready: bool) -> None:
    exercises, asked = practice.decks(frame.parts()).exercises, rounds.questions(frame.parts())
    if p.card not in exercises and p.card not in asked:
        return  # a trainer took the question out
    line = exercises[p.card].case.opening if p.card in exercises else asked[p.card].question
    with st.container(border=True):
        words, action = st.columns([6, 1], vertical_alignment="center")
        with words:
            kind = "快练" if p.card in exercises else "测验"
            frame.show(
                view.fragment(
                    "missed", line=line, kind=kind, times=p.missed, said=p.said, when=notebook.when(p, now), ready=ready
                )
            )
        key = f"book-{p.card}"
        if p.card in exercises:
            action.button("练这题", key=key, width="stretch", on_click=_take, args=(p.card,))
        elif action.button("答这题", key=key, width="stretch"):
            quiz.open_round((p.card,))
