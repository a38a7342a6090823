"""Simulated learners: what six kinds of people say, from nothing but what a learner sees on the page.

A learner is a function from a `View` to a reply; an empty reply ends the talk. The good one may also use the case's model answers and its policy
box, because a trainer could have taught him those; none of them ever sees the customer's mind or his hidden facts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from bot.records import Policy, Scenario
from bot.scenarios import read_yaml
from bot.session import Session

LINES = Path(__file__).with_suffix(".yaml")
HOT = re.compile(r"[！!]{1,}[？?]?$|？！|！？")
AGREES = re.compile(
    r"先(?:这样|这么|按|照|试)|就(?:这么|照|按|依)|那就|说定|听你的|照你说的|试试|^(?:……)?[行成好中](?:吧|。|……|，(?:那就|就|先|按|我先|我回|我明|这么))|回去想想|琢磨|认了|记下"
)
RISKY = re.compile(r"不想活|死了|活着(?:没|也没)|没脸(?:活|回)|撑不下去|解脱|没意思|不在了")
HIDDEN: dict[str, Any] = {
    "facts": {}, "fact_levels": {}, "need_business": "", "need_emotional": "", "init": {}, "traits": {},
    "triggers": (), "soothers": (), "success": (), "gates": (), "demand": "",
}  # fmt: skip
"""What is blanked before a learner looks at a case."""


@dataclass(frozen=True)
class View:
    """What a learner sees: the file, the opening, the policy box, and the talk so far."""

    scenario: Scenario
    policies: tuple[Policy, ...]
    replies: tuple[str, ...]
    answers: tuple[str, ...]

    @classmethod
    def of(cls, session: Session) -> View:
        """The view of a session as it stands."""
        library, s = session.parts.library, session.snapshot.scenario
        return cls(
            scenario=s.model_copy(update=HIDDEN),
            policies=tuple(library.policies[p] for p in s.offer),
            replies=tuple(t.reply for t in session.turns),
            answers=tuple(t.answer.text for t in session.turns),
        )

    @property
    def turn(self) -> int:
        """How many replies were given."""
        return len(self.replies)

    @property
    def last(self) -> str:
        """What the customer said last."""
        return self.answers[-1] if self.answers else self.scenario.opening


Learner = Callable[[View], str]


@lru_cache(maxsize=1)
def lines() -> dict[str, Any]:
    """The stock of sentences."""
    data: dict[str, Any] = read_yaml(LINES)
    return data


def good(seed: int) -> Learner:
    """Paces first, asks, guesses the need, offers what the bank can do, and closes."""
    return lambda view: _good(view, seed)


def _good(view: View, seed: int) -> str:
    s, stock = view.scenario, lines()
    if s.turns == 1:
        return s.exemplary
    if s.goal == "safe":
        return _safe(view, seed)
    if s.goal == "hold":
        said = [s.exemplary, *stock["agent"], s.exemplary_key, stock["agent_close"]]
        return str(said[min(view.turn, len(said) - 1)])
    own = stock["good"][s.id]
    if not view.turn:
        return s.exemplary
    if _said(view, own["plan"]) and AGREES.search(view.last) and not HOT.search(view.last):
        return _one("close", seed)
    steps = [
        own["feel"] + _one("listen", seed),
        own["want"] + _one("record", seed),
        own["motive"] + _one("ask", seed),
        _one("feel_again", seed) + _one("ask_more", seed),
        own["guess"],
        own["plan"],
        s.exemplary_key,
        _one("help", seed) + _one("bound", seed),
        own["motive"] + _one("why", seed),
        own["feel"] + own["guess"],
        _one("accept_it", seed) + own["plan"],
        _one("help", seed + 1) + own["want"],
        _one("bound", seed + 1) + s.exemplary_key,
    ]
    at = view.turn - 1
    return str(steps[at]) if at < len(steps) else _one("close", seed)


def _safe(view: View, seed: int) -> str:
    s, crisis = view.scenario, lines()["crisis"]
    said = [s.exemplary, *crisis, s.exemplary_key]
    if view.turn < len(said):
        return str(said[view.turn])
    return str(crisis[view.turn % len(crisis)]) if RISKY.search(view.last) else str(lines()["safe_close"])


def _said(view: View, text: str) -> bool:
    return any(text in reply for reply in view.replies)


def _one(kind: str, seed: int) -> str:
    found = lines()[kind]
    return str(found[seed % len(found)])


def middling(seed: int) -> Learner:
    """Polite and correct, but anybody's words: no details, an offer that might suit."""

    def reply(view: View) -> str:
        stock = lines()["middling_crisis" if view.scenario.goal == "safe" else "middling"]
        policy = view.policies[seed % len(view.policies)].name if view.policies else "相关的办法"
        return str(stock[view.turn]).replace("{policy}", policy) if view.turn < len(stock) else ""

    return reply


def stock(kind: str) -> Callable[[int], Learner]:
    """A learner who goes round a list of sentences, starting where the seed says."""

    def make(seed: int) -> Learner:
        def reply(view: View) -> str:
            said = lines()[kind]
            return str(said[(view.turn + seed) % len(said)])

        return reply

    return make


LEARNERS: dict[str, Callable[[int], Learner]] = {
    "good": good,
    "middling": middling,
    "bad": stock("bad"),
    "conceding": stock("concede"),
    "script": stock("script"),
    "attacker": stock("attack"),
}
