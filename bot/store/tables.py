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
    hints: Mapped[list[object] | None] = mapped_column(JSON, default=None)
    parent: Mapped[str | None] = mapped_column(String(40), default=None)
    parent_turn: Mapped[int | None] = mapped_column(Integer, default=None)
    assignment: Mapped[str | None] = mapped_column(String(80), default=None)
    __table_args__ = (  # one graded attempt each, whatever two windows do at once
        Index(
            "one_exam_each", "owner", "assignment", unique=True,
            sqlite_where=text("mode = 'exam' AND assignment IS NOT NULL"),
            postgresql_where=text("mode = 'exam' AND assignment IS NOT NULL"),
        ),
        # what a dashboard sums over, without passing by the snapshot
        Index("sessions_in_brief", "owner", "started_at", "id", "scenario", "ended", "final"),
    )  # fmt: skip


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


class PreferenceRow(Base):
    """One setting of one person."""

    __tablename__ = "preferences"
    owner: Mapped[str] = mapped_column(String(80), primary_key=True)
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str] = mapped_column(String(200))


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
    __table_args__ = (Index("marks_by_kind", "kind", "session_id", "code", "count", "quality"),)


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


class UserRow(Base):
    """One person with an account. `subject` is who he is at the bank's own sign-in, when he comes from there."""

    __tablename__ = "users"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    login: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    password: Mapped[str] = mapped_column(String(200), default="")
    subject: Mapped[str | None] = mapped_column(String(200), unique=True, default=None)
    roles: Mapped[str] = mapped_column(String(40))
    must_change: Mapped[bool] = mapped_column(default=False)
    disabled: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[str] = mapped_column(String(40))


class TokenRow(Base):
    """One sign-in: only the hash of what the browser holds."""

    __tablename__ = "tokens"
    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[str] = mapped_column(String(40))


class FailedLoginRow(Base):
    """One failed attempt to sign in, under a login name or from an address."""

    __tablename__ = "failed_logins"
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    key: Mapped[str] = mapped_column(String(120), index=True)
    at: Mapped[str] = mapped_column(String(40))


class AuditRow(Base):
    """Who did what on what, and when. Rows are only ever added."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    at: Mapped[str] = mapped_column(String(40), index=True)
    actor: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(80))
    what: Mapped[str] = mapped_column(String(40))
    on: Mapped[str] = mapped_column("subject", String(120))
    detail: Mapped[str] = mapped_column(Text, default="")


class GroupRow(Base):
    """One class."""

    __tablename__ = "groups"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    created_at: Mapped[str] = mapped_column(String(40))


class MemberRow(Base):
    """Who is in a class, as learner or as trainer."""

    __tablename__ = "members"
    group_id: Mapped[str] = mapped_column(ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
    role: Mapped[str] = mapped_column(String(16))


class AssignmentRow(Base):
    """What a class was asked to do. Talks begun from it carry its id."""

    __tablename__ = "assignments"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    group_id: Mapped[str] = mapped_column(ForeignKey("groups.id", ondelete="CASCADE"), index=True)
    scenario: Mapped[str] = mapped_column(String(16))
    mode: Mapped[str] = mapped_column(String(16))
    due: Mapped[str] = mapped_column(String(10))
    pass_score: Mapped[float]
    clean: Mapped[bool] = mapped_column(default=True)
    seed: Mapped[int | None] = mapped_column(Integer, default=None)
    note: Mapped[str] = mapped_column(String(200), default="")
    by: Mapped[str] = mapped_column("made_by", String(80))
    created_at: Mapped[str] = mapped_column(String(40))
    closed: Mapped[bool] = mapped_column(default=False)


class CommentRow(Base):
    """What a trainer wrote about one turn of a talk (turn 0: about the whole talk)."""

    __tablename__ = "comments"
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    n: Mapped[int] = mapped_column(Integer)
    by_id: Mapped[str] = mapped_column(String(40))
    by: Mapped[str] = mapped_column("author", String(80))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[str] = mapped_column(String(40))


class RemarkRow(Base):
    """A trainer's mark for one dimension of a talk, beside the system's own."""

    __tablename__ = "remarks"
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True)
    dimension: Mapped[str] = mapped_column(String(20), primary_key=True)
    system: Mapped[float | None] = mapped_column(default=None)
    score: Mapped[float]
    reason: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column("author", String(80))
    at: Mapped[str] = mapped_column(String(40))


class AppealRow(Base):
    """A learner's objection to a mark, and the answer."""

    __tablename__ = "appeals"
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    dimension: Mapped[str] = mapped_column(String(20), default="")
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[str] = mapped_column(String(40))
    answer: Mapped[str] = mapped_column(Text, default="")
    answered_by: Mapped[str] = mapped_column(String(80), default="")
    answered_at: Mapped[str] = mapped_column(String(40), default="")


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
