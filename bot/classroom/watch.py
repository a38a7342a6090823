"""观摩: somebody else's talk, to be read and never written to."""

from __future__ import annotations

from dataclasses import dataclass

from bot.errors import LearnerError
from bot.parts import Parts
from bot.people import require
from bot.records import Actor, Mind, Report, Snapshot, Turn
from bot.session import Session

NOT_FOUND = "没有找到这场演练，或者它不是您班里学员的。请从“班级”里选一场。"


@dataclass(frozen=True)
class Watched:
    """A talk as its trainer sees it: what was said so far, and the report when there is one."""

    id: str
    owner: str
    name: str
    snapshot: Snapshot
    turns: tuple[Turn, ...]
    opening: Mind
    ended: str
    report: Report | None


def watch(parts: Parts, actor: Actor, session_id: str, *, note: bool = True) -> Watched:
    """A talk of one of his learners. Put on record unless it is only looked at again (`note` False)."""
    owner = allowed(parts, actor, session_id)
    session = Session.resume(parts, session_id, owner)
    user = parts.users.get(owner)
    if note and owner != actor.id:
        parts.audit.note(actor, parts.clock(), "观摩", user.name if user else owner, session_id)
    return Watched(
        session_id, owner, user.name if user else "本机", session.snapshot, session.turns, session.opening_mind,
        session.ended, parts.store.report(session_id, owner),
    )  # fmt: skip


def allowed(parts: Parts, actor: Actor, session_id: str) -> str:
    """Whose talk it is, for a trainer of that person. A talk of anybody else reads as missing (`LearnerError`)."""
    require(actor, "trainer")
    owner = parts.reviews.owner(session_id)
    if not owner or not (actor.may("admin") or parts.groups.teaches(actor.id, owner)):
        raise LearnerError(NOT_FOUND)
    return owner
