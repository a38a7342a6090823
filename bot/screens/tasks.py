"""我的任务: what one's classes ask for, at the top of 选场景. Nothing at all for whoever has no task."""

from __future__ import annotations

import streamlit as st

from bot import classroom, view
from bot.classroom import Task
from bot.screens import frame

SHOWN = 6


def section() -> None:
    """The tasks that are to be done, and below them the done ones."""
    found = classroom.tasks(frame.parts(), frame.actor())
    todo = [t for t in found if not (t.passed or t.handed_in)]
    if not found:
        return
    st.subheader(f"我的任务（{len(todo)} 项待做）" if todo else "我的任务都做完了")
    for task in todo[:SHOWN]:
        _row(task)
    done = [t for t in found if t not in todo]
    rest = [*todo[SHOWN:], *done]
    if rest:
        with st.expander(f"其余和做完的（{len(rest)}）"):
            for task in rest:
                _row(task)


def _row(task: Task) -> None:
    with st.container(border=True):
        what, action = st.columns([5, 2], vertical_alignment="center")
        with what:
            frame.show(view.fragment("task", t=task, mode=view.MODE_NAMES[task.work.mode], when=_when(task),
                                     stands=_stands(task)))  # fmt: skip
        with action:
            _action(task)


def _action(task: Task) -> None:
    scenario = frame.parts().current.scenarios.get(task.work.scenario)
    last = task.tries[-1] if task.tries else None
    if last and (task.handed_in or task.passed):
        if st.button("看报告", key=f"task-{task.work.id}", width="stretch"):
            frame.go("report", last.session)
        return
    if scenario is None or (task.days < 0 and task.open is None):
        st.caption("请联系培训师。")
        return
    confirmed = not scenario.safety_note
    if scenario.safety_note and task.open is None:
        st.caption(scenario.safety_note)
        confirmed = st.checkbox("我看清楚了", key=f"task-risk-{task.work.id}")
    label = "接着谈" if task.open else "再试一次" if task.tries else "开始"
    if st.button(label, key=f"task-{task.work.id}", type="primary", width="stretch", disabled=not confirmed):
        session = classroom.begin(frame.parts(), frame.actor(), task.work.id, confirmed=confirmed)
        frame.go("talk", session.id)


def _when(task: Task) -> tuple[str, str]:
    if task.passed or task.handed_in:
        return f"{task.work.due} 截止", ""
    if task.days < 0:
        return f"已过期 {-task.days} 天", "bad"
    return ("今天截止" if task.days == 0 else f"还有 {task.days} 天"), "warn" if task.days <= 2 else ""


def _stands(task: Task) -> tuple[str, str]:
    if task.passed:
        return "已通过", "good"
    if task.handed_in:
        return "已交卷，未通过", "warn"
    if task.open:
        return "谈到一半", ""
    return (f"试过 {len(task.tries)} 次", "") if task.tries else ("", "")
