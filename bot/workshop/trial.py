"""A trial talk with a draft: the same `Session` as a learner's, with the mind in sight, and replayed after a change.

Trial talks are stored like any other (a reload loses nothing), under an owner of their own so that they count nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from bot.errors import LearnerError
from bot.model import Message
from bot.parts import Parts
from bot.prompts import fence
from bot.records import ContentKind, Cue, Record, Turn
from bot.scenarios import Library
from bot.session import Session
from bot.store import Memory, Store
from bot.voice.request import LEARNER, Request
from bot.workshop.desk import Workshop

OWNER = "trial:"
SEED = 7


class Trial:
    """One trainer's trial talk. Its session keeps the draft as it was when the talk began."""

    def __init__(self, desk: Workshop, session: Session) -> None:
        self.desk, self.session = desk, session

    @classmethod
    def start(
        cls, desk: Workshop, kind: ContentKind, body: Mapping[str, Any], *, scenario_id: str = "", persona_id: str = ""
    ) -> Trial:
        """Begin. A persona is tried in `scenario_id`. Raises `ContentError` for a draft that is not sound yet."""
        library = desk.overlaid(kind, body)
        case = str(body["id"]) if kind == "scenario" else scenario_id
        persona = persona_id if kind == "scenario" else str(body["id"])
        parts = _trying(desk.parts, library, case)
        session = Session.start(parts, case, persona_id=persona, seed=SEED, owner=owner(desk), confirmed=True)
        return cls(desk, session)

    @classmethod
    def resume(cls, desk: Workshop, session_id: str) -> Trial:
        """The trial talk as it stands. Raises `LearnerError` for somebody else's."""
        return cls(desk, Session.resume(desk.parts, session_id, owner(desk)))

    def say(self, reply: str) -> Turn:
        """One turn."""
        return self.session.say(reply)

    @property
    def replies(self) -> tuple[str, ...]:
        """What the trainer said so far."""
        return tuple(t.reply for t in self.session.turns)

    def prompt(self, n: int) -> tuple[Message, ...]:
        """What the model was sent for the customer's line of turn `n`; empty when no model spoke."""
        said = fence(LEARNER, self.session.turns[n - 1].reply)
        at = 2 * n + 1  # role, opening mark, then two lines a turn: where this turn's words stood while it was new
        calls = [c for c in self.session.parts.store.calls(self.session.id) if c.purpose == "voice"]
        own = [c for c in calls if len(c.messages) > at and c.messages[at].text.startswith(f"{said}\n\n")]
        return own[-1].messages if own else ()


def direction(session: Session, n: int) -> str:
    """The stage direction of the customer's line of turn `n`: what he does now, how hot, what he may say."""
    turn, snapshot = session.turns[n - 1], session.snapshot
    said = session.lines[: 2 * n - 1]
    before = session.turns[n - 2].mind.told if n > 1 else ()
    cue = Cue(
        scenario=snapshot.scenario, persona=snapshot.persona, act=turn.act,
        mind=turn.mind.model_copy(update={"told": before}), appraisal=turn.appraisal, reply=turn.reply, history=said,
        seed=snapshot.seed,
    )  # fmt: skip
    return Request(session.parts.settings.content_dir / "prompts").messages(cue)[-1].text.split("\n\n", 1)[-1]


class Beside(Record):
    """One reply and what the customer answered, before and after a change."""

    n: int
    reply: str
    before: str
    after: str
    mood_before: float | None = None
    mood_after: float | None = None

    @property
    def differs(self) -> bool:
        """Whether he says something else now."""
        return self.before != self.after


def replay(
    trial: Trial, kind: ContentKind, body: Mapping[str, Any], progress: Callable[[int, int], object] | None = None
) -> tuple[Beside, ...]:
    """The same replies said to the edited version, each answer beside the old one. Stores nothing."""
    old = trial.session
    if not old.turns:
        raise LearnerError("还没有说过话，没有可以重放的。先和客户聊几句。")
    library = trial.desk.overlaid(kind, body)
    persona = old.snapshot.persona.id if old.snapshot.persona else ""
    new = played(trial.desk.parts, library, old.snapshot.scenario.id, persona, trial.replies, progress)
    lines = new.turns
    found = []
    for i, turn in enumerate(old.turns):
        now = lines[i] if i < len(lines) else None
        found.append(
            Beside(n=turn.n, reply=turn.reply, before=turn.answer.text,
                   after=now.answer.text if now else "（谈话在这之前就结束了）",
                   mood_before=turn.mind.mood, mood_after=now.mind.mood if now else None)
        )  # fmt: skip
    return tuple(found)


def played(
    parts: Parts, library: Library, scenario: str, persona: str, replies: Sequence[str],
    progress: Callable[[int, int], object] | None = None,
) -> Session:  # fmt: skip
    """A talk of given replies with what a library holds, kept nowhere; it stops when the customer ends it."""
    fresh = replace(_trying(parts, library, scenario), store=cast(Store, Memory()))
    session = Session.start(fresh, scenario, persona_id=persona, seed=SEED, confirmed=True)
    for n, reply in enumerate(replies, 1):
        if session.ended:
            break
        session.say(reply)
        if progress:
            progress(n, len(replies))
    return session


def owner(desk: Workshop) -> str:
    """Under whose name a trainer's trial talks are stored."""
    return f"{OWNER}{desk.actor.id or desk.actor.name}"[:80]


def _trying(parts: Parts, library: Library, scenario: str) -> Parts:
    """Parts that see a library as it is; a trainer may try a case that is not opened to learners yet."""
    opened = f"{parts.settings.crisis_scenarios},{scenario}"
    settings = parts.settings.model_copy(update={"crisis_scenarios": opened})
    return replace(parts, library=library, contents=None, settings=settings)
