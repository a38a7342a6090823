"""Every table of the database, in one place. Repositories in this package read and write them; nobody else does."""

from __future__ import annotations

from sqlalchemy import JSON, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Declarative base of every table."""


class SessionRow(Base):
    """One talk: what it started with and where it stands."""

    __tablename__ = "sessions"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    owner: Mapped[str] = mapped_column(String(80), index=True)
    scenario: Mapped[str] = mapped_column(String(16), index=True)
    title: Mapped[str] = mapped_column(String(200))
    mode: Mapped[str] = mapped_column(String(16))
    snapshot: Mapped[dict[str, object]] = mapped_column(JSON)
    started_at: Mapped[str] = mapped_column(String(40))
    ended: Mapped[str] = mapped_column(String(20), default="")
    turn_count: Mapped[int] = mapped_column(Integer, default=0)
    held: Mapped[str] = mapped_column(Text, default="")
    final: Mapped[float | None] = mapped_column(default=None)


class TurnRow(Base):
    """One whole turn of a talk."""

    __tablename__ = "turns"
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True)
    n: Mapped[int] = mapped_column(Integer, primary_key=True)
    payload: Mapped[dict[str, object]] = mapped_column(JSON)


class CallRow(Base):
    """One call to a model."""

    __tablename__ = "calls"
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    session_id: Mapped[str] = mapped_column(String(40), index=True)
    payload: Mapped[dict[str, object]] = mapped_column(JSON)


class GradeRow(Base):
    """Feedback on one turn."""

    __tablename__ = "grades"
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True)
    n: Mapped[int] = mapped_column(Integer, primary_key=True)
    payload: Mapped[dict[str, object]] = mapped_column(JSON)


class ReportRow(Base):
    """The report of a talk."""

    __tablename__ = "reports"
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True)
    payload: Mapped[dict[str, object]] = mapped_column(JSON)


class DebriefRow(Base):
    """What a learner wrote after a talk that had to stop."""

    __tablename__ = "debriefs"
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[str] = mapped_column(String(40))


class MarkRow(Base):
    """What a finished talk showed of one code: narrow, so that many talks are read at once. See `records.Mark`."""

    __tablename__ = "marks"
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(12), primary_key=True)
    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    count: Mapped[int] = mapped_column(Integer)
    quality: Mapped[float]


class PracticeRow(Base):
    """One drill or quiz question of one person: how it went last and when it comes back."""

    __tablename__ = "practice"
    owner: Mapped[str] = mapped_column(String(80), primary_key=True)
    card: Mapped[str] = mapped_column(String(16), primary_key=True)
    state: Mapped[str] = mapped_column(Text)
    stability: Mapped[float] = mapped_column(default=0.0)
    due: Mapped[str] = mapped_column(String(40))
    score: Mapped[float | None] = mapped_column(default=None)
    passed: Mapped[bool]
    times: Mapped[int] = mapped_column(Integer)
    missed: Mapped[int] = mapped_column(Integer)
    said: Mapped[str] = mapped_column(Text)
    at: Mapped[str] = mapped_column(String(40))


class PracticeDayRow(Base):
    """How many single questions a person answered on one day."""

    __tablename__ = "practice_days"
    owner: Mapped[str] = mapped_column(String(80), primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    answered: Mapped[int] = mapped_column(Integer)
    passed: Mapped[int] = mapped_column(Integer)


def _only_one(name: str, status: str) -> Index:
    of = text(f"status = '{status}'")
    return Index(name, "kind", "id", unique=True, sqlite_where=of, postgresql_where=of)


class ContentVersionRow(Base):
    """One version of a case or a persona made by trainers."""

    __tablename__ = "content_versions"
    __table_args__ = (  # whatever two windows do at once, one is published and one is being written
        _only_one("content_published", "published"),
        _only_one("content_drafted", "draft"),
    )
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    n: Mapped[int] = mapped_column(Integer, primary_key=True)
    status: Mapped[str] = mapped_column(String(16), index=True)
    body: Mapped[dict[str, object]] = mapped_column(JSON)
    origin: Mapped[str] = mapped_column(String(80), default="")
    author: Mapped[str] = mapped_column(String(80), default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[str] = mapped_column(String(40))
    decided_by: Mapped[str] = mapped_column(String(80), default="")
    decided_at: Mapped[str] = mapped_column(String(40), default="")
    rev: Mapped[int] = mapped_column(Integer, default=0)
