"""Whether the grade can be trusted: words that were said, rules that exist, caps that hold, the same twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.citations import load_shelf
from bot.parts import Parts
from bot.records import Anti, Report, Technique, Turn, Violation
from evals.simulate import Talk
from evals.suite.case import Case
from evals.suite.play import lines
from evals.suite.results import Fault

CAPS = {"fatal": 40.0, "serious": 60.0}


def _fault(check: str, turn: int, wanted: str, found: str) -> Fault:
    return Fault(kind="grader", check=check, turn=turn, wanted=wanted, found=found)


def faults(talk: Talk, report: Report, parts: Parts) -> Iterator[Fault]:
    """Everything wrong with the reading and grading of one talk, whatever its case expects."""
    for turn in talk.turns:
        yield from _evidence(turn)
        yield from _citations(turn, parts)
    yield from _quotes(talk.turns, report)
    yield from _totals(talk.turns, report)
    if talk.report() != report:
        yield _fault("stability", 0, "重算得到同样的报告", "两次不同")


def _evidence(turn: Turn) -> Iterator[Fault]:
    read = turn.appraisal
    found: list[Technique | Anti | Violation] = [*read.techniques, *read.antis, *read.violations]
    for m in found:
        if turn.reply[m.start : m.start + len(m.evidence)] != m.evidence or not m.evidence:
            yield _fault("evidence", turn.n, f"{m.code} 的依据是学员原话", m.evidence or "没有依据")


def _citations(turn: Turn, parts: Parts) -> Iterator[Fault]:
    shelf, redlines = load_shelf(parts.library.root), parts.library.redlines
    for v in turn.appraisal.violations:
        if not v.citations:
            yield _fault("citation", turn.n, f"{v.code} 引到条文", "没有引用")
        if v.redline and v.redline not in redlines:
            yield _fault("citation", turn.n, "红线编号存在", v.redline)
        for c in v.citations:
            if not shelf.resolve(c):
                yield _fault("citation", turn.n, "条文在知识库里找得到", f"《{c.doc}》{c.article}")


def _quotes(turns: Sequence[Turn], report: Report) -> Iterator[Fault]:
    said = {t.n: t.reply for t in turns}
    for grade in report.turns:
        reply = said[grade.n]
        quoted = [
            grade.coaching.evidence,
            *(v.evidence for v in grade.verdicts),
            *(d.evidence for d in grade.dims.values()),
        ]
        for words in quoted:
            if words and words not in reply:
                yield _fault("quote", grade.n, "点评引用的是学员原话", words)
        for v in grade.verdicts:
            if v.id.startswith("redline") and v.passed is False and not v.citations:
                yield _fault("citation", grade.n, "红线判定带着依据", v.reason)
    for a in (*report.caps, *report.penalties, *report.bonuses):
        if a.turn and a.evidence and a.evidence not in said[a.turn]:
            yield _fault("quote", a.turn, "加减分引用的是学员原话", a.evidence)


def _totals(turns: Sequence[Turn], report: Report) -> Iterator[Fault]:
    levels = {v.level for t in turns for v in t.appraisal.violations}
    for level, most in CAPS.items():
        if level in levels and report.final > most:
            yield _fault("cap", 0, f"有{level}违规，总分不超过 {most:g}", f"{report.final:g}")
    if report.fatal and report.passed:
        yield _fault("cap", 0, "有致命违规不得通过", "通过了")
    if not 0 <= report.final <= 100:
        yield _fault("range", 0, "总分 0–100", f"{report.final:g}")
    for grade in report.turns:
        for name, dim in grade.dims.items():
            if not 1 <= dim.score <= 5:
                yield _fault("range", grade.n, f"{name} 在 1–5 之间", f"{dim.score:g}")


def compared(parts: Parts, case: Case) -> tuple[list[Fault], list[Talk], dict[str, object]]:
    """A pair (a strictly better talk never scores lower) or several wordings that must score the same."""
    versions = [case.better, case.worse] if case.kind == "pair" else list(case.same)
    talks = [lines(parts, case, replies) for replies in versions]
    reports = [t.report() for t in talks]
    finals = [r.final for r in reports]
    scores = [_mean(r) for r in reports]
    found = [f for t, r in zip(talks, reports, strict=True) for f in faults(t, r, parts)]
    if case.kind == "pair":
        if finals[0] < finals[1] + case.margin:
            found.append(
                _fault("monotonicity", 0, f"更好的说法至少高 {case.margin:g} 分", f"{finals[0]:g} 比 {finals[1]:g}")
            )
        if scores[0] < scores[1]:
            found.append(_fault("monotonicity", 0, "更好的说法逐轮分不低", f"{scores[0]:.2f} 比 {scores[1]:.2f}"))
    else:
        if max(finals) - min(finals) > case.tolerance:
            found.append(
                _fault("invariance", 0, f"总分相差不超过 {case.tolerance:g}", "、".join(f"{x:g}" for x in finals))
            )
        if len({r.fatal for r in reports}) > 1:
            found.append(_fault("invariance", 0, "红线判定一致", "、".join(str(r.fatal) for r in reports)))
    return found, talks, {"finals": finals, "replies": [round(s, 2) for s in scores]}


def _mean(report: Report) -> float:
    found = [d.score for g in report.turns for d in g.dims.values()]
    return sum(found) / len(found) if found else 0.0
