"""How results look, shared by the web pages and the exported report: highlighted replies, the mood curve, names.

Everything is rendered through auto-escaping templates in ``bot/templates``; no caller concatenates HTML.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bot.records import DIMENSIONS, Appraisal, Citation, Moment, Policy, Scenario, Taxonomy, Turn

Kind = Literal["plain", "good", "warn", "bad"]
DIMENSION_NAMES = {
    "emotion": "情绪接纳", "pacing": "先跟后带", "explain": "顺耳解释", "diagnosis": "问题分析",
    "solution": "双赢方案", "negotiation": "期望与谈判", "compliance": "合规", "peak_end": "峰终收尾",
}  # fmt: skip
SLOT_NAMES = {
    "who": "牵涉谁", "what": "发生了什么", "when": "什么时候", "where": "在哪里", "why": "为什么是现在",
    "which": "能接受哪种", "how": "怎么走到这一步", "how_much": "多少钱", "how_long": "多久",
    "need_business": "真正的业务需求", "need_emotional": "心里的渴望",
}  # fmt: skip
STAGE_NAMES = {1: "萌芽期", 2: "抱怨期", 3: "投诉期", 4: "升级期"}
MODE_NAMES = {"practice": "练习", "exam": "考核", "gate": "闯关"}
TYPE_NAMES = {
    "drill_pace": "接话", "complaint_vent": "情绪失控", "soft_explain": "政策解释", "collection_call": "催收触达",
    "privacy_dispute": "信息投诉", "needs_iceberg": "需求冰山", "negotiation_accept": "谈判与认命",
    "crisis_scene": "现场危机", "black_group": "黑产群诉", "gate_full": "五步通关",
}  # fmt: skip
MODULE_NAMES = {
    "M1": "模块一　接住情绪", "M2": "模块二　合规催收与信息安全", "M3": "模块三　先跟后带", "M4": "模块四　顺耳解释",
    "M5": "模块五　需求冰山与认命", "M6": "模块六　五步通关",
    "自建": "本行自建场景",
}  # fmt: skip
ENDINGS = {
    "closed": "客户道别，谈话正常收尾。", "hung_up": "客户不谈了，谈话中断。",
    "complained": "客户去投诉了，谈话结束。", "finished": "由你结束了谈话。",
    "answered": "这一题答完了。",
    "crisis_missed": "他说了不想活的话，没有被接住。练习先停在这里。",
}  # fmt: skip
DOUBT = "（未核实，引用前请核对原文）"
ADVISORY = ("推荐性", "GB/T", "JR/T", "自律", "指引", "中银协")


@dataclass(frozen=True)
class Span:
    """A piece of a reply with what it shows; `plain` pieces show nothing."""

    text: str
    kind: Kind
    labels: tuple[str, ...] = ()


def spans(reply: str, read: Appraisal, taxonomy: Taxonomy) -> tuple[Span, ...]:
    """The reply cut at its evidence, in order; where evidence overlaps the graver kind wins and labels add up."""
    marks: list[tuple[int, int, Kind, str]] = []
    for v in read.violations:
        marks.append((v.start, v.start + len(v.evidence), "bad", taxonomy.name(v.code)))
    for a in read.antis:
        marks.append((a.start, a.start + len(a.evidence), "warn", taxonomy.name(a.code)))
    for t in read.techniques:
        marks.append((t.start, t.start + len(t.evidence), "good", taxonomy.name(t.code).split("（")[0]))
    marks = [m for m in marks if m[1] > m[0]]
    edges = sorted({0, len(reply), *(m[0] for m in marks), *(m[1] for m in marks)})
    found: list[Span] = []
    for left, right in pairwise(edges):
        over = [m for m in marks if m[0] <= left and right <= m[1]]
        kinds: tuple[Kind, ...] = ("bad", "warn", "good")
        kind: Kind = next((k for k in kinds if any(m[2] == k for m in over)), "plain")
        labels = tuple(dict.fromkeys(m[3] for m in over))
        if found and found[-1].kind == kind and found[-1].labels == labels:
            found[-1] = Span(found[-1].text + reply[left:right], kind, labels)
        else:
            found.append(Span(reply[left:right], kind, labels))
    return tuple(s for s in found if s.text)


def said(text: str) -> list[dict[str, Any]]:
    """A line cut into speech and stage directions （…）, so that gestures can be set in a quieter style."""
    pieces = re.split(r"(（[^（）]{1,40}）)", text)
    return [{"text": p, "aside": p.startswith("（") and p.endswith("）")} for p in pieces if p]


def quality_word(quality: float) -> str:
    """A technique's quality in words."""
    return "精准" if quality >= 1.3 else "贴切" if quality >= 1.0 else "尚可" if quality >= 0.7 else "笼统"


def score_word(score: float) -> str:
    """A score of 0–100 in words, for those who would rather not see numbers."""
    return "很稳" if score >= 85 else "达标" if score >= 75 else "接近了" if score >= 60 else "还在练"


def cited(citation: Citation) -> str:
    """A citation as shown: never certain when unverified, never 违法 for standards and self-regulation."""
    verb = "不符合" if any(word in citation.doc for word in ADVISORY) else "依据"
    doubt = DOUBT if citation.conf == "C" else ""
    return f"{verb}《{citation.doc}》{citation.article}{doubt}"


def file_lines(scenario: Scenario) -> tuple[tuple[str, str], ...]:
    """The customer's file as the bank's system shows it."""
    p = scenario.profile
    overdue = f"逾期 {p.overdue_days} 天" if p.overdue_days else "未逾期"
    return (
        ("客户", f"{p.name}，{p.gender}，{p.age} 岁"),
        ("职业", p.job),
        ("业务", p.product),
        ("余额", f"{p.balance:,} 元" if p.balance else "无余额"),
        ("状态", overdue),
        ("渠道", scenario.channel),
        *(("在场", someone) for someone in scenario.present),
    )


def offers(scenario: Scenario, policies: dict[str, Policy]) -> tuple[Policy, ...]:
    """The items of the policy box that fit this case."""
    return tuple(policies[p] for p in scenario.offer if p in policies)


def jump_cause(turn: Turn, taxonomy: Taxonomy) -> str:
    """The label that moved the mood most in a turn, in words."""
    pull: dict[str, float] = {}
    for change in turn.changes:
        if change.variable in ("A", "G", "T", "H"):
            pull[change.cause] = pull.get(change.cause, 0.0) + abs(change.delta)
    names = {"promise_broken": "承诺落空", "vented": "发泄过后", "cooled": "没有再受刺激"}
    if not pull:
        return ""
    cause = max(pull, key=lambda c: pull[c])
    return names.get(cause) or taxonomy.name(cause)


def curve(start: float, moods: Sequence[float], moments: Sequence[Moment] = (), *, width: int = 720) -> Markup:
    """The mood curve as an inline image (SVG in a data address), with 峰 and 终 marked."""
    height, left, right, top, bottom = round(width * (0.30 if width > 500 else 0.42)), 40, 18, 22, 26
    values = [start, *moods]
    low, high = min(values) - 8, max(8.0, *values) + 8
    low = min(low, high - 60)  # a flat talk must look flat
    span = max(1, len(values) - 1)

    def point(i: int) -> tuple[float, float]:
        x = left + (width - left - right) * i / span
        y = top + (height - top - bottom) * (high - values[i]) / (high - low)
        return round(x, 1), round(y, 1)

    marks = {m.turn: ("峰" if m.kind == "peak" else "终") for m in moments if m.kind in ("peak", "end")}
    if sum(m.kind in ("peak", "end") for m in moments) > len(marks):
        marks[len(values) - 1] = "峰·终"
    zero = round(top + (height - top - bottom) * high / (high - low), 1)
    points = [
        {"x": point(i)[0], "y": point(i)[1], "n": i, "value": round(v), "mark": marks.get(i, "") if i else "",
         "down": i > 0 and values[i] < values[i - 1] - 0.5}
        for i, v in enumerate(values)
    ]  # fmt: skip
    svg = (
        environment()
        .get_template("curve.svg")
        .render(width=width, height=height, left=left, right=width - right, zero=zero, points=points, bottom=height - 8)
    )
    data = base64.b64encode(svg.encode()).decode()
    said = "，".join(f"第{p['n']}轮 {p['value']}" if p["n"] else f"开场 {p['value']}" for p in points)
    return Markup('<img class="curve" alt="情绪曲线：{}" src="data:image/svg+xml;base64,{}">').format(said, data)


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The template engine: everything escaped, an undefined variable is an error."""
    env = Environment(
        loader=PackageLoader("bot", "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    env.globals.update(
        dimension_names=DIMENSION_NAMES, slot_names=SLOT_NAMES, stage_names=STAGE_NAMES, dimensions=DIMENSIONS
    )
    env.filters.update(quality_word=quality_word, cited=cited)
    return env


def fragment(name: str, **values: Any) -> Markup:
    """One macro of ``fragments.html`` or ``learning.html`` rendered with data, every value escaped."""
    modules = [environment().get_template(file).module for file in ("fragments.html", "learning.html")]
    macro = next(getattr(m, name) for m in modules if hasattr(m, name))
    return Markup(macro(**values))  # noqa: S704 - the template has escaped every value


def style() -> Markup:
    """The style sheet shared by the pages and the exported report."""
    sheet = environment().get_template("style.css").render()
    return Markup("<style>") + Markup(sheet) + Markup("</style>")  # noqa: S704 - our own file
