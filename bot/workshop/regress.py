"""What a change does, before anybody meets it: simulated learners play the old version and the new one.

Six kinds of learners play both with the same seeds and the built-in lines; what each brings about is set side by
side. A customer who can no longer be won by good work, or can be by bad, or who steps out of his role more often than
before, is a regression: it may still be published, with a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from bot import cases
from bot.appraisal import Appraiser
from bot.errors import LearnerError, SetupError
from bot.parts import NothingFound, Parts
from bot.records import ContentKind, Record
from bot.scenarios import Library
from bot.voice import ScriptedVoice
from bot.workshop.desk import Workshop

if TYPE_CHECKING:
    from evals.observe import Outcome
    from evals.simulate import Talk

Progress = Callable[[int, int, str], object]
LEARNER_NAMES = {
    "good": "做得好的学员", "middling": "中规中矩的学员", "bad": "做得差的学员", "conceding": "乱许诺的学员",
    "script": "背套话的学员", "attacker": "糊弄机器的学员",
}  # fmt: skip
SEEDS = (0, 1)
CASES_OF_A_PERSONA, SHOWN_LINES = 3, 6
UNDESERVING = ("bad", "conceding", "script", "attacker")
FELT = 8.0
"""How many points satisfaction must move before it is worth a word."""


class Result(Record):
    """What one kind of learner brings about, averaged over his talks."""

    talks: int
    success: float
    accepted: float
    passed: float
    turns: float
    settled_at: float
    satisfaction: float
    final: float
    breaks: int


class LineChange(Record):
    """A reply and the customer's answer to it, old and new."""

    case: str
    n: int
    reply: str
    before: str
    after: str


class Comparison(Record):
    """One kind of learner: old beside new. `worse` are the reasons to think twice, `notes` what else moved."""

    learner: str
    name: str
    old: Result | None
    new: Result
    worse: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    lines: tuple[LineChange, ...] = ()


class Regression(Record):
    """The whole comparison, of exactly one body (`of`, its hash)."""

    of: str
    cases: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    against: str

    @property
    def worse(self) -> tuple[str, ...]:
        """Everything that got worse, in words."""
        return tuple(f"{c.name}：{reason}" for c in self.comparisons for reason in c.worse)


def run(
    desk: Workshop, kind: ContentKind, body: Mapping[str, Any], progress: Progress | None = None, *,
    semantic: bool = True, seeds: Sequence[int] = SEEDS, learners: Iterable[str] = tuple(LEARNER_NAMES),
) -> Regression:  # fmt: skip
    """Play the body and what is in use now. Raises `ContentError` for a body that is not sound.

    `semantic` False lets the word rules alone read the replies: faster, less exact.
    """
    new = desk.overlaid(kind, body)
    old, content_id = desk.library, str(body["id"])
    known = content_id in (old.scenarios if kind == "scenario" else old.personas)
    origin = str(body.get("lines") or "")
    jobs = _jobs(kind, content_id, new)
    against = "现在在用的版本" if known else f"它的原型 {origin}" if origin in old.scenarios else ""
    base = [(c if known else c.replace(content_id, origin), p) for c, p in jobs] if against else []
    sides = [(new, jobs), (old, base)] if base else [(new, jobs)]
    parts = _quick(desk.parts, semantic, [c for _, played in sides for c, _ in played])
    chosen = list(learners)
    total = sum(len(played) for _, played in sides) * len(chosen) * len(seeds)
    done, comparisons = 0, []
    for who in chosen:
        talks: list[list[Talk]] = []
        for library, played in sides:
            talks.append([])
            for case, persona in played:
                for seed in seeds:
                    if progress:
                        progress(done, total, f"{LEARNER_NAMES[who]}在谈 {case}")
                    talks[-1].append(_play(replace(parts, library=library), case, who, seed, persona))
                    done += 1
        comparisons.append(_compared(who, talks[0], talks[1] if len(talks) > 1 else []))
    if progress:
        progress(total, total, "完成")
    return Regression(of=desk.fingerprint(body), cases=tuple(c for c, _ in jobs), comparisons=tuple(comparisons),
                      against=against)  # fmt: skip


def _jobs(kind: ContentKind, content_id: str, library: Library) -> list[tuple[str, str]]:
    """Which cases are played with which persona."""
    if kind == "scenario":
        scenario = library.scenarios[content_id]
        return [(d.id, "") for d in scenario.drills] or [(content_id, "")]
    persona = library.personas[content_id]
    fitting = [s for s in library.scenarios.values() if s.goal == "accept" and not cases.unsuitable(s, persona)]
    if not fitting:
        fitting = [s for s in library.scenarios.values() if not cases.unsuitable(s, persona)]
    if not fitting:
        raise LearnerError("没有一个场景能用这个人设，跑不了回归。请放宽“适合的场景”。")
    step = max(1, len(fitting) // CASES_OF_A_PERSONA)
    return [(s.id, content_id) for s in fitting[::step][:CASES_OF_A_PERSONA]]


def _quick(parts: Parts, semantic: bool, opened: Sequence[str]) -> Parts:
    settings = parts.settings.model_copy(update={"crisis_scenarios": ",".join(c.split("-")[0] for c in opened)})
    return replace(
        parts, settings=settings, finder=NothingFound(""), judge=None, contents=None,
        voice=ScriptedVoice(parts.settings.content_dir / "prompts" / "lines"),
        appraiser=parts.appraiser if semantic else Appraiser(parts.library, use_network=False),
    )  # fmt: skip


def _play(parts: Parts, case: str, who: str, seed: int, persona: str) -> Talk:
    try:
        from evals.simulate import play
    except ImportError:
        raise SetupError("这次安装里没有模拟学员（evals），跑不了回归。请重新安装完整的化诉。") from None
    return play(parts, case, who, seed, persona=persona)


def _compared(who: str, new: Sequence[Talk], old: Sequence[Talk]) -> Comparison:
    before, after = _result(old) if old else None, _result(new)
    worse = _worse(who, before, after)
    return Comparison(
        learner=who, name=LEARNER_NAMES[who], old=before, new=after, worse=worse,
        notes=() if before is None else _notes(before, after), lines=tuple(_changes(new, old))[:SHOWN_LINES],
    )  # fmt: skip


def _result(talks: Sequence[Talk]) -> Result:
    from evals.observe import observe

    seen: list[Outcome] = [observe(t) for t in talks]
    n = len(seen)
    settled = [o.settled_at for o in seen if o.settled_at]
    return Result(
        talks=n, success=sum(o.success for o in seen) / n, accepted=sum(o.accepted for o in seen) / n,
        passed=sum(o.passed for o in seen) / n, turns=sum(o.turns for o in seen) / n,
        settled_at=sum(settled) / len(settled) if settled else 0.0,
        satisfaction=sum(o.satisfaction for o in seen) / n, final=sum(o.final for o in seen) / n,
        breaks=sum(o.unearned + o.out_of_role + o.repeated + o.early_facts for o in seen),
    )  # fmt: skip


def _worse(who: str, old: Result | None, new: Result) -> tuple[str, ...]:
    found = []
    if who == "good":
        if old and new.success < old.success:
            found.append(f"谈成从 {old.success:.0%} 降到 {new.success:.0%}")
        if not old and new.success < 1:
            found.append(f"只谈成 {new.success:.0%}，好好谈也谈不成的客户会让学员泄气")
        if old and old.settled_at and new.settled_at and new.settled_at - old.settled_at >= 3:
            found.append(f"要多谈 {new.settled_at - old.settled_at:.0f} 轮才松口")
    if who in UNDESERVING:
        limit = old or Result(talks=0, success=0, accepted=0, passed=0, turns=0, settled_at=0, satisfaction=0, final=0,
                              breaks=0)  # fmt: skip
        if new.accepted > limit.accepted:
            found.append(f"也能让客户接受了（{limit.accepted:.0%} → {new.accepted:.0%}），客户太好说话")
        if new.passed > limit.passed:
            found.append(f"也能及格了（{limit.passed:.0%} → {new.passed:.0%}）")
    if new.breaks > (old.breaks if old else 0):
        found.append(f"客户出戏、重复、没来由松口或说漏的轮次 {old.breaks if old else 0} → {new.breaks}")
    return tuple(found)


def _notes(old: Result, new: Result) -> tuple[str, ...]:
    found = []
    moved = new.satisfaction - old.satisfaction
    if abs(moved) >= FELT:
        found.append(f"客户满意度{'高' if moved > 0 else '低'}了 {abs(moved):.0f}")
    if old.settled_at and new.settled_at and 1 <= abs(new.settled_at - old.settled_at) < 3:
        later = new.settled_at > old.settled_at
        found.append(f"{'多' if later else '少'}谈 {abs(new.settled_at - old.settled_at):.0f} 轮")
    if abs(new.final - old.final) >= FELT:
        found.append(f"总分{'高' if new.final > old.final else '低'}了 {abs(new.final - old.final):.0f}")
    return tuple(found)


def _changes(new: Sequence[Talk], old: Sequence[Talk]) -> Iterable[LineChange]:
    """The customer's lines that differ, reply by reply, of the first seed."""
    for a, b in zip(new, old, strict=False):
        opening = (a.session.snapshot.scenario.opening, b.session.snapshot.scenario.opening)
        if opening[0] != opening[1]:
            yield LineChange(case=a.scenario, n=0, reply="（开场）", before=opening[1], after=opening[0])
        for now, then in zip_longest(a.turns, b.turns):
            before, after = then.answer.text if then else "（已经谈完）", now.answer.text if now else "（已经谈完）"
            if before != after:
                reply = now.reply if now else then.reply if then else ""
                n = now.n if now else then.n if then else 0
                yield LineChange(case=a.scenario, n=n, reply=reply, before=before, after=after)
