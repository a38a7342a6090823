"""Starting a case or persona: from a pasted record of a complaint, a copy, a blank, or a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from bot.errors import HuasuError
from bot.records import ContentKind
from bot.screens import workshop_fields
from bot.screens.workshop_form import plain
from bot.workshop import Workshop, fields, intake, title_of, transfer
from bot.workshop.fields import KINDS

PASTE, COPY, BLANK, FILE = "贴投诉记录", "复制一份来改", "从空白开始", "导入文件"
DRAFT, OUTCOME = "intake-draft", "import-outcome"
Show = Callable[[ContentKind, str], None]
EXAMPLE = (
    "例：客户王先生，45 岁，货车司机，车贷余额 12.6 万，逾期 62 天。来电情绪激动，说“一天打五个电话，是不是想逼死我？”"
    "因物流公司拖欠运费，家里妻子住院，每月能拿出 2000 元左右，要求停止催收电话、减免罚息，希望缓三个月。"
)


def render(desk: Workshop, kind: ContentKind, show: Show, leave: Callable[[ContentKind], None]) -> None:
    """The page."""
    title, back = st.columns([5, 1.4], vertical_alignment="center")
    title.title(f"新建{KINDS[kind]}")
    if back.button("回列表", icon=":material/arrow_back:", width="stretch", key="back"):
        st.session_state.pop(DRAFT, None)
        leave(kind)
    if DRAFT in st.session_state:
        _confirm(desk, show)
        return
    ways = [PASTE, COPY, BLANK, FILE] if kind == "scenario" else [COPY, BLANK, FILE]
    way = st.segmented_control("从哪里开始", ways, default=ways[0], key=f"way-{kind}", label_visibility="collapsed")
    if way == COPY:
        _copy(desk, kind, show)
    elif way == BLANK:
        st.write("每一项都有说明，写漏了会提示。开场情绪和性格先给常见的数，可以再调。")
        if st.button("开始写", type="primary", key="blank"):
            show(kind, desk.blank(kind).id)
    elif way == FILE:
        _file(desk, show, kind)
    else:
        _paste(desk)


def _paste(desk: Workshop) -> None:
    text = st.text_area("投诉经过", height=220, placeholder=EXAMPLE, key="record", max_chars=intake.LONGEST,
                        help="几句话就行：客户是谁、什么业务、怎么闹起来的、要什么。")  # fmt: skip
    model = desk.parts.drafter
    how = f"由模型 {model.name} 整理" if model else "按规则整理"
    st.caption(f"姓名、证件号、电话、住址会先打码再保存，原文不留。{how}，整理出来的每一项都由您核对。")
    if st.button("整理成草稿", type="primary", key="arrange", icon=":material/auto_fix_high:"):
        with st.spinner("正在整理……", show_time=False):
            prompts = desk.parts.settings.content_dir / "prompts"
            try:
                found = intake.read(text, desk.parts.library, prompts, model)
            except HuasuError as error:
                st.warning(plain(str(error)), icon=":material/info:")
                return
        st.session_state[DRAFT] = found
        st.rerun()


def _confirm(desk: Workshop, show: Show) -> None:
    draft: intake.Draft = st.session_state[DRAFT]
    if draft.notice:
        st.warning(plain(draft.notice), icon=":material/info:")
    masked = f"已打码：{'、'.join(draft.masked)}。" if draft.masked else "没有发现证件号、电话一类的个人信息。"
    names = "、".join(dict.fromkeys(fields.label("scenario", k).split("·")[-1] for k in draft.suggested))
    st.info(f"{masked}记录里没有、先写了建议的（标着橙色）：{names}。请逐项核对后再建。", icon=":material/fact_check:")
    left, right = st.columns([3, 2], gap="large")
    with right, st.container(border=True):
        st.markdown("**打码后的记录**")
        st.text(draft.record)
    with left:
        form = workshop_fields.draw("scenario", {**draft.body, "id": "WS00"}, "intake", desk.library, draft.suggested)
        form.say(desk.problems("scenario", form.body))
        yes, no, _ = st.columns([2, 2, 3])
        if yes.button("核对好了，建成草稿", type="primary", key="confirm", width="stretch"):
            made = desk.made("scenario", form.body, "投诉记录（已打码）")
            st.session_state.pop(DRAFT)
            show("scenario", made.id)
        if no.button("重新贴", key="again", width="stretch"):
            st.session_state.pop(DRAFT)
            st.rerun()


def _copy(desk: Workshop, kind: ContentKind, show: Show) -> None:
    items: dict[str, str] = {}
    for item in desk.items(kind):
        body = desk.in_use(kind, item.id)
        if body is not None and not body.get("drills"):
            items[item.id] = f"{item.id}　{title_of(kind, body)}"
    source = st.selectbox("照哪一份", list(items), format_func=items.__getitem__, key=f"copy-{kind}")
    st.caption("原来的不动。副本沿用它写好的台词，您改过的事实按新的说。")
    if st.button("复制并打开", type="primary", key="copy") and source:
        show(kind, desk.copied(kind, source).id)


def _file(desk: Workshop, show: Show, kind: ContentKind) -> None:
    st.caption("YAML、课程包（zip）、角色卡 V3（JSON）。导入的都先存成草稿；可疑的文件不收。")
    file = st.file_uploader("选择文件（不超过 5 MB）", ["yaml", "yml", "json", "zip"], key="file")
    keep = st.toggle("编号已有时，存成它的新一版", key="as-version", help="不打开，就换一个新编号，两份都在。")
    if st.button("导入", type="primary", key="import", disabled=file is None) and file is not None:
        st.session_state[OUTCOME] = _taken(desk, file, keep)
        st.rerun()
    for i, (found_kind, content_id, said) in enumerate(st.session_state.get(OUTCOME, [])):
        words, action = st.columns([5, 1], vertical_alignment="center")
        if not content_id:
            words.error(plain(said), icon=":material/block:")
            continue
        words.success(plain(said), icon=":material/check:")
        if action.button("打开", key=f"imported-{i}", width="stretch"):
            st.session_state.pop(OUTCOME)
            show(found_kind, content_id)


def _taken(desk: Workshop, file: Any, keep: bool) -> list[tuple[str, str, str]]:
    try:
        items = transfer.read(file.getvalue(), file.name)
        made = transfer.take_in(desk, items, as_new_version=keep)
    except HuasuError as error:
        return [("", "", str(error))]
    return [(v.kind, v.id, said) for v, said in made]
