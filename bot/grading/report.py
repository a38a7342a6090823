"""The report of a talk: totals, gates, moments, what to work on, and a verdict. Pure; same turns, same numbers."""

from __future__ import annotations

from collections.abc import Sequence

from bot.errors import LearnerError
from bot.grading import peakend
from bot.grading.adjust import Talk
from bot.grading.compose import Total, compose
from bot.grading.feedback import grade_scene
from bot.grading.focus import focus
from bot.grading.gate_run import gate_run, rolled_back
from bot.grading.gates import gates
from bot.grading.scene import scenes
from bot.grading.sides import slips
from bot.records import DIMENSIONS, SLOTS, GateRun, GateStep, Report, Scenario, Turn, TurnGrade
from bot.scenarios import Library

GATED = "gate_full"  # only the five-step case must pass all five gates; elsewhere they are shown, not required
KNOWABLE = (*SLOTS, "need_business", "need_emotional")


def report(
    turns: Sequence[Turn], scenario: Scenario, library: Library, *, hints: int = 0, start_mood: float | None = None,
    complete: bool = True, grades: Sequence[TurnGrade] | None = None, gated: bool = False,
) -> Report:  # fmt: skip
    """The graded talk, `gated` when it was a run through the five gates. Feedback already given is taken from `grades` (a model's verdicts kept), the rest computed.

    `complete` False grades a talk that was broken off: no ending is demanded, nothing is taken for never shown, and
    it does not pass. Raises `LearnerError` when there is no turn to grade.
    """
    if not turns:
        raise LearnerError("还没有对话，没有可以评的内容。先回客户一句，再看报告。")
    talk = Talk(scenes(turns, library, scenario), library, hints, complete)
    given = {g.n: g for g in grades or ()}
    marks = tuple(given.get(s.turn.n) or grade_scene(s) for s in talk.scenes)
    start = peakend.start_mood(turns, scenario, library) if start_mood is None else start_mood
    memory = peakend.remember(turns, start, library)
    run = gate_run(turns, scenario, library) if gated else None
    fell = rolled_back(run, library) if run else ()
    total = compose(talk, scenario, marks, memory.satisfaction, fell)
    told = turns[-1].mind.told
    made = _judged(talk, scenario, total, memory, run)
    return made.model_copy(
        update={
            "turns": marks,
            "start_mood": round(start, 2),
            "moods": tuple(round(t.mind.mood, 2) for t in turns),
            "moments": peakend.moments(talk.scenes, start, memory, library),
            "peak": round(memory.peak, 1),
            "end": round(memory.end, 1),
            "remembered": peakend.explained(talk.scenes, start, memory, library),
            "slips": slips(talk),
            "focus": focus(talk, scenario, marks, total.dims),
            "found": tuple(k for k in KNOWABLE if k in told),
            "hidden": tuple(k for k in KNOWABLE if k not in told),
        }
    )


def _judged(talk: Talk, scenario: Scenario, total: Total, memory: peakend.Memory, run: GateRun | None) -> Report:
    steps = run.steps if run else gates(talk, scenario)
    required = steps if run or scenario.type == GATED else ()
    passed = _passes(talk, total, required)
    return Report(
        scenario=scenario.id,
        final=total.final,
        grade=total.letter,
        passed=passed,
        verdict=_verdict(talk, passed, total, required),
        rubric_score=total.rubric_score,
        satisfaction=memory.satisfaction,
        satisfaction_band=memory.band,
        dims=total.dims,
        caps=total.caps,
        penalties=total.penalties,
        bonuses=total.bonuses,
        fatal=_fatal(talk),
        gates=steps,
    )


def _fatal(talk: Talk) -> bool:
    return any(h.level == "fatal" for _, h in talk.harms()) or any(s.missed_crisis for s in talk.scenes)


def _passes(talk: Talk, total: Total, steps: Sequence[GateStep]) -> bool:
    rule = talk.library.rubric["pass_gate"]["overall_rule"]
    good = total.final >= rule["final"] and (total.dims["compliance"] or 0.0) >= rule["compliance"]
    return talk.complete and good and all(g.passed for g in steps) and not _fatal(talk)


def _verdict(talk: Talk, passed: bool, total: Total, steps: Sequence[GateStep]) -> str:
    final, compliance = total.final, total.dims["compliance"] or 0.0
    if passed:
        return f"通过：{final:g} 分，{'五步全过，' if steps else ''}没有碰红线。"
    if total.caps:
        first = total.caps[0]
        return f"未通过：第 {first.turn} 轮“{first.evidence}”属于{first.name}，总分封顶 {first.points:g} 分。"
    if not talk.complete:
        return f"未通过：这场对话没有谈完，目前 {final:g} 分；把话谈到收尾再评。"
    rule, stuck = talk.library.rubric["pass_gate"]["overall_rule"], [g for g in steps if not g.passed]
    why = f"：{stuck[0].missing[0]}" if stuck and stuck[0].missing else ""
    gate = f"；五步卡在「{stuck[0].name}」{why}" if stuck else ""
    if final < rule["final"]:
        return f"未通过：{final:g} 分，不到 {rule['final']} 分，最弱的是「{_weakest(total, talk.library)}」{gate}。"
    if compliance < rule["compliance"]:
        return f"未通过：总分 {final:g}，但合规只有 {compliance:g} 分，不到 {rule['compliance']} 分{gate}。"
    return f"未通过：{final:g} 分够了{gate}。"


def _weakest(total: Total, library: Library) -> str:
    scored = [(score, DIMENSIONS.index(code), code) for code, score in total.dims.items() if score is not None]
    code = min(scored)[2]
    return str(next(d["name_zh"] for d in library.rubric["dimensions"] if d["code"] == code)).split("（")[0]


def cap_codes(result: Report, library: Library) -> dict[str, float]:
    """The caps of a report by their code in the rubric (fatal, serious, …), for programs."""
    codes = {rule["name"]: code for code, rule in library.rubric["session_composition"]["red_line_caps"].items()}
    return {codes[c.name]: c.points for c in result.caps}
