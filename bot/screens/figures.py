"""The figures of 班级: tables and charts of sums, drawn through the templates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import streamlit as st

from bot import export as names_of
from bot import view
from bot.classroom import Classroom, sheets
from bot.records import DIMENSIONS, Group
from bot.screens import frame
from bot.store import Activity, Tally

ROWS, COLUMNS, TOP = 20, 10, 12
BY_PERSON, BY_CASE = "按学员", "按场景"


def people(room: Classroom, group: Group, days: int) -> tuple[Activity, ...]:
    """Who practised; empty when there is nothing further to show."""
    found = room.activity(group.id, days)
    if not found:
        st.info("班里还没有学员。到“成员”里加入，或请管理员导入名单。", icon=":material/group_add:")
        return ()
    done = sum(p.finished for p in found)
    active = sum(p.talks > 0 for p in found)
    passed = sum(p.passed for p in found)
    means = [p.mean * p.finished for p in found if p.mean is not None]
    frame.show(view.fragment("facts", rows=[
        ("练过的人", f"{active} / {len(found)}", ""),
        ("完成的演练", done, f"共开始 {sum(p.talks for p in found)} 场"),
        ("通过率", f"{100 * passed / done:.0f}%" if done else "—", f"{passed} 场通过" if done else ""),
        ("平均分", f"{sum(means) / done:.0f}" if done else "—", ""),
    ]))  # fmt: skip
    rows = [
        (p.name, p.login, p.talks or {"text": "还没练", "kind": "warn"}, p.finished, p.passed,
         "—" if p.mean is None else f"{p.mean:.0f}", local(p.last) if p.last else "—")
        for p in sorted(found, key=lambda p: (p.talks > 0, -p.finished, p.login))
    ]  # fmt: skip
    with st.expander(f"谁练了（{active} / {len(found)}）", expanded=len(found) <= ROWS):
        frame.show(
            view.fragment("grid", head=("姓名", "工号", "开始", "完成", "通过", "平均分", "最近一次"), rows=rows)
        )
    if not done:
        st.info("这段时间还没有谈完的演练，下面的图要等有了才有。", icon=":material/hourglass_empty:")
    return found if done else ()


def dimensions(room: Classroom, group: Group, days: int) -> None:
    """How the marks of each dimension are spread."""
    by: dict[str, dict[int, Tally]] = defaultdict(dict)
    for t in room.dimensions(group.id, days):
        by[t.code][int(t.head)] = t
    rows = []
    for code in (d for d in DIMENSIONS if d in by):
        total = sum(t.talks for t in by[code].values())
        counts = [by[code][m].talks if m in by[code] else 0 for m in range(1, 6)]
        rows.append({
            "name": view.DIMENSION_NAMES[code],
            "mean": sum(t.talks * t.quality for t in by[code].values()) / total,
            "said": "，".join(f"{m} 分 {n} 场" for m, n in enumerate(counts, 1)),
            "parts": [{"mark": m, "count": n, "share": 100 * n / total} for m, n in enumerate(counts, 1)],
        })  # fmt: skip
    st.subheader("八个维度的分布")
    frame.show(view.fragment("spread", rows=rows))


def reds(room: Classroom, group: Group, days: int, learners: tuple[Activity, ...]) -> None:
    """Where the red lines are: people or cases down, lines across."""
    st.subheader("红线热力图")
    by = st.segmented_control("红线", [BY_PERSON, BY_CASE], default=BY_PERSON, key="heat-by",
                              label_visibility="collapsed")  # fmt: skip
    by_case = by == BY_CASE
    found = room.reds(group.id, days, by_case)
    if not found:
        st.info("这段时间没有人碰红线。", icon=":material/check:")
        return
    heads = {s: f"{s} {c.title}" for s, c in room.parts.current.scenarios.items()} if by_case else {
        p.id: f"{p.name} {p.login}" for p in learners
    }  # fmt: skip
    codes = _most(found, lambda t: t.code)[:COLUMNS]
    rows = _most(found, lambda t: t.head)
    names, cells = names_of.code_names(room.parts.library), {(t.head, t.code): t.count for t in found}
    most = max(cells.values())
    frame.show(view.fragment("heat", codes=[names.get(c, c) for c in codes], rows=[
        {"name": heads.get(h, h), "total": sum(t.count for t in found if t.head == h),
         "cells": [{"count": cells.get((h, c), 0), "step": _step(cells.get((h, c), 0), most)} for c in codes]}
        for h in rows[:ROWS]
    ]))  # fmt: skip
    if len(rows) > ROWS:
        st.caption(f"只列次数最多的 {ROWS} 行，共 {len(rows)} 行；导出里有全部。")


def _most(found: Iterable[Tally], key: Any) -> list[str]:
    totals: dict[str, int] = defaultdict(int)
    for t in found:
        totals[key(t)] += t.count
    return sorted(totals, key=lambda k: (-totals[k], k))


def _step(count: int, most: int) -> int:
    return 0 if not count else 1 + min(3, int(4 * (count - 1) / max(1, most)))


def stuck(room: Classroom, group: Group, days: int, people: tuple[Activity, ...]) -> None:
    """Techniques the class hardly uses or uses badly, and the habits that get in the way."""
    names = names_of.code_names(room.parts.library)
    learners = max(1, sum(p.finished > 0 for p in people))
    shown = {t.code: t for t in room.skills(group.id, "technique", days)}
    st.subheader("卡在哪里")
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**用得少或用得浅的技巧**")
        rows = [
            (names[c].split("（")[0], f"{t.people} / {learners} 人", view.quality_word(t.quality))
            for c, t in sorted(shown.items(), key=lambda item: _command(item[1], learners))[:TOP]
        ]
        frame.show(view.fragment("grid", head=("技巧", "用过的人", "用得怎样"), rows=rows))
        never = [names[c].split("（")[0] for c in room.parts.library.taxonomy.techniques if c not in shown]
        if never:
            st.caption(f"这段时间没有人用过：{'、'.join(never)}。")
    with right:
        st.markdown("**最常见的毛病**")
        habits = sorted(room.skills(group.id, "anti", days), key=lambda t: -t.talks)[:TOP]
        rows = [
            (names.get(t.code, t.code).split("（")[0], f"{t.talks} 场", f"{t.people} / {learners} 人") for t in habits
        ]
        if rows:
            frame.show(view.fragment("grid", head=("反模式", "出现", "有过的人"), rows=rows))
        else:
            st.caption("没有识别到。")


def _command(t: Tally, learners: int) -> float:
    """How well the class commands a technique: by how many it is used, and how well."""
    return (t.people / learners) * min(1.0, t.quality)


def agreement(room: Classroom, group: Group) -> None:
    """How far trainers and system agree."""
    found = room.agreement(group.id)
    if not found:
        st.info(
            "还没有复评。在“演练”里观摩一场，给几个维度打上您的分；同意系统时也打上，才算得出一致性。",
            icon=":material/balance:",
        )
        return
    rows = [
        (view.DIMENSION_NAMES[a.dimension], a.n, f"{a.same}", f"{a.near}", f"{a.shift:+.1f}",
         "—" if a.kappa is None else f"{a.kappa:.2f}",
         "—" if a.low is None or a.high is None else f"{a.low:.2f} 到 {a.high:.2f}", a.word)
        for a in found
    ]  # fmt: skip
    head = ("维度", "样本", "同一档", "差不过一档", "培训师−系统", "加权 κ", "95% 区间", "怎么看")
    note = (
        "加权 κ 用平方权重，1 是完全一致，0 是碰运气；区间由 1000 次重抽样得出。只算复评过的场次：某一方每场都给同一个分时算不出；如果只复评有疑问的，"
        "数字会偏低。"
    )
    frame.show(view.fragment("grid", head=head, rows=rows, note=note))


def export(room: Classroom, group: Group, days: int) -> None:
    """The class as files; made only when asked for."""
    st.subheader("导出")
    with st.container(horizontal=True):

        def book() -> bytes:
            room.exported(group.id, "XLSX")
            return sheets.as_xlsx(sheets.tables(room, group.id, days))

        st.download_button("下载 Excel（全部）", book, f"{group.name}.xlsx",
                           "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", on_click="ignore")  # fmt: skip
        for name in ("学员", "任务", "红线"):

            def one(name: str = name) -> bytes:
                room.exported(group.id, f"CSV {name}")
                return sheets.as_csv(sheets.tables(room, group.id, days)[name])

            st.download_button(f"{name} CSV", one, f"{group.name}-{name}.csv", "text/csv", on_click="ignore",
                               key=f"csv-{name}")  # fmt: skip


def local(at: str) -> str:
    """A stored time as people here read it, to the minute."""
    try:
        return datetime.fromisoformat(at).astimezone().strftime("%m-%d %H:%M")
    except ValueError:
        return at[:16]
