"""Compares what a case expects with what happened. Pure; every difference is a `Fault` with the reason beside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any

from bot import grading
from bot.records import Report, Turn, TurnGrade
from bot.scenarios import Library
from evals.observe import SETTLED
from evals.suite.case import CODES, Expect, Outcome, within
from evals.suite.play import Played, Step
from evals.suite.results import Fault

_YES = {True: "是", False: "否"}
SLACK = 0.05  # a movement smaller than this is none


def expectations(played: Played, report: Report | None, library: Library) -> list[Fault]:
    """Everything the case expects of its replies and of the talk as a whole that is not so."""
    grades = {g.n: g for g in report.turns} if report else {}
    found = [f for step in played.steps for f in _reply(step, played, grades, library)]
    if report:
        found += _whole(played.case.expect, played, report, library)
    if played.differs:
        what = "resume" if played.case.resume else "rewind"
        found.append(_fault(what, 0, "断开重来（或退回）后与原来一样", played.differs))
    return found


def _fault(check: str, turn: int, wanted: str, got: str, why: str = "") -> Fault:
    return Fault(kind="expectation", check=check, turn=turn, wanted=wanted, found=got, why=why)


def _reply(step: Step, played: Played, grades: dict[int, TurnGrade], library: Library) -> Iterator[Fault]:
    expect, turn = step.reply.expect, step.turn
    if expect.refused:
        if turn or expect.refused not in step.refused:
            yield _fault("refused", 0, f"不接受，并提示“{expect.refused}”", step.refused or "接受了")
        return
    if turn is None:
        yield _fault("accepted", 0, "这句话被接受", step.refused, step.reply.text[:30])
        return
    for check in _CHECKS:
        yield from check(expect, turn, played, grades, library)


def _labels(e: Expect, t: Turn, p: Played, g: dict[int, TurnGrade], library: Library) -> Iterator[Fault]:
    yield from _codes(t.n, e.shows, e.clean_of, t.appraisal.codes, library)
    if e.shows_one and not any(_is(code, t.appraisal.codes, library) for code in e.shows_one):
        yield _fault("shows_one", t.n, "或".join(e.shows_one), _list(t.appraisal.codes))


def _codes(
    n: int, shows: Iterable[str], clean: Iterable[str], codes: Sequence[str], library: Library
) -> Iterator[Fault]:
    for code in shows:
        if not _is(code, codes, library):
            yield _fault(f"shows:{code}", n, f"识别出 {_name(code, library)}", _list(codes))
    for code in clean:
        bad = _is(code, codes, library)
        if bad:
            yield _fault(f"clean_of:{code}", n, f"没有 {_name(code, library)}", _list(bad))


def _is(code: str, codes: Iterable[str], library: Library) -> list[str]:
    groups: dict[str, Collection[str]] = {"anti": library.taxonomy.antis, "violation": library.taxonomy.violations}
    return [c for c in codes if c == code or c in groups.get(code, ())]


def _name(code: str, library: Library) -> str:
    return {"anti": "反模式", "violation": "违规"}.get(code) or f"{library.taxonomy.name(code)}（{code}）"


def _list(values: Iterable[str]) -> str:
    return "、".join(values) or "没有"


def _value(turn: Turn, code: str) -> float:
    return {"R": turn.mind.reason, "M": turn.mind.mood}.get(code, turn.mind.values.get(code, 0.0))


def _states(e: Expect, t: Turn, p: Played, g: dict[int, TurnGrade], library: Library) -> Iterator[Fault]:
    for name, condition in e.state.items():
        value = _value(t, CODES[name])
        if not within(value, condition):
            yield _fault(f"state:{name}", t.n, f"{name} {condition}", f"{value:.1f}", causes(t, CODES[name]))
    before = p.talk.turns[t.n - 2].mind if t.n > 1 else p.talk.session.opening_mind
    for name, move in e.moves.items():
        code = CODES[name]
        was = {"R": before.reason, "M": before.mood}.get(code, before.values.get(code, 0.0))
        delta = _value(t, code) - was
        ok = {"升": delta > SLACK, "降": delta < -SLACK, "不升": delta <= SLACK, "不降": delta >= -SLACK}[move]
        if not ok:
            yield _fault(f"moves:{name}", t.n, f"{name}{move}", f"{delta:+.1f}", causes(t, code))
    for name, codes in e.because.items():
        mine = {c.cause for c in t.changes if c.variable == CODES[name]}
        if not mine & set(codes):
            yield _fault(f"because:{name}", t.n, f"{name}因 {'或'.join(codes)} 而变", _list(sorted(mine)))


def causes(turn: Turn, variable: str) -> str:
    """What moved a variable in a turn, strongest first."""
    mine = sorted((c for c in turn.changes if c.variable == variable), key=lambda c: -abs(c.delta))
    return "，".join(f"{c.cause} {c.delta:+.1f}" for c in mine[:4])


def _customer(e: Expect, t: Turn, p: Played, g: dict[int, TurnGrade], library: Library) -> Iterator[Fault]:
    behaviour, told, said = t.act.behaviour, t.mind.told, t.answer.text
    if e.act and behaviour not in e.act:
        yield _fault("act", t.n, "或".join(e.act), behaviour, f"允许的行为：{_list(t.act.allowed)}")
    if behaviour in e.not_act:
        yield _fault("not_act", t.n, f"不是 {behaviour}", behaviour, f"允许的行为：{_list(t.act.allowed)}")
    yield from _facts(t.n, e.tells, e.keeps, told)
    if e.says and not re.search(e.says, said):
        yield _fault("says", t.n, e.says, said)
    if e.says_not and re.search(e.says_not, said):
        yield _fault("says_not", t.n, f"不含 {e.says_not}", said)
    if e.notice and not any(e.notice in n for n in t.answer.notices):
        yield _fault("notice", t.n, e.notice, _list(t.answer.notices))


def _facts(n: int, tells: Iterable[str], keeps: Iterable[str], told: Sequence[str]) -> Iterator[Fault]:
    for key in tells:
        if key not in told:
            yield _fault(f"tells:{key}", n, f"已经说出 {key}", _list(told))
    for key in keeps:
        if key in told:
            yield _fault(f"keeps:{key}", n, f"还没说出 {key}", _list(told))


def _feedback(e: Expect, t: Turn, p: Played, g: dict[int, TurnGrade], library: Library) -> Iterator[Fault]:
    if e.cites:
        lines = [v.redline for v in t.appraisal.violations]
        docs = {c.doc for v in t.appraisal.violations for c in v.citations} | {
            c.ref for v in t.appraisal.violations for c in v.citations
        }
        if not set(e.cites) & ({*lines} | docs):
            yield _fault("cites", t.n, "或".join(e.cites), _list(sorted(x for x in {*lines, *docs} if x)))
    verdicts = {v.id: v.passed for v in g[t.n].verdicts} if t.n in g else {}
    for wanted, names in ((False, e.fails), (True, e.passes)):
        for name in names:
            if verdicts.get(name) is not wanted:
                word = {True: "做到", False: "没做到", None: "没有判"}
                yield _fault(f"verdict:{name}", t.n, word[wanted], word[verdicts.get(name)])


Check = Callable[[Expect, Turn, Played, dict[int, TurnGrade], Library], Iterator[Fault]]
_CHECKS: tuple[Check, ...] = (_labels, _states, _customer, _feedback)


def _whole(o: Outcome, played: Played, report: Report, library: Library) -> Iterator[Fault]:
    turns = played.talk.turns
    last = turns[-1]
    caps = outcome(played, report, library)["caps"]
    numbers = {
        "final": (o.final, report.final),
        "satisfaction": (o.satisfaction, report.satisfaction),
        "turns": (o.turns, len(turns)),
    }
    for name, (condition, value) in numbers.items():
        if condition and not within(float(value), condition):
            yield _fault(name, 0, condition, f"{value:g}", f"封顶 {_list(caps)}；{report.verdict}")
    if o.grade and report.grade not in o.grade:
        yield _fault("grade", 0, "或".join(o.grade), f"{report.grade}（{report.final:g}）", report.verdict)
    for name, wanted, value in (("passed", o.passed, report.passed), ("fatal", o.fatal, report.fatal)):
        if wanted is not None and wanted != value:
            yield _fault(name, 0, _YES[wanted], _YES[value], report.verdict)
    for cap in o.caps:
        if cap not in caps:
            yield _fault(f"caps:{cap}", 0, f"触发 {cap} 封顶", _list(caps))
    if o.no_caps and caps:
        yield _fault("no_caps", 0, "没有封顶", _list(caps))
    steps = {g.id: g for g in report.gates}
    for gate, wanted in o.gates.items():
        if steps[gate].passed != wanted:
            yield _fault(f"gates:{gate}", 0, "通过" if wanted else "不通过", "通过" if steps[gate].passed else "不通过",
                         "；".join(steps[gate].missing))  # fmt: skip
    for dim, condition in o.dims.items():
        score = report.dims.get(dim)
        if score is None or not within(score, condition):
            yield _fault(f"dims:{dim}", 0, condition, "没有这一维" if score is None else f"{score:.2f}")
    ended = last.mind.ended or "open"
    if o.ended and ended not in o.ended:
        yield _fault("ended", 0, "或".join(o.ended), ended)
    if o.settled is not None and (last.mind.settled in SETTLED) != o.settled:
        yield _fault("settled", 0, "接受" if o.settled else "没有接受", last.mind.settled or "没有接受")
    yield from _facts(0, o.tells, o.keeps, last.mind.told)
    yield from _codes(0, o.shows, o.clean_of, [c for t in turns for c in t.appraisal.codes], library)
    for name, condition in o.state.items():
        value = _value(last, CODES[name])
        if not within(value, condition):
            yield _fault(f"state:{name}", 0, f"{name} {condition}", f"{value:.1f}", causes(last, CODES[name]))


def outcome(played: Played, report: Report, library: Library) -> dict[str, Any]:
    """The talk as a whole, in the shape that is stored and compared."""
    last = played.talk.turns[-1].mind
    return {
        "final": report.final, "grade": report.grade, "passed": report.passed, "satisfaction": report.satisfaction,
        "fatal": report.fatal, "caps": sorted(grading.cap_codes(report, library)), "ended": last.ended or "open",
        "settled": last.settled, "told": list(last.told), "gates": {g.id: g.passed for g in report.gates},
        "dims": {k: round(v, 2) for k, v in report.dims.items() if v is not None},
    }  # fmt: skip
