"""Plays one case through `Session`: fixed replies or a simulated learner, whole, resumed at every turn, or rewound."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from bot.errors import LearnerError
from bot.parts import Parts
from bot.records import Turn
from bot.session import Session
from bot.store import Memory, Store
from evals.learners import LEARNERS, View
from evals.simulate import Talk
from evals.suite.case import CODES, Case, Expect, Reply

FIXED = "2026-01-01T00:00:00+00:00"


@dataclass(frozen=True)
class Step:
    """A reply with what it must lead to, and what came of it: a turn, or the words it was refused with."""

    reply: Reply
    turn: Turn | None
    refused: str = ""


@dataclass
class Played:
    """A finished case."""

    case: Case
    talk: Talk
    steps: list[Step] = field(default_factory=list)
    differs: str = ""
    """What came out differently when the talk was resumed or rewound; empty when nothing did."""


def parts_for(parts: Parts, case: Case) -> Parts:
    """Parts with a memory of their own, and the case's opening state laid over its scenario."""
    counter = itertools.count(1)
    fresh = replace(
        parts, store=cast(Store, Memory()), clock=lambda: FIXED, make_id=lambda: f"{case.id}-{next(counter)}",
        make_seed=lambda: case.seed,
    )  # fmt: skip
    if not case.state:
        return fresh
    scenario = parts.library.scenario(case.scenario)
    init = {**scenario.init, **{CODES[name]: value for name, value in case.state.items()}}
    library = copy.copy(parts.library)
    library.scenarios = {**library.scenarios, scenario.id: scenario.model_copy(update={"init": init})}
    return replace(fresh, library=library)


def play(parts: Parts, case: Case) -> Played:
    """The whole case."""
    own = parts_for(parts, case)
    session = _start(own, case)
    if case.learner:
        _simulate(session, case)
        return Played(case, Talk(session.snapshot.scenario.id, case.learner, case.seed, session))
    steps = _said(session, case.say, given=case.given)
    played = Played(case, Talk(session.snapshot.scenario.id, "", case.seed, session), steps)
    if case.resume:
        played.differs = _different(session.turns, _resumed(parts_for(parts, case), case))
    if case.rewind:
        back = _start(parts_for(parts, case), case)
        _said(back, case.say[: case.rewind], given=case.given)
        played.differs = _different(session.turns[: len(back.turns)], back.turns)
        played.steps = [*steps[: case.rewind], *_said(back, case.instead)]
        played.talk = Talk(back.snapshot.scenario.id, "", case.seed, back)
    return played


def lines(parts: Parts, case: Case, replies: Sequence[str]) -> Talk:
    """The same case with other replies."""
    session = _start(parts_for(parts, case), case)
    _said(session, [Reply(text=r) for r in replies], given=case.given)
    return Talk(session.snapshot.scenario.id, "", case.seed, session)


def _start(parts: Parts, case: Case) -> Session:
    return Session.start(parts, case.scenario, persona_id=case.persona, seed=case.seed, confirmed=True)


def _simulate(session: Session, case: Case) -> None:
    speak = LEARNERS[case.learner](case.seed)
    while not session.ended and len(session.turns) < case.most:
        reply = speak(View.of(session))
        if not reply:
            return
        session.say(reply)
        read = session.turns[-1].appraisal.techniques
        if case.learner == "good" and len(session.turns) > 6 and any(t.code == "warm_close" for t in read):
            return  # he stops after his own closing words, whether or not the customer says goodbye


def _said(session: Session, replies: Sequence[Reply], given: Sequence[str] = ()) -> list[Step]:
    for text in given:
        session.say(text)
    return [_one(session.say, reply) for reply in replies]


def _one(say: Callable[[str], Turn], reply: Reply) -> Step:
    try:
        return Step(reply, say(reply.text))
    except LearnerError as error:
        return Step(reply, None, str(error))


def _resumed(parts: Parts, case: Case) -> tuple[Turn, ...]:
    session = _start(parts, case)
    for text in (*case.given, *(r.text for r in case.say)):
        session = Session.resume(parts, session.id)
        _one(session.say, Reply(text=text, expect=Expect()))
    return Session.resume(parts, session.id).turns


def _different(first: Sequence[Turn], second: Sequence[Turn]) -> str:
    if len(first) != len(second):
        return f"轮数 {len(first)} 与 {len(second)}"
    for one, other in zip(first, second, strict=True):
        if one != other:
            keys: list[Any] = [k for k in type(one).model_fields if getattr(one, k) != getattr(other, k)]
            return f"第 {one.n} 轮的 {'、'.join(keys)} 不同"
    return ""
