"""How results look, shared by the web pages and the exported report: highlighted replies, the mood curve, names.

Everything is rendered through auto-escaping templates in ``bot/templates``; no caller concatenates HTML.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bot import words
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
    "answered": "这一题答完了。", "gates_passed": "五关全过。",
    "gates_stuck": "这一关试满了次数，闯关先停在这里。看看报告，再来一次。",
    "gates_rolled_back": "客户三次重新上火，闯关先停在这里。看看报告，再来一次。",
    "crisis_missed": "他说了不想活的话，没有被接住。练习先停在这里。",
}  # fmt: skip
DOUBT = "（未核实，引用前请核对原文）"
ADVISORY = ("推荐性", "GB/T", "JR/T", "自律", "指引", "中银协")


_FILES = ("fragments.html", "learning.html", "classroom.html")


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


def curve(
    start: float, moods: Sequence[float], moments: Sequence[Moment] = (), *, width: int = 520,
    other: Sequence[float] = (), numbers: bool = True,
) -> Markup:  # fmt: skip
    """The mood curve as an inline image (SVG in a data address), with 峰 and 终 marked, `other` dashed behind it.

    Without `numbers` its description speaks of better and worse only.
    """
    height, left, right, top, bottom = round(width * 0.34), 40, 18, 22, 26
    values, others = [start, *moods], [start, *other] if other else []
    low, high = min([*values, *others]) - 8, max([8.0, *values, *others]) + 8
    low = min(low, high - 60)  # a flat talk must look flat
    longest = max(values, others, key=len)
    span = max(1, len(longest) - 1)

    def points(of: Sequence[float]) -> list[dict[str, Any]]:
        found = []
        for i, value in enumerate(of):
            x = left + (width - left - right) * i / span
            y = top + (height - top - bottom) * (high - value) / (high - low)
            down = i > 0 and value < of[i - 1] - 0.5
            found.append({"x": round(x, 1), "y": round(y, 1), "n": i, "value": round(value), "down": down, "mark": ""})
        return found

    drawn = points(values)
    for i, mark in _marked_turns(moments).items():
        drawn[i]["mark"] = mark
    zero = round(top + (height - top - bottom) * high / (high - low), 1)
    said = "，".join(_told(p, numbers) for p in drawn)
    return _image(
        "curve.svg", f"情绪曲线：{said}", "curve", width=width, height=height, left=left, right=width - right, zero=zero,
        points=drawn, others=points(others), ticks=points(longest), bottom=height - 8,
    )  # fmt: skip


def _marked_turns(moments: Sequence[Moment]) -> dict[int, str]:
    found: dict[int, str] = {}
    for m in (m for m in moments if m.kind in ("peak", "end")):
        name = "峰" if m.kind == "peak" else "终"
        found[m.turn] = f"{found[m.turn]}·{name}" if m.turn in found else name
    return found


def _told(point: dict[str, Any], numbers: bool) -> str:
    where = f"第{point['n']}轮" if point["n"] else "开场"
    return f"{where} {point['value']}" if numbers else f"{where}{'变差' if point['down'] else ''}"


def radar(scores: Mapping[str, float | None], *, numbers: bool = True, width: int = 440) -> Markup:
    """The eight dimensions as an inline image; a dimension that was not shown is a hollow dot at the centre."""
    height, radius = round(width * 0.78), width * 0.27
    cx, cy = width / 2, height / 2

    def at(i: int, share: float) -> tuple[float, float]:
        turn = 2 * math.pi * i / len(DIMENSIONS) - math.pi / 2
        return round(cx + radius * share * math.cos(turn), 1), round(cy + radius * share * math.sin(turn), 1)

    axes, told = [], []
    for i, code in enumerate(DIMENSIONS):
        score = scores.get(code)
        (x, y), (px, py), (tx, ty) = at(i, 1), at(i, 0 if score is None else max(0.04, (score - 1) / 4)), at(i, 1.13)
        value = "—" if score is None else f"{score:.1f}" if numbers else words.dimension(score)
        side = "middle" if abs(tx - cx) < 4 else "start" if tx > cx else "end"
        axes.append({
            "x": x, "y": y, "px": px, "py": py, "tx": tx, "ty": ty + 4, "anchor": side, "name": DIMENSION_NAMES[code],
            "value": value, "low": score is not None and score < 3, "missing": score is None,
        })  # fmt: skip
        told.append(f"{DIMENSION_NAMES[code]} {value}")
    rings = [" ".join("{},{}".format(*at(i, share)) for i in range(len(DIMENSIONS))) for share in (0.25, 0.5, 0.75, 1)]
    return _image("radar.svg", f"八个维度：{'，'.join(told)}", "radar", width=width, height=height, cx=cx, cy=cy,
                  axes=axes, rings=rings)  # fmt: skip


def _image(template: str, alt: str, kind: str, **values: Any) -> Markup:
    data = base64.b64encode(environment().get_template(template).render(**values).encode()).decode()
    return Markup('<img class="{}" alt="{}" src="data:image/svg+xml;base64,{}">').format(kind, alt, data)


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
    env.filters.update(
        quality_word=quality_word,
        cited=cited,
        dimension_word=words.dimension,
        moved_word=words.moved,
        plainly=words.plainly,
    )
    return env


def fragment(name: str, **values: Any) -> Markup:
    """One macro of the fragment files rendered with data, every value escaped."""
    modules = [environment().get_template(file).module for file in _FILES]
    macro = next(getattr(m, name) for m in modules if hasattr(m, name))
    return Markup(macro(**values))  # noqa: S704 - the template has escaped every value


def style() -> Markup:
    """The style sheet shared by the pages and the exported report."""
    sheet = environment().get_template("style.css").render()
    return Markup("<style>") + Markup(sheet) + Markup("</style>")  # noqa: S704 - our own file
