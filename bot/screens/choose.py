"""选场景: an angry customer is waiting at the top; every other case below, as the bank's system would show it."""

from __future__ import annotations

import streamlit as st

from bot import view
from bot.records import Mode, Scenario
from bot.screens import frame
from bot.session import Session
from bot.store import LOCAL_OWNER, Entry

FEATURED = "SC01"
STARS = {1: "入门", 2: "较易", 3: "中等", 4: "较难", 5: "很难"}
_MODES: dict[str, Mode] = {"练习（边练边点评）": "practice", "考核（结束才看结果）": "exam"}


def render() -> None:
    """The page."""
    scenarios = frame.parts().library.scenarios
    _waiting(scenarios.get(FEATURED) or next(iter(scenarios.values())))
    _unfinished()
    st.subheader("换一位客户")
    others = [s for s in scenarios.values() if s.id != FEATURED]
    kinds = ["全部", *dict.fromkeys(view.TYPE_NAMES.get(s.type, s.type) for s in others)]
    wanted = st.segmented_control("类型", kinds, default="全部", label_visibility="collapsed", key="kind") or "全部"
    shown = [s for s in others if wanted in ("全部", view.TYPE_NAMES.get(s.type, s.type))]
    for left in range(0, len(shown), 3):
        for column, scenario in zip(st.columns(3), shown[left : left + 3], strict=False):
            with column, st.container(border=True, height="stretch"):
                _card(scenario)
    st.caption(f"人名、行名、政策数字均为虚构演示。{frame.model_note()}")


def _waiting(scenario: Scenario) -> None:
    st.title("有客户在等您")
    talk, file = st.columns([3, 2], gap="large")
    with talk:
        frame.show(view.fragment("bubble", role="customer", who=f"{scenario.profile.name}　{scenario.channel}",
                                 parts=view.said(scenario.opening), notices=()))  # fmt: skip
        mode, persona = _options(scenario.id)
        label = "请客户坐下，开始谈" if scenario.in_person else "接起电话"
        if st.button(label, type="primary", key=f"start-{scenario.id}", icon=":material/call:"):
            _start(scenario.id, mode, persona)
    with file, st.container(border=True):
        st.markdown(f"**客户档案**　{scenario.id}")
        frame.show(view.fragment("file", rows=view.file_lines(scenario)))
        _brief(scenario)


def _options(key: str) -> tuple[Mode, str]:
    people = frame.parts().library.personas
    left, right = st.columns(2)
    mode = left.selectbox("方式", list(_MODES), key=f"mode-{key}")
    names = {"": "原本性格", **{p.id: p.name for p in people.values()}}
    persona = right.selectbox("客户性格", list(names), format_func=lambda i: names[i], key=f"persona-{key}")
    return _MODES[mode], persona


def _brief(scenario: Scenario) -> None:
    with st.expander("可用政策"):
        for policy in view.offers(scenario, frame.parts().library.policies):
            st.markdown(f"**{policy.id} {policy.name}**：{policy.terms}（{policy.authority}定）")


def _card(scenario: Scenario) -> None:
    kind = view.TYPE_NAMES.get(scenario.type, scenario.type)
    st.markdown(f"**{scenario.title}**")
    st.caption(f"{scenario.id}　{kind}　{scenario.channel}　{STARS[scenario.difficulty]}")
    frame.show(view.fragment("file", rows=view.file_lines(scenario)[:5]))
    with st.popover("看看他怎么开口", width="stretch"):
        frame.show(view.fragment("bubble", role="customer", who=scenario.profile.name,
                                 parts=view.said(scenario.opening), notices=()))  # fmt: skip
        mode, persona = _options(scenario.id)
        if st.button("开始谈", type="primary", key=f"start-{scenario.id}", width="stretch"):
            _start(scenario.id, mode, persona)


def _start(scenario_id: str, mode: Mode, persona: str) -> None:
    session = Session.start(frame.parts(), scenario_id, persona_id=persona, mode=mode)
    frame.go("talk", session.id)


def _unfinished() -> None:
    recent = [e for e in frame.parts().store.history(LOCAL_OWNER, 20) if e.turn_count]
    if not recent:
        return
    with st.expander(f"最近的演练（{len(recent)}）"):
        for entry in recent[:8]:
            _recent(entry)


def _recent(entry: Entry) -> None:
    what, state, action = st.columns([5, 3, 2], vertical_alignment="center")
    what.markdown(f"{entry.scenario}　{entry.title}")
    done = entry.final is not None
    state.caption(f"{entry.final:.0f} 分" if entry.final is not None else f"谈到第 {entry.turn_count} 轮")
    if action.button("看报告" if done or entry.ended else "接着谈", key=f"open-{entry.id}", width="stretch"):
        frame.go("report" if done or entry.ended else "talk", entry.id)
