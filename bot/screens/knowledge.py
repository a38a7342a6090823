"""知识库: search rules, cases and techniques; read a document; take in the bank's own files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import streamlit as st

from bot import sources, view
from bot.errors import HuasuError
from bot.records import Passage
from bot.retrieval import Index, IndexReport
from bot.screens import frame

DOC, AT, TAB = "doc", "at", "knowledge-tab"
LIBRARY, FOUND = "library", 12
FIND, BROWSE, UPLOAD = "查找", "浏览", "上传"
COLLECTIONS = {
    "": "全部",
    "regulations": "法规与红线",
    "techniques": "技巧与概念",
    "cases": "案例",
    LIBRARY: "本行文件",
}
STATUSES = {"": "不限", "现行": "现行有效", "已废止": "已废止", "待核": "未核实"}
EXAMPLES = ("晚上十点还能打电话吗", "征信记录能不能改", "客户说不想活了", "信息泄露怎么接")
FILES = ["md", "txt", "pdf", "docx", "jsonl"]


def render() -> None:
    """The page."""
    index = frame.parts().finder
    if not isinstance(index, Index):
        st.info(
            "检索索引打不开，知识库暂时不能查。请运行 huasu index --rebuild；对练不受影响。", icon=":material/info:"
        )
        return
    if not index.collections():
        _build(index)
        return
    if doc := st.query_params.get(DOC, ""):
        _document(index, doc, st.query_params.get(AT, ""))
        return
    st.title("知识库")
    tab = st.segmented_control("做什么", [FIND, BROWSE, UPLOAD], default=FIND, label_visibility="collapsed", key=TAB)
    {BROWSE: _browse, UPLOAD: _upload}.get(str(tab), _find)(index)


def _build(index: Index) -> None:
    bar = st.progress(0.0, text="第一次使用，正在准备知识库……")

    def show(done: int, total: int, _: str) -> None:
        bar.progress(done / max(1, total), text="第一次使用，正在准备知识库……")

    index.sync_knowledge(frame.parts().library, show)
    st.rerun()


# ── search ───────────────────────────────────────────────────────────────────────────────────────────


def _find(index: Index) -> None:
    query = st.text_input("要找什么", placeholder=f"用自己的话问，例如：{EXAMPLES[0]}", key="q", max_chars=200).strip()
    left, right = st.columns(2)
    kind = left.selectbox("范围", list(COLLECTIONS), format_func=COLLECTIONS.__getitem__, key="in")
    status = right.selectbox("效力", list(STATUSES), format_func=STATUSES.__getitem__, key="status")
    if not query:
        st.caption(f"也可以试试：{'　'.join(EXAMPLES)}")
        return
    if kind and kind not in index.collections():
        st.info("还没有上传过文件。到“上传”里加入本行的制度或案例。", icon=":material/info:")
        return
    found = index.find(query, kind or None, FOUND, {"status": status} if status else None)
    if not found:
        st.info("没有找到。换个说法，或把范围和效力放宽再试。", icon=":material/search:")
    terms = index.terms(query)
    for passage in found:
        _hit(passage, terms)


def _hit(p: Passage, terms: tuple[str, ...]) -> None:
    frame.show(
        view.fragment(
            "hit",
            p=p,
            spans=sources.marked(p.text, terms),
            badges_=sources.badges(p.status, p.level, p.conf),
            kind=sources.KINDS.get(p.kind, "本行文件"),
            where=" ".join(x for x in (p.doc, sources.place(p)) if x),
            href=sources.address(p.doc, sources.place(p)),
            note="这份文件已不再适用，只作历史参考，不要当现行依据。" if p.repealed else "",
        )
    )


# ── read ─────────────────────────────────────────────────────────────────────────────────────────────


def _browse(index: Index) -> None:
    groups = [name for name in COLLECTIONS if name in index.collections()]
    name = st.selectbox("看哪一类", groups, format_func=COLLECTIONS.__getitem__, key="shelf")
    documents = {p.doc: p for p in index.documents(name)}
    chosen = st.selectbox("看哪一份", list(documents), format_func=lambda d: _name(documents[d]), key="document")
    if chosen:
        _sections(index.read(chosen, name), "")


def _name(p: Passage) -> str:
    title = p.title.removesuffix(p.section).strip() or p.title
    return title if title.startswith(p.doc) else f"{p.doc}　{title}"


def _document(index: Index, doc: str, at: str) -> None:
    found = index.read(doc)
    if st.button("返回知识库", icon=":material/arrow_back:"):
        st.query_params.clear()
        st.rerun()
    if not found:
        st.info("知识库里没有这份文件，可能已经删除。", icon=":material/info:")
        return
    st.subheader(_name(found[0]))
    if at and not any(_is_at(p, at) for p in found):
        st.caption(f"没有找到“{at}”这一条，下面是全文。")
    _sections(found, at)


def _sections(found: tuple[Passage, ...], at: str) -> None:
    if found and found[0].repealed:
        st.warning("这份文件已不再适用，只作历史参考，不要当现行依据。", icon=":material/history:")
    for p in sorted(found, key=lambda p: not _is_at(p, at)):  # the section asked for comes first
        frame.show(
            view.fragment(
                "section",
                text=p.text,
                heading=sources.place(p) or p.title,
                badges_=sources.badges(p.status, p.level, p.conf),
                here=_is_at(p, at),
            )
        )


def _is_at(p: Passage, at: str) -> bool:
    return bool(at) and (sources.place(p) == at or sources.place(p).startswith((f"{at} ", f"{at}（")))


# ── upload ───────────────────────────────────────────────────────────────────────────────────────────


def _upload(index: Index) -> None:
    if not frame.actor().may("trainer"):
        st.info("加入文件只对培训师开放。请把文件交给您的培训师。", icon=":material/lock:")
        return
    st.caption("加入本行的制度、案例或讲义。文件只存在本机的数据文件夹里；请先去掉客户的真实信息。同名文件会替换旧的。")
    with st.form("upload", clear_on_submit=True, border=False):
        files = st.file_uploader("选择文件（md、txt、pdf、docx、jsonl，每个不超过 50 MB）", FILES, True)
        sent = st.form_submit_button("加入知识库", type="primary")
    if sent and files:
        st.session_state["outcomes"] = _take_in(index, files)
    elif sent:
        st.info("还没有选文件。", icon=":material/info:")
    if rows := st.session_state.get("outcomes"):
        frame.show(view.fragment("outcomes", rows=rows))
    _mine(index)


def _take_in(index: Index, files: list[Any]) -> list[dict[str, Any]]:
    bar = st.progress(0.0, text="正在读取……")
    rows = []
    for i, file in enumerate(files):

        def show(done: int, total: int, _: str, i: int = i, name: str = file.name) -> None:
            bar.progress((i + done / max(1, total)) / len(files), text=f"正在收入 {name}（{i + 1}/{len(files)}）")

        rows.append(_one(index, file, show))
    bar.empty()
    return rows


def _one(index: Index, file: Any, show: Any) -> dict[str, Any]:
    name = safe_name(file.name)
    try:
        folder = _folder()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(file.getvalue())
        report = index.add_files([folder / name], LIBRARY, show)
    except OSError:
        return {"name": name, "ok": False, "said": "存不下这个文件，请检查数据文件夹的空间和权限。"}
    except HuasuError as error:
        return {"name": name, "ok": False, "said": str(error)}
    if report.skipped:
        (folder / name).unlink(missing_ok=True)
        index.forget(folder / name, LIBRARY)
    return {"name": name, "ok": not report.skipped, "said": said(report)}


def said(report: IndexReport) -> str:
    """What became of one file, in one line."""
    if report.skipped:
        return report.skipped[0][1] + "。"
    counts = (("新增", report.added), ("更新", report.updated), ("未变", report.unchanged), ("删除", report.removed))
    line = "，".join(f"{word} {n} 段" for word, n in counts if n) + "。"
    return line + "".join(f"注意：{what}。" for _, what in report.notices)


def safe_name(name: str) -> str:
    """A file name that stays in its folder, whatever the browser sent: no path, no control characters, not hidden."""
    last = re.split(r"[\\/]", name)[-1]
    plain = "".join(ch for ch in last if ch.isprintable() and ch not in '<>:"|?*').strip().lstrip(".~$")
    stem, suffix = Path(plain).stem[:80], Path(plain).suffix[:10]
    return f"{stem or '未命名'}{suffix}"


def _folder() -> Path:
    return (frame.parts().settings.data_dir / LIBRARY).resolve()


def _mine(index: Index) -> None:
    files = sorted(f for f in _folder().glob("*") if f.is_file()) if _folder().is_dir() else []
    if not files:
        return
    st.markdown(f"**已有的文件**（{len(files)} 份）")
    for file in files:
        name, remove = st.columns([5, 1], vertical_alignment="center")
        name.text(file.name)
        if remove.button("移除", key=f"drop-{file.name}"):
            index.forget(file, LIBRARY)
            file.unlink(missing_ok=True)
            st.session_state.pop("outcomes", None)
            st.rerun()
