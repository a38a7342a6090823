"""选场景: an angry customer is waiting at the top; every other case below, by module, as the bank's system shows it."""

from __future__ import annotations

from itertools import groupby

import streamlit as st

from bot import cases, view, words
from bot.records import Mode, Scenario
from bot.screens import frame, tasks
from bot.session import Session
from bot.store import Entry
from bot.terms import RISK_NOTE

FEATURED = "SC01"
STARS = {1: "入门", 2: "较易", 3: "中等", 4: "较难", 5: "很难"}
ALL, COLUMNS = "全部", 3
_MODES: dict[str, Mode] = {
    "练习（边练边点评）": "practice",
    "考核（结束才看结果）": "exam",
    "闯关（五关一关一关过）": "gate",
}


def render() -> None:
    """The page."""
    scenarios = frame.parts().current.scenarios
    tasks.section()
    _waiting(scenarios.get(FEATURED) or next(iter(scenarios.values())))
    _unfinished()
    st.subheader("换一位客户")
    shown = _filtered([s for s in scenarios.values() if s.id != FEATURED])
    for module, found in groupby(sorted(shown, key=lambda s: (_module(s), s.id)), key=_module):
        st.markdown(f"**{view.MODULE_NAMES.get(module, '其他场景')}**")
        _grid(list(found))
    if not shown:
        st.info("没有符合的场景。换一个类型，或者清空搜索。", icon=":material/search_off:")
    st.caption(f"人名、行名、政策数字均为虚构演示。{frame.model_note()}")
    frame.low_anxiety_toggle()


def _module(scenario: Scenario) -> str:
    return scenario.outline_ref.split("-")[0]


def _filtered(scenarios: list[Scenario]) -> list[Scenario]:
    kinds = [ALL, *dict.fromkeys(view.TYPE_NAMES.get(s.type, s.type) for s in scenarios)]
    kind, level, words = st.columns([2, 2, 3])
    wanted = kind.selectbox("类型", kinds, key="kind")
    hard = level.selectbox("难度", [ALL, *STARS.values()], key="level")
    text = words.text_input("找场景", key="find", placeholder="姓名、职业、关键词，如 征信").strip()
    return [
        s for s in scenarios
        if wanted in (ALL, view.TYPE_NAMES.get(s.type, s.type)) and hard in (ALL, STARS[s.difficulty])
        and (not text or text in _searchable(s))
    ]  # fmt: skip


def _searchable(s: Scenario) -> str:
    return " ".join((s.id, s.title, s.opening, s.channel, s.profile.name, s.profile.job, s.profile.product))


def _grid(scenarios: list[Scenario]) -> None:
    for left in range(0, len(scenarios), COLUMNS):
        for column, scenario in zip(st.columns(COLUMNS), scenarios[left : left + COLUMNS], strict=False):
            with column, st.container(border=True, height="stretch"):
                _card(scenario)


def _card(scenario: Scenario) -> None:
    kind = view.TYPE_NAMES.get(scenario.type, scenario.type)
    p = scenario.profile
    who = "八位客户，每次抽三题" if scenario.drills else f"{p.name}，{p.age} 岁，{p.job}"
    meta = f"{scenario.id}　{kind}　{STARS[scenario.difficulty]}　{scenario.channel.split('（')[0]}"
    frame.show(view.fragment("card", title=scenario.title, meta=meta, who=who))
    if st.button("看看这位客户", key=f"open-{scenario.id}", width="stretch"):
        _meet(scenario.id)


@st.dialog("客户档案", width="large")
def _meet(scenario_id: str) -> None:
    scenario = frame.parts().current.scenario(scenario_id)
    st.markdown(f"**{scenario.title}**")
    frame.show(view.fragment("file", rows=view.file_lines(scenario)))
    frame.show(view.fragment("bubble", role="customer", who=scenario.profile.name,
                             parts=view.said(scenario.opening), notices=()))  # fmt: skip
    if scenario.offer:
        _brief(scenario)
    _begin(scenario, "开始谈")


def _waiting(scenario: Scenario) -> None:
    st.title("有客户在等您")
    talk, file = st.columns([3, 2], gap="large")
    with talk:
        frame.show(view.fragment("bubble", role="customer", who=f"{scenario.profile.name}　{scenario.channel}",
                                 parts=view.said(scenario.opening), notices=()))  # fmt: skip
        _begin(scenario, "请客户坐下，开始谈" if scenario.in_person else "接起电话")
    with file, st.container(border=True):
        st.markdown(f"**客户档案**　{scenario.id}")
        frame.show(view.fragment("file", rows=view.file_lines(scenario)))
        _brief(scenario)


def _begin(scenario: Scenario, label: str) -> None:
    """Mode, temper, the warning where one is due, and the button."""
    mode, persona = _options(scenario)
    ready, confirmed = True, False
    if scenario.safety_note:
        ready = confirmed = _warned(scenario)
    if st.button(label, type="primary", key=f"start-{scenario.id}", disabled=not ready, icon=":material/call:"):
        session = Session.start(frame.parts(), scenario.id, persona_id=persona, mode=mode,
                                owner=frame.owner(), confirmed=confirmed)  # fmt: skip
        frame.go("talk", session.id)


def _warned(scenario: Scenario) -> bool:
    """Whether the warning of a case that may turn to a crisis was read; False as well when trainers keep it closed."""
    if scenario.id not in frame.parts().settings.crisis_cases:
        st.warning("这个场景会出现轻生的话，培训师没有开放。", icon=":material/lock:")
        return False
    st.warning(scenario.safety_note or RISK_NOTE, icon=":material/favorite:")
    return st.checkbox("我看清楚了，也准备好了", key=f"risk-{scenario.id}")


def _options(scenario: Scenario) -> tuple[Mode, str]:
    people = frame.parts().current.personas.values()
    names = {"": "原本性格", **{p.id: p.name for p in people if not cases.unsuitable(scenario, p)}}
    left, right = st.columns(2)
    modes = [name for name, mode in _MODES.items() if mode != "gate" or scenario.gates]
    mode = left.selectbox("方式", modes, key=f"mode-{scenario.id}")
    persona = right.selectbox("客户性格", list(names), format_func=lambda i: names[i], key=f"persona-{scenario.id}",
                              disabled=len(names) == 1)  # fmt: skip
    if _MODES[mode] == "gate":
        st.caption(
            "五关：接纳情绪、先跟后带、顺耳解释、问题分析、解决方案。客户不夸张也不放水；三次没过，教练示范一次再回来。"
        )
    return _MODES[mode], persona


def _brief(scenario: Scenario) -> None:
    with st.expander("可用政策"):
        for policy in view.offers(scenario, frame.parts().library.policies):
            st.markdown(f"**{policy.id} {policy.name}**：{policy.terms}（{policy.authority}定）")


def _unfinished() -> None:
    recent = [e for e in frame.parts().store.history(frame.owner(), 20) if e.turn_count]
    if not recent:
        return
    with st.expander(f"最近的演练（{len(recent)}）"):
        for entry in recent[:8]:
            _recent(entry)


def _recent(entry: Entry) -> None:
    what, state, action = st.columns([5, 3, 2], vertical_alignment="center")
    what.markdown(f"{entry.scenario}　{entry.title}")
    marks = words.marks(entry)
    if marks:
        with what:
            frame.show(view.fragment("told", what="", found=marks))
    done = entry.final is not None
    how = f"谈到第 {entry.turn_count} 轮" if entry.final is None else "谈完了"
    if entry.final is not None and not frame.low_anxiety():
        how = f"{entry.final:.0f} 分"
    state.caption(f"{view.MODE_NAMES[entry.mode]}　{how}")
    if action.button("看报告" if done or entry.ended else "接着谈", key=f"open-{entry.id}", width="stretch"):
        frame.go("report" if done or entry.ended else "talk", entry.id)
