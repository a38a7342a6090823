"""Two ways of saying it, side by side: the talk as it was and the talk taken up again from one of its turns."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from bot import words
from bot.errors import LearnerError
from bot.records import Entry, Report, Taxonomy, Turn
from bot.session import Session


@dataclass(frozen=True)
class Side:
    """One of the two talks: its reply at the fork (None while it is not said yet) and its report once it has one."""

    entry: Entry
    turn: Turn | None
    moods: tuple[float, ...]
    report: Report | None


@dataclass(frozen=True)
class Fork:
    """Where two talks part, and what came of it."""

    n: int
    customer: str
    start: float
    before: Side
    again: Side
    differs: tuple[str, ...]


def forks(session: Session) -> tuple[Fork, ...]:
    """The forks this talk takes part in: with the one it came from, then with those taken up from it."""
    entry, found = session.entry, []
    if entry.parent:
        with suppress(LearnerError):  # where the original was removed, this one stands for itself
            found.append(_fork(Session.resume(session.parts, entry.parent, session.owner), session))
    for later in session.parts.store.taken_up(session.id, session.owner):
        found.append(_fork(session, Session.resume(session.parts, later.id, session.owner)))
    return tuple(found)


def _fork(before: Session, again: Session) -> Fork:
    n = again.entry.parent_turn
    one, two = _side(before, n), _side(again, n)
    customer = one.turn.customer if one.turn else again.customer_line
    tax = before.parts.library.taxonomy
    return Fork(n, customer, before.opening_mind.mood, one, two, _differs(one, two, tax))


def _side(session: Session, n: int) -> Side:
    return Side(
        entry=session.entry,
        turn=session.turns[n - 1] if len(session.turns) >= n else None,
        moods=tuple(t.mind.mood for t in session.turns),
        report=session.parts.store.report(session.id, session.owner),
    )


def _differs(one: Side, two: Side, tax: Taxonomy) -> tuple[str, ...]:
    if one.turn is None or two.turn is None:
        return ()
    found = []
    old, new = _codes(one.turn, tax), _codes(two.turn, tax)
    for label, codes in (("多了", new - old), ("少了", old - new)):
        if codes:
            found.append(f"重说{label}：{'、'.join(f'「{name}」' for name in sorted(codes))}")
    was, now = one.turn.mind.values, two.turn.mind.values
    found.append(f"说完这句，原来他{words.state(was)}；这回他{words.state(now)}")
    told = set(two.turn.mind.told) - set(one.turn.mind.told)
    if told:
        found.append(f"他多说出了 {len(told)} 件事")
    if one.report and two.report:
        found.append(f"总分 {one.report.final:g} → {two.report.final:g}")
    return tuple(found)


def _codes(turn: Turn, tax: Taxonomy) -> set[str]:
    return {tax.name(code).split("（")[0] for code in turn.appraisal.codes}
