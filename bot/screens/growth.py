"""成长: what got better, what to practise next, the one-day path through the course, and every talk so far."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from bot import charts, course, growth, notebook, view
from bot.course import Leg, Stretch
from bot.growth import Growth, Spot, Talked
from bot.screens import drill, frame, quiz
from bot.session import Session
from bot.store import Entry

TAB, MORE, SHOWN, PAGE = "growth-tab", "growth-more", 8, 10
OVER, PATH, PAST = "我的进步", "一天走完六个模块", "谈过的客户"
LEGS = {"quiz": "测验", "drills": "快练", "cases": "对练"}
UNITS = {"quiz": "题", "drills": "题", "cases": "位客户"}


def render() -> None:
    """The page."""
    found = growth.read(frame.parts(), frame.owner())
    title, setting = st.columns([5, 2], vertical_alignment="bottom")
    title.title("成长")
    with setting:
        frame.low_anxiety_toggle()
    tab = st.segmented_control("看什么", [OVER, PATH, PAST], default=OVER, label_visibility="collapsed", key=TAB)
    {PATH: _path, PAST: _past}.get(str(tab), _overview)(found)


# ── progress ─────────────────────────────────────────────────────────────────────────────────────────


def _overview(found: Growth) -> None:
    if found.empty:
        _beginning()
        return
    frame.show(view.fragment("facts", rows=_facts(found)))
    if found.spots:
        st.header("接下来练什么")
        for spot in found.spots:
            _spot(spot)
    if found.talks:
        _scores(found)
        _skills(found)
        _reds(found.talks)
    else:
        st.info("快练记下来了。谈完一场，这里会画出每项技巧的走势。", icon=":material/forum:")


def _beginning() -> None:
    st.info("还没有记录。练一题或者谈一场之后，这里会看到自己哪里变好了。", icon=":material/trending_up:")
    with st.container(horizontal=True):
        if st.button("先练一题（一分钟）", type="primary", key="begin-drill"):
            drill.open_card()
        if st.button("去谈一位客户", key="begin-talk"):
            frame.go("choose")


def _facts(found: Growth) -> list[tuple[str, str, str]]:
    calm, s = frame.low_anxiety(), found.streak
    kept = "今天已经练过" if s.today else "今天练一题就接上" if s.days else "今天开个头"
    forgiven = "，漏了一天不要紧" if s.forgiven else ""
    rows = [("连续练习", ("一直在练" if s.days > 1 else "刚开始") if calm else f"{s.days} 天", kept + forgiven)]
    if best := found.best:
        score = view.score_word(best.final) if calm else f"{best.final:.0f} 分"
        rows.append(("最好的一场", score, f"{_date(best.entry.started_at)}，{best.entry.scenario}"))
        now, longest = found.clean_run
        value = ("稳住了" if now else "下一场重新来") if calm else f"{now} 场"
        rows.append(("连着没碰红线", value, "" if calm else f"最长 {longest} 场"))
    if risen := found.most_improved:
        rows.append(("进步最大", risen.name, f"现在说得{view.quality_word(risen.recent)}"))
    elif found.skills:
        rows.append(("用得最多", found.skills[0].name, f"说得{view.quality_word(found.skills[0].recent)}"))
    return rows


def _spot(spot: Spot) -> None:
    with st.container(border=True):
        words, action = st.columns([5, 1], vertical_alignment="center")
        with words:
            frame.show(view.fragment("spot", s=spot, calm=frame.low_anxiety()))
        if action.button("练一题" if spot.card else "谈一场", key=f"spot-{spot.code}", width="stretch"):
            if spot.card:
                drill.open_card(spot.card)
            _talk(spot.case, ())


def _scores(found: Growth) -> None:
    st.header("每一场的成绩")
    points = [charts.Point(t.final, bool(t.red), _date(t.entry.started_at)) for t in found.talks]
    line = frame.parts().library.rubric["pass_gate"]["overall_rule"]["final"]
    shown = "菱形是碰了红线的那几场；线是近几场的走势。" if len(points) > 1 else "再谈一场，就能看出走势。"
    with st.container(border=True):
        frame.show(view.fragment("chart", image=charts.trend(points, line, frame.low_anxiety()), note=shown))


def _skills(found: Growth) -> None:
    st.header("每项技巧的走势")
    rows = [(s, charts.spark([q for _, q in s.points], f"{s.name}：{s.trend}")) for s in found.skills]
    with st.container(border=True):
        frame.show(view.fragment("skills", rows=rows[:SHOWN], calm=frame.low_anxiety()))
        if rows[SHOWN:]:
            with st.expander(f"另外 {len(rows) - SHOWN} 项"):
                frame.show(view.fragment("skills", rows=rows[SHOWN:], calm=frame.low_anxiety()))


def _reds(talks: tuple[Talked, ...]) -> None:
    st.header("红线")
    last: dict[str, tuple[int, str]] = {}
    for talk in talks:
        for code in talk.red:
            last[code] = (last.get(code, (0, ""))[0] + 1, _date(talk.entry.started_at))
    if not last:
        st.success("谈完的每一场都没有碰红线。", icon=":material/verified_user:")
        return
    name = frame.parts().library.taxonomy.name
    rows = [
        (name(c), "" if frame.low_anxiety() else f"{n} 场", day) for c, (n, day) in sorted(last.items(), key=_often)
    ]
    with st.container(border=True):
        frame.show(view.fragment("reds", rows=rows))


def _often(item: tuple[str, tuple[int, str]]) -> tuple[int, str]:
    return -item[1][0], item[0]


# ── the path through the course ──────────────────────────────────────────────────────────────────────


def _path(found: Growth) -> None:
    day = course.load_day(frame.parts().library.root)
    stretches = course.path(day, found.history, found.book)
    done = sum(s.progress[0] for s in stretches)
    total = sum(s.progress[1] for s in stretches)
    st.progress(done / total, text="六个模块都走完了。" if done == total else f"走了 {done} 步，一共 {total} 步")
    if following := course.upcoming(stretches):
        stretch, leg = following
        label = f"接着走：{view.MODULE_NAMES[stretch.module.id].split('　')[0]}的{LEGS[leg.kind]}"
        if st.button(label, type="primary", key="path-next"):
            _walk(leg, found)
    for stretch in stretches:
        _stretch(stretch, found)


def _stretch(stretch: Stretch, found: Growth) -> None:
    done, total = stretch.progress
    m = stretch.module
    with st.container(border=True):
        frame.show(
            view.fragment(
                "stretch", title=view.MODULE_NAMES[m.id], aim=m.aim, minutes=m.minutes, done=done, total=total,
                complete=stretch.complete,
            )
        )  # fmt: skip
        with st.container(horizontal=True):
            for leg in stretch.legs:
                label = f"{LEGS[leg.kind]} {len(leg.done)}/{len(leg.wanted)}"
                if st.button(label, key=f"leg-{m.id}-{leg.kind}", disabled=not leg.left,
                             icon=None if leg.left else ":material/check:"):  # fmt: skip
                    _walk(leg, found)


def _walk(leg: Leg, found: Growth) -> None:
    steps: dict[str, Callable[[], None]] = {
        "quiz": lambda: quiz.open_round(leg.left),
        "drills": lambda: drill.open_card(leg.left[0]),
        "cases": lambda: _talk(leg.left[0], found.history),
    }
    steps[leg.kind]()


def _talk(case: str, history: tuple[Entry, ...]) -> None:
    """Go on with an unfinished talk with this customer, or start one."""
    open_one = next((e.id for e in history if e.scenario == case and not e.ended and e.final is None), "")
    frame.go("talk", open_one or Session.start(frame.parts(), case, owner=frame.owner()).id)


# ── the talks so far ─────────────────────────────────────────────────────────────────────────────────


def _past(found: Growth) -> None:
    if not found.history:
        st.info("还没有谈过客户。谈过的每一场都会记在这里，可以回头看报告。", icon=":material/history:")
        if st.button("去选一位客户", type="primary", key="past-choose"):
            frame.go("choose")
        return
    shown = int(st.session_state.get(MORE, PAGE))
    for entry in found.history[:shown]:
        _entry(entry)
    if len(found.history) > shown and st.button(f"再看 {min(PAGE, len(found.history) - shown)} 场", key="more"):
        st.session_state[MORE] = shown + PAGE
        st.rerun()


def _entry(entry: Entry) -> None:
    with st.container(border=True):
        words, action = st.columns([5, 1], vertical_alignment="center")
        with words:
            frame.show(view.fragment("past", title=entry.title, meta=_meta(entry)))
        finished = entry.final is not None or bool(entry.ended)
        if action.button("看报告" if finished else "接着谈", key=f"past-{entry.id}", width="stretch"):
            frame.go("report" if finished else "talk", entry.id)


def _meta(entry: Entry) -> str:
    if entry.final is None:
        stands = "谈完了，报告还没看" if entry.ended else f"谈到第 {entry.turn_count} 轮"
    else:
        stands = view.score_word(entry.final) if frame.low_anxiety() else f"{entry.final:.0f} 分"
    mode = view.MODE_NAMES.get(entry.mode, entry.mode)
    return f"{_date(entry.started_at)}　{entry.scenario}　{mode}　{stands}"


def _date(at: str) -> str:
    _, month, day = notebook.day(at).split("-")
    return f"{int(month)}月{int(day)}日"
