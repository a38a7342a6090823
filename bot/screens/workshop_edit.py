"""One case or persona: the form beside a trial talk, saved as it is typed and checked as it is saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from bot import view
from bot.errors import ConflictError, HuasuError, LearnerError
from bot.records import ContentKind, Problem, Version
from bot.screens import frame, workshop_fields, workshop_publish, workshop_trial
from bot.screens.workshop_form import plain
from bot.workshop import Workshop, principles, title_of, transfer
from bot.workshop.check import shape
from bot.workshop.fields import KINDS
from bot.workshop.files import yaml_of

EDIT, PUBLISH, VERSIONS, EXPORT = "内容与试聊", "回归与发布", "版本", "导出"
FORM, YAML = "表单", "YAML"


def render(desk: Workshop, kind: ContentKind, content_id: str, leave: Callable[[ContentKind], None]) -> None:
    """The page of one case or persona."""
    draft = desk.draft(kind, content_id)
    versions = desk.versions(kind, content_id)
    body = draft.body if draft else desk.in_use(kind, content_id) or (versions[0].body if versions else None)
    if body is None:
        st.info(f"没有{KINDS[kind]} {plain(content_id)}，可能已经删除。", icon=":material/info:")
        if st.button("回列表"):
            leave(kind)
        return
    _header(kind, content_id, body, versions, leave)
    tabs = [EDIT, PUBLISH, VERSIONS, EXPORT] if draft else [EDIT, VERSIONS, EXPORT]
    tab = st.segmented_control("做什么", tabs, default=EDIT, key=f"tab-{kind}-{content_id}-{bool(draft)}",
                               label_visibility="collapsed")  # fmt: skip
    if tab == VERSIONS:
        workshop_publish.versions(desk, kind, content_id)
    elif tab == EXPORT:
        workshop_publish.export(kind, body)
    elif tab == PUBLISH and draft:
        workshop_publish.publish(desk, draft)
    elif draft:
        _edit(desk, draft)
    else:
        _closed(desk, kind, content_id, body)


def _header(
    kind: ContentKind, content_id: str, body: dict[str, Any], versions: tuple[Version, ...], leave: Any
) -> None:
    title, back = st.columns([5, 1.4], vertical_alignment="center")
    live = next((v for v in versions if v.status == "published"), None)
    marks = [("草稿", "warn")] if any(v.status == "draft" for v in versions) else []
    marks += [(f"在用：第 {live.n} 版", "good")] if live else []
    with title:
        frame.show(view.fragment("item", title=title_of(kind, body), meta=f"{KINDS[kind]} {content_id}", tags=marks))
    if back.button("回列表", icon=":material/arrow_back:", width="stretch", key="back"):
        leave(kind)


def _closed(desk: Workshop, kind: ContentKind, content_id: str, body: dict[str, Any]) -> None:
    if st.session_state.pop("published", "") == content_id:
        st.success("已发布。新开始的演练用的就是它。", icon=":material/check:")
        if st.button("去选场景", key="to-choose"):
            frame.go("choose")
    st.info("在用的版本不能直接改。开一份草稿，改好、试过、跑过回归再发布；学员这段时间照旧。", icon=":material/lock:")
    if st.button("改一版", type="primary", key="revise"):
        desk.revise(kind, content_id)
        st.rerun()
    with st.expander("现在的内容"):
        st.code(transfer.as_yaml(kind, body), language="yaml", wrap_lines=True)


# ── the draft ────────────────────────────────────────────────────────────────────────────────────────


def _edit(desk: Workshop, draft: Version) -> None:
    left, right = st.columns([3, 2], gap="large")
    with left:
        verdict = st.container()
        how = st.segmented_control("怎么改", [FORM, YAML], default=FORM, key=f"how-{draft.id}",
                                   label_visibility="collapsed")  # fmt: skip
        draft, problems = _yaml(desk, draft) if how == YAML else _form(desk, draft)
        with verdict:
            _verdict(problems)
        _principles(desk, draft)
    with right:
        st.html('<span class="hs-side"></span>')
        workshop_trial.render(desk, draft, problems)


def _form(desk: Workshop, draft: Version) -> tuple[Version, tuple[Problem, ...]]:
    form = workshop_fields.draw(draft.kind, draft.body, form_key(draft), desk.library)
    try:
        draft = desk.save(draft, form.body)
    except ConflictError as error:
        st.error(plain(str(error)), icon=":material/error:")
        if st.button("载入最新的内容", key="reload"):
            renew(draft)
            st.rerun()
    problems = desk.problems(draft.kind, form.body)
    form.say(problems)
    return draft, problems


def _yaml(desk: Workshop, draft: Version) -> tuple[Version, tuple[Problem, ...]]:
    typed = st.text_area("YAML", value=transfer.as_yaml(draft.kind, draft.body), height=560,
                         key=f"{form_key(draft)}-yaml-{draft.rev}", label_visibility="collapsed")  # fmt: skip
    if st.button("应用", type="primary", key="apply"):
        try:
            body = yaml_of(typed.encode(), "这份内容")
            if not isinstance(body, dict):
                raise LearnerError("这份内容应由“键: 值”组成。请对照导出的文件改。")
            if wrong := shape(draft.kind, {**body, "id": draft.id}):
                raise LearnerError("没有应用：" + "；".join(f"{p.field} {p}" for p in wrong[:5]))
            draft = desk.save(draft, {**body, **({"card": draft.body["card"]} if "card" in draft.body else {})})
            renew(draft)
            st.rerun()
        except HuasuError as error:
            st.error(plain(str(error)), icon=":material/error:")
    return draft, desk.problems(draft.kind, draft.body)


def _verdict(problems: tuple[Problem, ...]) -> None:
    if not problems:
        st.success("没有问题，可以试聊、跑回归、发布。改动随写随存。", icon=":material/check:")
        return
    with st.expander(f"还有 {len(problems)} 处要改，改好才能试聊和发布（随写随存）", icon=":material/error:"):
        for p in problems:
            st.text(f"· {p}")


def _principles(desk: Workshop, draft: Version) -> None:
    found = principles.listed(draft.body)
    with st.expander(f"说话的原则（{len(found)}）", expanded=False, icon=":material/record_voice_over:"):
        if not found:
            st.caption("试聊时在客户的话下面点“赞 / 不像”，说一句为什么，就会记在这里；内置台词和模型都照着做。")
        for i, p in enumerate(found):
            _principle(desk, draft, i, p)


def _principle(desk: Workshop, draft: Version, i: int, p: dict[str, Any]) -> None:
    key = f"{form_key(draft)}-rule-{i}-{len(principles.listed(draft.body))}"
    kind = principles.KIND_NAMES.get(str(p.get("kind", "unlike")), "")
    name = st.text_input(f"第 {i + 1} 条（{kind}）", value=str(p.get("name", "")), key=f"{key}-name", max_chars=40)
    a, b = st.columns(2)
    line = a.text_input("他说的" if kind == "赞" else "他不会说的", value=str(p.get("line", "")), key=f"{key}-line",
                        max_chars=200)  # fmt: skip
    why = b.text_input("为什么", value=str(p.get("why", "")), key=f"{key}-why", max_chars=200)
    better = p.get("better", "")
    if kind != "赞":
        better = st.text_input("可以说", value=str(better), key=f"{key}-better", max_chars=200)
    update = {k: v.strip() for k, v in (("name", name), ("line", line), ("why", why), ("better", better))}
    if name.strip() and {k: str(p.get(k, "")) for k in update} != update:
        desk.save(draft, principles.changed(draft.body, i, **update))
        st.rerun()
    if st.button("删掉这条", key=f"{key}-drop", icon=":material/delete:"):
        desk.save(draft, principles.removed(draft.body, i))
        st.rerun()


def form_key(draft: Version) -> str:
    """The prefix of a form's widgets; it changes when the form must forget what was typed."""
    base = f"ws-{draft.kind}-{draft.id}-{draft.n}"
    return f"{base}-{st.session_state.get(f'{base}-age', 0)}"


def renew(draft: Version) -> None:
    """Have the form read the draft anew."""
    base = f"ws-{draft.kind}-{draft.id}-{draft.n}"
    st.session_state[f"{base}-age"] = st.session_state.get(f"{base}-age", 0) + 1
