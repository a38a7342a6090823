"""The forms of a case and of a persona, in tabs; each writes into the body it is given."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import streamlit as st

from bot.cases import NOBODY, SHIFT
from bot.records import SLOTS, VARIABLES, ContentKind
from bot.scenarios import Library
from bot.screens.workshop_form import Form
from bot.workshop import fields

STAGES = {1: "萌芽：有点不满", 2: "抱怨：在质问", 3: "投诉：要说法", 4: "升级：要投诉、要曝光"}
LEVELS = {1: "入门", 2: "较易", 3: "中等", 4: "较难", 5: "很难"}
HARDER = {1: "一般就说", 2: "要更信任"}
USUAL_LEVEL = {"why": 2, "which": 2, "how_much": 2, "how_long": 2}
OWN_LINES = "只用通用台词"


def draw(
    kind: ContentKind, body: Mapping[str, Any], key: str, library: Library, suggested: Collection[str] = ()
) -> Form:
    """The whole form, drawn and read."""
    form = Form(kind, body, key, suggested)
    _scenario(form, library) if kind == "scenario" else _persona(form, library)
    return form


def _scenario(form: Form, library: Library) -> None:
    who, hides, feels, ways, more = st.tabs(["客户与开场", "心事与事实", "情绪与性格", "办法与示范", "更多"])
    with who:
        _opening(form, library)
    with hides:
        _hidden(form)
    with feels:
        _moods(form)
        st.markdown("**性格**")
        _temper(form, list(fields.TRAIT_NAMES))
    with ways:
        _ways(form, library)
    with more:
        _more(form, library)


def _opening(form: Form, library: Library) -> None:
    form.text("title", most=60)
    left, right = st.columns(2)
    types = {code: t["name_zh"] for code, t in library.rubric["scenario_types"].items()}
    with left:
        form.choice("type", types, "complaint_vent")
        form.choice("difficulty", LEVELS, 3)
    with right:
        form.text("channel", most=30)
        form.choice("goal", fields.GOAL_NAMES, "accept")
    st.markdown("**客户档案**（学员开始前看得到，请用化名）")
    a, b, c = st.columns([2, 1, 1])
    with a:
        form.text("profile.name", most=20)
    with b:
        form.choice("profile.gender", {"女": "女", "男": "男"}, "女")
    with c:
        form.number("profile.age", 18, 100, default=38)
    form.text("profile.job", most=60)
    a, b, c = st.columns([2, 1, 1])
    with a:
        form.text("profile.product", most=40)
    with b:
        form.number("profile.balance", 0, 100_000_000, 1000)
    with c:
        form.number("profile.overdue_days", 0, 3650)
    st.markdown("**开口**")
    form.text("opening", lines=3, most=200)
    form.choice("opening_act", fields.ACT_NAMES, "complain")
    form.text("demand", lines=2, most=200)


def _hidden(form: Form) -> None:
    form.text("need_business", lines=3, most=300)
    form.text("need_emotional", lines=2, most=200)
    st.markdown("**藏着的事实**　每一项写明学员怎么问才问得出来")
    form.note("facts")
    for slot in SLOTS:
        fact, level = st.columns([4, 1.3])
        path = f"facts.{slot}"
        with fact:
            form.text(path, name=f"{fields.SLOT_NAMES[slot]}　问法：{fields.SLOT_ASKS[slot]}", most=200,
                      hint=f"学员问到类似 {fields.SLOT_ASKS[slot]} 才会说。写成他自己的情形，一句话。")  # fmt: skip
        with level:
            form.choice(f"fact_levels.{slot}", HARDER, USUAL_LEVEL.get(slot, 1), "多难问出来")


def _moods(form: Form) -> None:
    st.markdown("**开口那一刻的心里**")
    form.note("init")
    for left in range(0, len(VARIABLES), 2):
        for column, name in zip(st.columns(2), VARIABLES[left : left + 2], strict=False):
            with column:
                form.slider(f"init.{name}", fields.VARIABLE_NAMES[name], fields.VARIABLE_HELP[name], 0, 100, 1)


def _temper(form: Form, names: list[str]) -> None:
    for left in range(0, len(names), 2):
        for column, name in zip(st.columns(2), names[left : left + 2], strict=False):
            with column:
                usual = 0.0 if name in ("legal_savvy", "media_savvy", "crisis_prone", "black_agent") else 0.5
                form.slider(f"traits.{name}", fields.TRAIT_NAMES[name], fields.TRAIT_HELP[name], 0, 1, 0.05, usual)


def _ways(form: Form, library: Library) -> None:
    given = {p.id: f"{p.id} {p.name}（{p.authority}）" for p in library.policies.values() if p.authority != NOBODY}
    form.several("offer", given)
    form.listed("cannot", lines=2)
    form.text("exemplary", lines=4, most=600)
    form.text("exemplary_key", lines=4, most=600)
    form.listed("success")
    st.markdown("**典型的错误回答**　写一句错的，选它错在哪")
    _wrong(form, library)


def _wrong(form: Form, library: Library) -> None:
    tax = library.taxonomy
    codes = {c: tax.name(c) for c in (*tax.antis, *tax.violations)}
    now = [dict(x) for x in form.value("wrong", []) or []]
    found = []
    for i, row in enumerate([*now, {"reply": "", "code": next(iter(codes))}]):
        said, code = st.columns([3, 2])
        reply = said.text_input(f"第 {i + 1} 句", value=row["reply"], key=f"{form.key}-wrong-{i}", max_chars=200,
                                label_visibility="collapsed", placeholder="写一句错的回答，留空就是不要")  # fmt: skip
        names = list(codes)
        picked = code.selectbox(f"第 {i + 1} 句错在哪", names, key=f"{form.key}-wrong-code-{i}",
                                index=names.index(row["code"]) if row["code"] in names else 0,
                                format_func=codes.__getitem__, label_visibility="collapsed")  # fmt: skip
        if reply.strip():
            found.append({"reply": reply.strip(), "code": picked})
    form.put("wrong", found, [])
    form.note("wrong")


def _more(form: Form, library: Library) -> None:
    left, right = st.columns(2)
    with left:
        form.choice("stage", STAGES, 2)
    with right:
        form.number("audience", 0, 5)
    own = str(form.body.get("id", "")).startswith("SC")
    kept = {
        "": "用它自己的台词" if own else OWN_LINES,
        **{s.id: f"{s.id} {s.title}" for s in library.scenarios.values() if not s.drills},
    }
    form.choice("lines", kept, "")
    form.listed("triggers")
    form.listed("soothers")
    form.listed("regulations", lines=2)
    form.text("safety_note", lines=3, most=400)
    form.text("note", lines=2, most=1000)


def _persona(form: Form, library: Library) -> None:
    who, feels, where = st.tabs(["是怎样的人", "性格与情绪", "适合的场景"])
    with who:
        form.text("name", most=30)
        form.text("description", lines=3, most=300)
        form.listed("style", lines=5)
        form.number("audience", 0, 3)
    with feels:
        st.caption("只调要改的：没选的性格，照场景里客户原来的来。")
        _overrides(form)
        st.markdown("**开场情绪的增减**　人设只改脾气，不改案情")
        form.note("init_shift")
        for left in range(0, len(VARIABLES), 2):
            for column, name in zip(st.columns(2), VARIABLES[left : left + 2], strict=False):
                with column:
                    form.slider(f"init_shift.{name}", fields.VARIABLE_NAMES[name], fields.VARIABLE_HELP[name],
                                -SHIFT, SHIFT, 1, 0)  # fmt: skip
    with where:
        _suits(form, library)


def _overrides(form: Form) -> None:
    traits = form.value("traits", {}) or {}
    chosen = st.multiselect("要改的性格", list(fields.TRAIT_NAMES), default=[t for t in traits if t in fields.TRAIT_NAMES],
                            key=f"{form.key}-traits", format_func=fields.TRAIT_NAMES.__getitem__,
                            placeholder="请选择")  # fmt: skip
    for gone in [t for t in traits if t in fields.TRAIT_NAMES and t not in chosen]:
        form.drop(f"traits.{gone}")
    for name in chosen:
        if form.value(f"traits.{name}") is None:
            form.put(f"traits.{name}", 0.5, None)
    form.note("traits")
    _temper(form, list(chosen))


def _suits(form: Form, library: Library) -> None:
    types = {code: t["name_zh"] for code, t in library.rubric["scenario_types"].items()}
    form.several("suits.types", types)
    form.several("suits.not_types", types)
    form.several("suits.not_cases", {s.id: f"{s.id} {s.title}" for s in library.scenarios.values()})
    form.listed("suits.jobs", lines=2)
    low, high = form.value("suits.age", (18, 100))
    ages = st.slider("客户年龄范围", 18, 100, (int(low), int(high)), key=f"{form.key}-age")
    form.put("suits.age", list(ages), [18, 100])
    form.note("suits")
    form.switch("suits.in_person", "只用于面对面", "电话里演不出来的打开它。")
