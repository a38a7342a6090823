"""工坊: every case and persona with its standing, and the way into one of them. What is open is in the address."""

from __future__ import annotations

from typing import Any

import streamlit as st

from bot import view
from bot.records import ContentKind
from bot.screens import frame, workshop_edit, workshop_new
from bot.workshop import Item, Workshop
from bot.workshop.fields import KINDS

KIND, ID, NEW = "kind", "id", "new"


def render() -> None:
    """The page."""
    frame.require("trainer")
    desk = Workshop(frame.parts(), frame.actor())
    kind: ContentKind = "persona" if st.query_params.get(KIND) == "persona" else "scenario"
    if content_id := st.query_params.get(ID, ""):
        workshop_edit.render(desk, kind, content_id, leave)
    elif st.query_params.get(NEW):
        workshop_new.render(desk, kind, show, leave)
    else:
        _list(desk, kind)


def show(kind: ContentKind, content_id: str) -> None:
    """Open one case or persona."""
    st.query_params.from_dict({KIND: kind, ID: content_id})
    st.rerun()


def leave(kind: ContentKind) -> None:
    """Back to the list."""
    st.query_params.from_dict({KIND: kind})
    st.rerun()


def _list(desk: Workshop, kind: ContentKind) -> None:
    title, new = st.columns([5, 1.4], vertical_alignment="center")
    title.title("工坊")
    if new.button("新建", type="primary", icon=":material/add:", width="stretch", key="new"):
        st.query_params.from_dict({KIND: kind, NEW: "1"})
        st.rerun()
    st.caption("把上周的投诉做成案例，把人设调得更像。改的都是草稿，发布之前学员看不到。")
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    picked = left.segmented_control("看什么", list(KINDS), default=kind, format_func=KINDS.__getitem__,
                                    label_visibility="collapsed", key="workshop-kind")  # fmt: skip
    if picked and picked != kind:
        leave("persona" if picked == "persona" else "scenario")
    words = right.text_input("找", placeholder="编号或标题", key="workshop-find", label_visibility="collapsed").strip()
    items = [i for i in desk.items(kind) if not words or words.lower() in f"{i.id} {i.title}".lower()]
    mine = [i for i in items if not i.builtin or i.draft or i.published]
    _rows("本行的", mine)
    if not mine and not words:
        how = "贴一段投诉记录就能开始" if kind == "scenario" else "复制一个相近的来改"
        st.info(f"还没有自己做的。点“新建”，{how}。", icon=":material/edit_note:")
    _rows("内置的", [i for i in items if i not in mine])
    if not items:
        st.info("没有符合的。换个词，或者清空搜索。", icon=":material/search_off:")


def _rows(heading: str, items: list[Item]) -> None:
    if not items:
        return
    st.markdown(f"**{heading}**（{len(items)}）")
    for item in items:
        with st.container(border=True):
            what, action = st.columns([6, 1], vertical_alignment="center")
            with what:
                frame.show(view.fragment("item", title=item.title, meta=_meta(item), tags=tags(item)))
            if action.button("接着改" if item.draft else "打开", key=f"open-{item.kind}-{item.id}", width="stretch"):
                show(item.kind, item.id)


def _meta(item: Item) -> str:
    when = f"　{item.author}　{item.changed_at[:16].replace('T', ' ')}" if item.changed_at else ""
    return f"{item.id}{when}"


def tags(item: Item) -> list[tuple[str, Any]]:
    """The standing of a case or persona in a few words."""
    found = [("草稿", "warn")] if item.draft else []
    if item.published:
        found.append((f"已发布 第 {item.published} 版", "good"))
    elif not item.builtin and not item.draft:
        found.append(("已归档", ""))
    if item.builtin:
        found.append(("内置", ""))
    return found
