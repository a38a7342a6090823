"""What a draft changes, who decides it, what was decided before, and taking it home as a file."""

from __future__ import annotations

from typing import Any

import streamlit as st

from bot import view
from bot.errors import HuasuError
from bot.records import ContentKind, Version
from bot.screens import frame
from bot.screens.workshop_form import plain
from bot.workshop import Workshop, regress, transfer
from bot.workshop.fields import STATUS_NAMES

FOUND = "regression"
COLOURS = {"draft": "warn", "published": "good", "archived": ""}


def publish(desk: Workshop, draft: Version) -> None:
    """The regression of a draft, old beside new, and the decision."""
    problems = desk.problems(draft.kind, draft.body)
    if problems:
        st.warning(f"还有 {len(problems)} 处要改：{plain(str(problems[0]))}", icon=":material/error:")
        return
    before = desk.in_use(draft.kind, draft.id)
    changes = desk.differences(draft.kind, before, draft.body) if before else ()
    with st.expander(f"和在用的版本比，改了 {len(changes)} 处" if before else "这是新的，还没有在用的版本",
                     expanded=bool(changes)):  # fmt: skip
        if changes:
            frame.show(view.fragment("changes", rows=changes))
        else:
            st.caption("发布之后，学员在“选场景”里就能看到它。" if not before else "和在用的一模一样。")
    found = _regression(desk, draft)
    if found is not None:
        _decide(desk, draft, found)


def _regression(desk: Workshop, draft: Version) -> regress.Regression | None:
    kept = st.session_state.get(FOUND)
    found: regress.Regression | None = kept if kept and kept.of == desk.fingerprint(draft.body) else None
    if found is None:
        st.write("发布前先跑一遍回归：六种模拟学员各谈几场，看这次改动带来什么。大约要几十秒。")
    if st.button("跑回归" if found is None else "再跑一遍", type="primary" if found is None else "secondary",
                 key="regress", icon=":material/play_arrow:"):  # fmt: skip
        bar = st.progress(0.0, text="准备中……")
        found = regress.run(desk, draft.kind, draft.body,
                            lambda n, of, what: bar.progress(n / max(1, of), text=f"{what}（{n}/{of} 场）"))  # fmt: skip
        st.session_state[FOUND] = found
        bar.empty()
        st.rerun()
    if found is not None:
        _table(found)
    return found


def _table(found: regress.Regression) -> None:
    compared = bool(found.against)
    where = f"场景：{'、'.join(found.cases)}。" if len(found.cases) > 1 else ""
    st.caption(
        f"左边是{found.against}，右边是这份草稿。{where}" if compared else f"没有旧版本可比，看它本身像不像话。{where}"
    )
    rows = [
        {"name": c.name, "cells": list(zip(_cells(c.old), _cells(c.new), strict=True)), "worse": c.worse,
         "notes": c.notes}
        for c in found.comparisons
    ]  # fmt: skip
    frame.show(view.fragment("regression", rows=rows, compared=compared))
    st.caption("出戏：客户串角色、说重复的话、没来由松口或说漏隐情的轮次。回归里客户由内置台词扮演。")
    for c in found.comparisons:
        if c.lines:
            with st.expander(f"{c.name}：客户有 {len(c.lines)} 句不一样"):
                lines = [{"reply": x.reply, "before": x.before, "after": x.after, "differs": True, "mood": ""}
                         for x in c.lines]  # fmt: skip
                frame.show(view.fragment("beside", rows=lines, old="旧", new="新"))


def _cells(r: regress.Result | None) -> list[str]:
    if r is None:
        return ["—"] * 5
    settled = f"{r.settled_at:.0f}" if r.settled_at else "没有"
    return [f"{r.success:.0%}", f"{r.passed:.0%}", settled, f"{r.satisfaction:.0f}", str(r.breaks)]


def _decide(desk: Workshop, draft: Version, found: regress.Regression) -> None:
    worse = found.worse
    if worse:
        st.warning("有变差的地方：" + "；".join(worse) + "。仍要发布，请写清理由，它会一直留在版本记录里。",
                   icon=":material/warning:")  # fmt: skip
    else:
        st.success(
            "没有变差的地方。" if found.against else "好好谈能谈成，乱来的谈不成，客户没有出戏。",
            icon=":material/check:",
        )
    why = st.text_input("为什么发布" if not worse else "为什么仍要发布（必填）", key=f"why-{draft.id}-{draft.n}", max_chars=500,
                        placeholder="例：上周的投诉，催收电话太密" if not worse else "例：这个场景本来就要求更高")  # fmt: skip
    if st.button("发布", type="primary", key="publish", icon=":material/publish:"):
        try:
            desk.publish(draft, why, worse)
        except HuasuError as error:
            st.warning(plain(str(error)), icon=":material/info:")
            return
        st.session_state.pop(FOUND, None)
        st.session_state["published"] = draft.id
        st.rerun()


# ── versions ─────────────────────────────────────────────────────────────────────────────────────────


def versions(desk: Workshop, kind: ContentKind, content_id: str) -> None:
    """Every version with who, when and why; what it changed; going back and taking out of use."""
    found = desk.versions(kind, content_id)
    if not found:
        st.info("还没有改过，用的是内置的内容。", icon=":material/info:")
        return
    for i, v in enumerate(found):
        with st.container(border=True):
            when = (v.decided_at or v.created_at)[:16].replace("T", " ")
            frame.show(
                view.fragment("version", v=v, status=STATUS_NAMES[v.status], colour=COLOURS[v.status], when=when)
            )
            earlier = found[i + 1].body if i + 1 < len(found) else _builtin(desk, kind, content_id)
            if earlier is not None:
                with st.expander("比前一版改了什么"):
                    rows = desk.differences(kind, earlier, v.body)
                    frame.show(view.fragment("changes", rows=rows)) if rows else st.caption("没有改动。")
            _actions(desk, v)


def _builtin(desk: Workshop, kind: ContentKind, content_id: str) -> dict[str, Any] | None:
    files: Any = desk.parts.library.scenarios if kind == "scenario" else desk.parts.library.personas
    return files[content_id].model_dump(mode="json", exclude_defaults=True) if content_id in files else None


def _actions(desk: Workshop, v: Version) -> None:
    if v.status == "draft":
        if st.button("放弃这份草稿", key=f"drop-{v.n}", icon=":material/delete:"):
            desk.discard(v)
            st.rerun()
        return
    back = v.status == "archived"
    with st.popover("退回到这一版" if back else "停用（归档）"):
        st.caption("会用这一版的内容发布一个新版本，正在进行的演练不受影响。" if back
                   else "新的演练不再用它；内置的恢复原样，自建的从列表里消失。")  # fmt: skip
        why = st.text_input("为什么", key=f"act-why-{v.n}", max_chars=300)
        if st.button("确定", type="primary", key=f"act-{v.n}"):
            try:
                if back:
                    desk.roll_back(v.kind, v.id, v.n, why)
                else:
                    desk.archive(v, why)
            except HuasuError as error:
                st.warning(plain(str(error)), icon=":material/info:")
                return
            st.rerun()


# ── files ────────────────────────────────────────────────────────────────────────────────────────────


def export(kind: ContentKind, body: dict[str, Any]) -> None:
    """Download buttons."""
    st.caption("导出的文件可以在别处导入，也可以放进 knowledge/cases 或 prompts/personas。")
    name = str(body["id"])
    st.download_button("YAML 文件", transfer.as_yaml(kind, body), f"{name}.yaml", key="get-yaml",
                       icon=":material/download:", on_click="ignore")  # fmt: skip
    st.download_button("课程包（zip）", transfer.as_pack([(kind, body)]), f"{name}.zip", key="get-zip",
                       icon=":material/download:", on_click="ignore")  # fmt: skip
    if kind == "persona":
        st.download_button("角色卡 V3（JSON）", transfer.as_card(body), f"{name}.card.json", key="get-card",
                           icon=":material/download:", on_click="ignore")  # fmt: skip
