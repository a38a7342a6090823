"""Read and grade talks that happened elsewhere: lines of JSON in, lines of JSON out.

The customer's lines are given, so his acts are estimated from them; the same appraisal, mind and grading as in a
live session do the rest. The shapes are those of the command-line contract.
"""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot import grading, mind
from bot.appraisal import Appraiser
from bot.errors import LearnerError
from bot.mind import MindRules
from bot.records import Appraisal, Context, Line, Mind, Report, Scenario, Turn, TurnGrade, Utterance
from bot.scenarios import Library

GENERIC = "SC01"
_CALLED_IN = re.compile(
    r"不是(你|您)?(保证|答应|说好)|当初.{0,6}(答应|保证|拍胸脯|怎么说)|说好的.{0,8}(呢|没)|记录还在|你不是说"
)
_CROWD = re.compile(r"举起手机|围观|直播|拍视频|录像发")


class AppraiseLine(BaseModel):
    """One reply to read: {id, customer?, history?, reply, scenario?}."""

    model_config = ConfigDict(extra="ignore")
    id: str | int
    reply: str
    customer: str = ""
    history: list[Line] = Field(default_factory=list)
    scenario: str = ""


class GradeLine(BaseModel):
    """One finished talk: {id, scenario?, turns: [{role, text}]}."""

    model_config = ConfigDict(extra="ignore")
    id: str | int
    turns: list[Line]
    scenario: str = ""


def parsed(kind: type[BaseModel], text: str, number: int) -> Any:
    """One input line as a record; a bad one is a `LearnerError` that names its number and the key at fault."""
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(p) for p in first["loc"]) or "整行"
        raise LearnerError(f"第 {number} 行读不懂：{key} 缺少或不合要求。请对照 --help 里的格式改正。") from None


def appraise(line: AppraiseLine, library: Library, appraiser: Appraiser) -> dict[str, Any]:
    """The labels of one reply, in the contract's shape."""
    scenario = library.scenarios.get(line.scenario.upper())
    read = appraiser.appraise(
        line.reply, Context(customer=line.customer, history=tuple(line.history), scenario=scenario)
    )
    return {"id": line.id, **labels(read)}


def labels(read: Appraisal) -> dict[str, Any]:
    """Techniques, anti-patterns and violations with their evidence."""
    return {
        "techniques": [{"code": t.code, "quality": t.quality, "evidence": t.evidence} for t in read.techniques],
        "antis": [{"code": a.code, "severity": a.severity, "evidence": a.evidence} for a in read.antis],
        "violations": [
            {"code": v.code, "level": v.level, "evidence": v.evidence, "redline": v.redline or None,
             "citations": [{"doc": c.doc, "article": c.article, "conf": c.conf} for c in v.citations]}
            for v in read.violations
        ],
    }  # fmt: skip


def grade(line: GradeLine, library: Library, appraiser: Appraiser, rules: MindRules) -> dict[str, Any]:
    """The report of one finished talk, in the contract's shape."""
    scenario = library.scenarios.get(line.scenario.upper(), library.scenarios[GENERIC])
    turns = replay(line.turns, scenario, appraiser, rules)
    grades = [grading.grade_turn(t, turns[: t.n - 1], library, scenario) for t in turns]
    start = mind.start(scenario, None, rules).mood
    report = grading.report(turns, scenario, library, start_mood=start, grades=grades)
    known = not line.scenario or line.scenario.upper() in library.scenarios
    notes = [] if known else [f"没有场景 {line.scenario}，按通用客户评分。"]
    return {"id": line.id, **summary(report, library), "turns": [_turn(t, g) for t, g in zip(turns, grades, strict=True)],
            "notes": notes}  # fmt: skip


def summary(report: Report, library: Library) -> dict[str, Any]:
    """The totals of a report."""
    return {
        "final": report.final,
        "grade": report.grade,
        "passed": report.passed,
        "dims": report.dims,
        "caps": grading.cap_codes(report, library),
        "fatal": report.fatal,
        "rubric_score": report.rubric_score,
        "satisfaction": report.satisfaction,
        "verdict": report.verdict,
    }


def replay(lines: list[Line], scenario: Scenario, appraiser: Appraiser, rules: MindRules) -> tuple[Turn, ...]:
    """Stored-style turns from a transcript. Raises `LearnerError` when the manager says nothing."""
    merged = _merged(lines)
    state: Mind = mind.start(scenario, None, rules)
    turns: list[Turn] = []
    for i, line in enumerate(merged):
        if line.role != "manager":
            continue
        before = merged[i - 1].text if i else ""
        after = merged[i + 1].text if i + 1 < len(merged) else ""
        context = Context(
            customer=before, history=tuple(merged[:i]), scenario=scenario, anger=state.values["A"],
            previous_codes=turns[-1].appraisal.codes if turns else (), told=state.told,
        )  # fmt: skip
        read = appraiser.appraise(line.text, context)
        broken = bool(state.promises and _CALLED_IN.search(before)) or None
        step = mind.step(
            state, read, scenario, rules, gathered=bool(_CROWD.search(before)) or None, promise_broken=broken
        )
        state = step.mind.model_copy(update={"ended": ""})
        turns.append(
            Turn(n=len(turns) + 1, customer=before, reply=line.text, appraisal=read, mind=step.mind,
                 changes=step.changes, act=step.act, answer=Utterance(text=after))
        )  # fmt: skip
    if not turns:
        raise LearnerError("这段对话里没有客户经理说的话（role 为 manager），没有可以评的内容。")
    return tuple(turns)


def _merged(lines: list[Line]) -> list[Line]:
    merged: list[Line] = []
    for line in lines:
        if merged and merged[-1].role == line.role:
            merged[-1] = Line(role=line.role, text=f"{merged[-1].text}\n{line.text}")
        else:
            merged.append(line)
    return merged


def _turn(turn: Turn, grade: TurnGrade) -> dict[str, Any]:
    read = labels(turn.appraisal)
    return {
        "turn": turn.n,
        "customer_act": turn.appraisal.customer_act,
        "codes": read["techniques"],
        **read,
        "dims": {k: d.model_dump() for k, d in grade.dims.items()},
        "reason_gate": grade.reason_gate,
        "next_hint": grade.coaching.point,
        "coaching": grade.coaching.model_dump(),
        "mood": round(turn.mind.mood, 1),
        "stage": turn.mind.stage,
    }
