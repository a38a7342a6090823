"""知识库: search rules, techniques and cases with the matching words marked; read a document; add the bank's own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import streamlit as st

from bot import view
from bot.errors import LearnerError
from bot.parts import NothingFound
from bot.records import Passage
from bot.screens import frame

DOC, SHELVES = (
    "doc",
    {"全部": None, "法规与红线": "regulations", "技巧与概念": "techniques", "场景": "cases", "本行文件": "library"},
)
HITS, SNIPPET = 8, 220
OWN = "library"
KINDS = ["md", "txt", "pdf", "docx", "jsonl"]


def render() -> None:
    """The page."""
    st.title("知识库")
    finder: Any = frame.parts().finder
    if isinstance(finder, NothingFound):
        st.warning(
            "检索索引打不开，知识库暂时用不了。请运行 huasu index --rebuild，再刷新页面。", icon=":material/info:"
        )
        return
    wanted = st.query_params.get(DOC, "")
    if wanted:
        _document(finder, wanted)
        return
    query = st.text_input(
        "要找什么", placeholder="像平常说话那样问，例如：征信上的记录能不能改", max_chars=200, key="kb-query"
    )
    shelf = st.segmented_control("范围", list(SHELVES), default="全部", label_visibility="collapsed", key="kb-shelf")
    chosen = SHELVES[shelf or "全部"]
    if query.strip():
        _hits(finder, query, chosen)
    else:
        _shelf(finder, chosen)
    _upload(finder)


def _hits(finder: Any, query: str, collection: str | None) -> None:
    try:
        found = finder.find(query, collection, HITS)
    except LearnerError:
        found = ()  # the shelf is still empty
    if not found:
        st.info("没有找到。换个说法试试，或者把范围放到“全部”。", icon=":material/search_off:")
        return
    frame.show(view.fragment("hits", items=[_hit(p, query) for p in found]))
    st.caption("“已废止”“窗口已关闭”的不再适用；确信度 A 读到官方文本，B 可靠二手来源，C 未核实，不能当定论。")


def _hit(passage: Passage, query: str) -> dict[str, Any]:
    return {"p": passage, "parts": marked(_around(passage.text, query), query), "href": _link(passage)}


def marked(text: str, query: str) -> list[dict[str, Any]]:
    """The text in parts, those marked that repeat two characters or more of the query."""
    pairs = {query[i : i + 2] for i in range(len(query) - 1)}
    on = [False] * len(text)
    for i in range(len(text) - 1):
        if text[i : i + 2] in pairs and re.match(r"\w\w", text[i : i + 2]):
            on[i] = on[i + 1] = True
    parts: list[dict[str, Any]] = []
    for ch, hit in zip(text, on, strict=True):
        if parts and parts[-1]["hit"] == hit:
            parts[-1]["text"] += ch
        else:
            parts.append({"text": ch, "hit": hit})
    return parts


def _around(text: str, query: str) -> str:
    """A stretch of a long text with most of the query's words in it."""
    if len(text) <= SNIPPET:
        return text
    pairs = {query[i : i + 2] for i in range(len(query) - 1)}
    best = max(range(0, len(text) - SNIPPET + 1, 20), key=lambda i: sum(p in text[i : i + SNIPPET] for p in pairs))
    return ("……" if best else "") + text[best : best + SNIPPET] + "……"


def _shelf(finder: Any, collection: str | None) -> None:
    """Every document of a shelf, by what it is."""
    try:
        documents = finder.documents(collection)
    except LearnerError:
        documents = ()
    if not documents:
        st.info("这里还没有文件。可以在下面上传，或用 huasu index 加入。", icon=":material/folder_open:")
        return
    names = {value: key for key, value in SHELVES.items()}
    for shelf in dict.fromkeys(d.collection for d in documents):
        here = [d for d in documents if d.collection == shelf]
        with st.expander(f"{names.get(shelf, shelf)}（{len(here)}）", expanded=collection is not None):
            frame.show(view.fragment("shelf", items=[{"p": d, "href": _link(d)} for d in here]))


def _document(finder: Any, doc: str) -> None:
    if st.button("返回知识库", icon=":material/arrow_back:"):
        st.query_params.clear()
        st.rerun()
    passages = finder.read(doc)
    if not passages:
        st.warning("没有这份文件，可能已经更新或删除。请回到知识库重新搜索。", icon=":material/info:")
        return
    frame.show(view.fragment("document", first=passages[0], items=passages))


def _upload(finder: Any) -> None:
    with st.expander("上传本行文件"):
        st.caption("支持 md、txt、pdf、docx、jsonl，单个不超过 50 MB。请先去掉客户姓名、证件号和电话。")
        files = st.file_uploader(
            "选择文件", KINDS, accept_multiple_files=True, label_visibility="collapsed", key="kb-up"
        )
        if files and st.button("加入知识库", type="primary", key="kb-add"):
            _take_in(finder, files)


def _take_in(finder: Any, files: list[Any]) -> None:
    folder = frame.parts().settings.data_dir / OWN
    folder.mkdir(parents=True, exist_ok=True)
    bar = st.progress(0.0, text="正在读取……")
    for i, file in enumerate(files):
        name = Path(file.name.replace("\\", "/")).name.lstrip(".") or "文件.txt"
        path = folder / name
        path.write_bytes(file.getbuffer())
        bar.progress(i / len(files), text=f"正在读取 {name}……")
        report = finder.add_files([path], OWN)
        refused = dict(report.skipped).get(name)
        if refused:
            path.unlink(missing_ok=True)
            st.error(f"{name}：{refused}", icon=":material/error:")
        else:
            st.success(f"{name}：已加入，新增 {report.added} 段，更新 {report.updated} 段。", icon=":material/check:")
    bar.empty()


def _link(passage: Passage) -> str:
    return f"?{DOC}={quote(passage.doc)}"
