"""Plays simulated learners through `Session`, with the database replaced by memory so that only the core is timed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from bot import grading
from bot.appraisal import Appraiser
from bot.parts import NothingFound, Parts
from bot.records import Report, Turn
from bot.session import Session
from bot.settings import load_settings
from bot.store import Memory, Store
from evals.learners import LEARNERS, View

MOST_TURNS = 15


@dataclass(frozen=True)
class Talk:
    """A finished talk of one learner with one customer."""

    scenario: str
    learner: str
    seed: int
    session: Session

    @property
    def turns(self) -> tuple[Turn, ...]:
        """Its turns."""
        return self.session.turns

    def report(self) -> Report:
        """Its report by rules."""
        s = self.session
        return grading.report(s.turns, s.snapshot.scenario, s.parts.library, start_mood=s.opening_mind.mood)


def open_parts(root: Path, *, semantic: bool = True) -> Parts:
    """Real parts without index and database. `semantic` False: the word rules alone read the replies."""
    settings = load_settings(
        content_dir=root, data_dir=root / "data", database_url="sqlite:///:memory:", _env_file=None
    )
    parts = Parts.open(settings)
    changes: dict[str, Any] = {
        "finder": NothingFound(""),
        "store": cast(Store, Memory()),
        "judge": None,
        "contents": None,
    }
    if not semantic:
        changes["appraiser"] = Appraiser(parts.library, use_network=False)
    return replace(parts, **changes)


def play(parts: Parts, scenario: str, learner: str, seed: int, *, persona: str = "", most: int = MOST_TURNS) -> Talk:
    """One whole talk."""
    fresh = replace(parts, store=cast(Store, Memory()))
    session = Session.start(fresh, scenario, persona_id=persona, seed=seed, confirmed=True)
    speak = LEARNERS[learner](seed)
    while not session.ended and len(session.turns) < most:
        reply = speak(View.of(session))
        if not reply:
            break
        session.say(reply)
        if learner == "good" and _closed(session):
            break
    return Talk(scenario, learner, seed, session)


def _closed(session: Session) -> bool:
    """A good learner stops after his own closing words, whether or not the customer says goodbye."""
    return any(t.code == "warm_close" for t in session.turns[-1].appraisal.techniques) and len(session.turns) > 6


def cases(parts: Parts) -> Iterator[str]:
    """Every case, the questions of a drill one by one."""
    for scenario in parts.library.scenarios.values():
        yield from (d.id for d in scenario.drills) if scenario.drills else (scenario.id,)
