"""A run for people and for programs: HTML with the dialogues, JUnit for CI, JSON, and Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

from jinja2 import Environment, PackageLoader, StrictUndefined

from bot.records import Taxonomy
from bot.scenarios import Library
from bot.view import Kind, Span
from evals.suite.case import NAMES
from evals.suite.diff import Difference
from evals.suite.results import KINDS, CaseResult, Fault, RunResult, Seen, dumped

SUITE_NAMES = {"customers": "客户", "grading": "评分", "retrieval": "检索", "injection": "注入"}
SHOWN = 30
_CONTROL = dict.fromkeys((*range(9), 11, 12, *range(14, 32)))


def write(run: RunResult, diffs: Sequence[Difference], folder: Path, library: Library, seconds: float) -> None:
    """All four files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (
        ("report.html", html(run, diffs, library)), ("junit.xml", junit(run, seconds)), ("results.json", dumped(run)),
        ("summary.md", markdown(run, diffs)),
    ):  # fmt: skip
        (folder / name).write_text(text, encoding="utf-8")


def one_line(run: RunResult, diffs: Sequence[Difference] = ()) -> str:
    """What came of it, in a line."""
    bad = len(run.failed)
    kinds = "，".join(f"{KINDS[k]} {n} 处" for k in KINDS if (n := run.count(k)))
    worse = sum(d.regression for d in diffs)
    compared = f"；和基线相比 {worse} 处倒退、{len(diffs) - worse} 处变化" if diffs else ""
    state = "通过" if run.ok else "未通过"
    known = sum(bool(c.known and c.faults) for c in run.cases)
    compared = (f"，{known} 个已知还做不到" if known else "") + compared
    return f"{state}：{len(run.cases)} 个用例，{bad} 个没过" + (f"（{kinds}）" if kinds else "") + compared


def html(run: RunResult, diffs: Sequence[Difference], library: Library) -> str:
    """One page with everything; every word of it escaped."""
    env = Environment(
        loader=PackageLoader("evals.suite", "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    tax = library.taxonomy
    return env.get_template("report.html").render(
        run=run, diffs=diffs, summary=one_line(run, diffs), kinds=KINDS, suite_names=SUITE_NAMES, check_name=check_name, variables=NAMES,
        pieces=lambda t: pieces(t, tax), names=lambda codes: "、".join(tax.name(c).split("（")[0] for c in codes) or "没有标签",
    )  # fmt: skip


def pieces(seen: Seen, taxonomy: Taxonomy) -> list[Span]:
    """A reply cut at its evidence; where evidence overlaps the graver kind wins."""
    kinds: dict[str, Kind] = {**dict.fromkeys(taxonomy.techniques, "good"), **dict.fromkeys(taxonomy.antis, "warn"),
                              **dict.fromkeys(taxonomy.violations, "bad")}  # fmt: skip
    edges = sorted({0, len(seen.reply), *(m.start for m in seen.marks), *(m.end for m in seen.marks)})
    found = []
    for left, right in pairwise(edges):
        over = [m.code for m in seen.marks if m.start <= left and right <= m.end]
        order: tuple[Kind, ...] = ("bad", "warn", "good")
        kind: Kind = next((k for k in order if any(kinds.get(c) == k for c in over)), "plain")
        found.append(Span(seen.reply[left:right], kind, tuple(taxonomy.name(c).split("（")[0] for c in over)))
    return found


def junit(run: RunResult, seconds: float) -> str:
    """A test case per case, grouped by suite; simulator faults are errors, everything else failures."""
    root = ElementTree.Element("testsuites", name="huasu eval", time=f"{seconds:.1f}")
    for suite, (total, bad) in run.by_suite().items():
        node = ElementTree.SubElement(root, "testsuite", name=suite, tests=str(total), failures=str(bad))
        for case in (c for c in run.cases if c.suite == suite):
            _junit_case(node, case)
    if run.overall:
        node = ElementTree.SubElement(root, "testsuite", name="overall", tests="1", failures="1")
        one = ElementTree.SubElement(node, "testcase", classname="overall", name="style")
        ElementTree.SubElement(one, "error", message="模拟客户").text = _said(run.overall)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _junit_case(node: ElementTree.Element, case: CaseResult) -> None:
    one = ElementTree.SubElement(node, "testcase", classname=f"evals.{case.suite}", name=case.id)
    ours = [f for f in case.faults if f.kind != "simulator"]
    theirs = [f for f in case.faults if f.kind == "simulator"]
    for tag, faults in (("failure", ours), ("error", theirs)):
        if faults:
            text = f"{case.about}\n{_said(faults)}".translate(_CONTROL)
            ElementTree.SubElement(one, tag, message=faults[0].check).text = text


def _said(faults: Sequence[Fault]) -> str:
    return "\n".join(said(f) for f in faults).translate(_CONTROL)


def said(fault: Fault) -> str:
    """A fault in a line."""
    where = f"第 {fault.turn} 轮" if fault.turn else "全场"
    return f"{KINDS[fault.kind]} {where} {check_name(fault.check)}：应当 {fault.wanted}，实际 {fault.found}" + (
        f"（{fault.why}）" if fault.why else ""
    )


def markdown(run: RunResult, diffs: Sequence[Difference]) -> str:
    """A summary for a pull request."""
    lines = [f"**{one_line(run, diffs)}**", "", "| 组 | 用例 | 没过 |", "|---|---:|---:|"]
    lines += [f"| {SUITE_NAMES.get(s, s)} | {n} | {bad} |" for s, (n, bad) in run.by_suite().items()]
    if diffs:
        lines += ["", "| 用例 | 轮 | 什么变了 | 原来 | 现在 | 为什么 |", "|---|---|---|---|---|---|"]
        lines += [
            "| "
            + " | ".join(
                _cell(x)
                for x in (
                    ("倒退 " if d.regression else "") + d.case,
                    d.turn or "全场",
                    d.what,
                    d.before,
                    d.after,
                    d.why,
                )
            )
            + " |"
            for d in diffs[:SHOWN]
        ]
        lines += [f"（还有 {len(diffs) - SHOWN} 处）"] if len(diffs) > SHOWN else []
    for case in run.failed[:SHOWN]:
        lines += ["", f"- `{case.id}` {_cell(case.about)}"]
        lines += [f"  - {_cell(said(f))}" for f in case.faults[:5]]
    return "\n".join(lines) + "\n"


CHECKS = {
    "act": "客户的行为", "not_act": "客户的行为", "says": "客户的话", "says_not": "客户的话", "passed": "是否通过", "fatal": "有致命违规",
    "final": "总分", "grade": "等级", "settled": "是否接受", "ended": "怎样结束", "refused": "该拦下的话", "accepted": "该收下的话",
    "shows": "识别", "shows_one": "识别", "clean_of": "不该有的标签", "moves": "方向", "state": "范围", "because": "原因", "tells": "该说的",
    "keeps": "该守住的", "caps": "封顶", "no_caps": "封顶", "gates": "关卡", "dims": "维度", "cites": "依据", "verdict": "点评",
    "finds": "找到", "turns": "轮数", "satisfaction": "满意度", "notice": "提示", "resume": "断线重来", "rewind": "退回重说",
    "monotonicity": "更好的不低分", "invariance": "换说法不变分", "evidence": "原话依据", "citation": "条文", "quote": "引用", "cap": "封顶",
    "stability": "重算一致", "repetition": "重复", "leaked_fact": "露底", "invented_fact": "编数字", "sanitised": "变客气", "drift": "谈久走样",
    "unearned_softening": "没来由松动", "style_distance": "人设分不清", "role_flip": "串角色", "speaks_for_learner": "替学员说话",
    "system_words": "系统的词", "language": "语言", "early_softening": "嘴上先软", "too_long": "太长", "f1": "标签 F1", "error": "程序",
}  # fmt: skip
"""Checks in words; what follows a colon is what was checked."""


def check_name(check: str) -> str:
    """A check in words."""
    kind, _, of = check.partition(":")
    return CHECKS.get(kind, kind) + (f" {of}" if of else "")


def _cell(value: object) -> str:
    text = str(value).replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
    return text if len(text) <= 120 else text[:119] + "…"
