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
    own = stock["good"].get(s.lines or s.id) or _own(view)
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


def _own(view: View) -> dict[str, str]:
    """The five sentences of a case nobody wrote them for, from the file, the opening and the policy box."""
    s, p = view.scenario, view.scenario.profile
    complaint = max(re.split(r"[，。！？!?；…]+", s.opening), key=len)[:24]
    names = [policy.name for policy in view.policies] or ["登记上报", "请负责人接待"]
    ways = f"一条是申请{names[0]}" + (
        f"，一条是申请{names[1]}" if len(names) > 1 else "，一条是先登记、三个工作日内书面回您"
    )
    file = f"{p.job}，{p.product}" + (f"逾期 {p.overdue_days} 天" if p.overdue_days else "一直按时还")
    return {
        "feel": f"您说的“{complaint}”我记下了，{file}，一天天扛到今天，换谁心里都又急又委屈。",
        "want": "您要的其实不光是嘴上这一条，是有人把这件事接住、给您一个准话，对吗？",
        "motive": "您今天肯把话跟我说开，没有躲，说明您心里是想把这件事正正当当处理好的。",
        "guess": "我猜您最怕的不是眼前这一点钱，是怕没人当回事，往后的日子没个着落，是不是？",
        "plan": f"您开口要的那一条我给不了，跟您说实话。可您真正要的是心里有底，咱们有两条路：{ways}，都要审批，"
        "我陪您报，十个工作日内给您回话。您更想先走哪条？",
    }


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
