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
