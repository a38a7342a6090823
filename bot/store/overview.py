"""Sums over the talks of a class, made by the database from narrow columns: no talk is read to draw a dashboard."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Integer, Select, case, cast, exists, func, select
from sqlalchemy.orm import InstrumentedAttribute

from bot.records import Record
from bot.store.database import Database
from bot.store.tables import AppealRow, CommentRow, MarkRow, MemberRow, RemarkRow, SessionRow, UserRow

MOST = 40
"""At most so many talks wait to be looked at; the rest move up."""


class Activity(Record):
    """One learner: talks begun, finished and passed, the mean score, and when he last began one."""

    id: str
    login: str
    name: str
    disabled: bool = False
    talks: int
    finished: int
    passed: int
    mean: float | None
    last: str | None


class Tally(Record):
    """How often one code was shown under one heading (a person, a case, a mark), in how many talks of how many people."""

    head: str
    code: str
    count: int
    talks: int = 0
    people: int = 0
    quality: float = 0.0


class Due(Record):
    """A talk a trainer may want to look at, and what for."""

    id: str
    owner: str
    name: str
    scenario: str
    title: str
    mode: str
    started_at: str
    ended: str
    turn_count: int
    final: float | None
    reds: int = 0
    appeals: int = 0
    seen: bool = False


class Overview:
    """Reads sums. Safe to share between threads. `since` is an ISO time; empty means ever."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def activity(self, group_id: str, since: str = "") -> tuple[Activity, ...]:
        """Every learner of a class, those without a talk too."""
        passed = (MarkRow.session_id == SessionRow.id) & (MarkRow.kind == "outcome") & (MarkRow.count > 0)
        query = (
            select(
                UserRow.id, UserRow.login, UserRow.name, UserRow.disabled,
                func.count(SessionRow.id).label("talks"), func.count(SessionRow.final).label("finished"),
                func.count(MarkRow.session_id).label("passed"), func.avg(SessionRow.final).label("mean"),
                func.max(SessionRow.started_at).label("last"),
            )
            .join(MemberRow, MemberRow.user_id == UserRow.id)
            .outerjoin(SessionRow, (SessionRow.owner == UserRow.id) & (SessionRow.started_at >= since))
            .outerjoin(MarkRow, passed)
            .where(MemberRow.group_id == group_id, MemberRow.role == "learner")
            .group_by(UserRow.id, UserRow.login, UserRow.name, UserRow.disabled)
            .order_by(UserRow.login)
        )  # fmt: skip
        with self._database.transaction() as t:
            return tuple(Activity(**row) for row in t.execute(query).mappings())

    def dimensions(self, group_id: str, since: str = "") -> tuple[Tally, ...]:
        """How many talks got which mark (1-5, rounded) in which dimension."""
        whole = cast(func.round(MarkRow.quality), Integer)
        band = case((whole < 1, 1), (whole > 5, 5), else_=whole)
        talks = select(SessionRow.id).where(SessionRow.started_at >= since, SessionRow.owner.in_(_learners(group_id)))
        # not joined: the talks are not asked anything, and a join would fetch each of them
        query = _sums(band).where(MarkRow.kind == "dimension", MarkRow.session_id.in_(talks))
        return self._tallies(query.group_by(band, MarkRow.code))

    def reds(self, group_id: str, since: str = "", by_case: bool = False) -> tuple[Tally, ...]:
        """Red lines by learner, or by case."""
        head = SessionRow.scenario if by_case else SessionRow.owner
        return self._tallies(self._marks(group_id, since, "violation", head).group_by(head, MarkRow.code))

    def skills(self, group_id: str, kind: str, since: str = "") -> tuple[Tally, ...]:
        """Techniques or anti-patterns of the whole class."""
        return self._tallies(
            self._marks(group_id, since, kind, MarkRow.kind, people=True).group_by(MarkRow.kind, MarkRow.code)
        )

    def _marks(self, group_id: str, since: str, kind: str, head: Any, people: bool = False) -> Select[Any]:
        query = _sums(head, *([func.count(SessionRow.owner.distinct()).label("people")] if people else []))
        return query.join(SessionRow, SessionRow.id == MarkRow.session_id).where(
            MarkRow.kind == kind, SessionRow.started_at >= since, SessionRow.owner.in_(_learners(group_id))
        )

    def _tallies(self, query: Select[Any]) -> tuple[Tally, ...]:
        with self._database.transaction() as t:
            return tuple(
                Tally(**{**row, "head": str(row["head"]), "count": int(row["count"])})
                for row in t.execute(query).mappings()
            )

    def due(self, group_id: str, since: str = "", limit: int = MOST) -> tuple[Due, ...]:
        """Finished talks to look at, the most pressing first: appeals, a missed cry for help, red lines, low scores.

        A talk that was commented on or marked comes back only with an open appeal.
        """
        query, reds, appeals, seen = self._talks(group_id)
        pressing = case((appeals > 0, 0), (SessionRow.ended == "crisis_missed", 1), (reds > 0, 2), else_=3)
        query = query.where(
            SessionRow.final.is_not(None),
            SessionRow.started_at >= since,
            (appeals > 0) | (~seen & ((SessionRow.ended == "crisis_missed") | (reds > 0) | (SessionRow.final < 60))),
        )
        return self._dues(query.order_by(pressing, SessionRow.started_at.desc()).limit(limit))

    def going_on(self, group_id: str, since: str) -> tuple[Due, ...]:
        """Talks that have begun since then and are not over."""
        query, *_ = self._talks(group_id)
        query = query.where(SessionRow.ended == "", SessionRow.final.is_(None), SessionRow.started_at >= since)
        return self._dues(query.order_by(SessionRow.started_at.desc()).limit(30))

    def talks(self, group_id: str, owner: str = "", limit: int = 60) -> tuple[Due, ...]:
        """The latest talks of a class, or of one of its learners."""
        query, *_ = self._talks(group_id)
        if owner:
            query = query.where(SessionRow.owner == owner)
        return self._dues(query.where(SessionRow.turn_count > 0).order_by(SessionRow.started_at.desc()).limit(limit))

    def _talks(self, group_id: str) -> tuple[Select[Any], Any, Any, Any]:
        s = SessionRow
        reds = (
            select(func.coalesce(func.sum(MarkRow.count), 0))
            .where(MarkRow.session_id == s.id, MarkRow.kind == "violation")
            .scalar_subquery()
        )
        appeals = (
            select(func.count()).where(AppealRow.session_id == s.id, AppealRow.answered_at == "").scalar_subquery()
        )
        seen = exists().where(CommentRow.session_id == s.id) | exists().where(RemarkRow.session_id == s.id)
        columns: list[InstrumentedAttribute[Any]] = [getattr(s, k) for k in _DUE]
        query = select(*columns, UserRow.name, reds.label("reds"), appeals.label("appeals"), seen.label("seen")).join(
            UserRow, UserRow.id == s.owner
        )
        return query.where(s.owner.in_(_learners(group_id))), reds, appeals, seen

    def _dues(self, query: Select[Any]) -> tuple[Due, ...]:
        with self._database.transaction() as t:
            return tuple(Due(**row) for row in t.execute(query).mappings())


_DUE = ("id", "owner", "scenario", "title", "mode", "started_at", "ended", "turn_count", "final")


def _learners(group_id: str) -> Select[Any]:
    return select(MemberRow.user_id).where(MemberRow.group_id == group_id, MemberRow.role == "learner")


def _sums(head: Any, *more: Any) -> Select[Any]:
    return select(
        head.label("head"), MarkRow.code, func.sum(MarkRow.count).label("count"),
        func.count(MarkRow.session_id).label("talks"), func.avg(MarkRow.quality).label("quality"), *more,
    )  # fmt: skip
