"""What trainers wrote and marked about talks, and what learners objected to."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete, select, update

from bot.records import Appeal, Comment, Remark
from bot.store.database import Database
from bot.store.tables import AppealRow, CommentRow, RemarkRow, SessionRow


class Reviews:
    """Comments, marks and appeals. Safe to share between threads; every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def owner(self, session_id: str) -> str:
        """Whose talk it is; empty when there is none of that id."""
        with self._database.transaction() as t:
            return t.scalar(select(SessionRow.owner).where(SessionRow.id == session_id)) or ""

    def comment(self, c: Comment) -> None:
        """Add a comment."""
        with self._database.transaction() as t:
            t.add(CommentRow(session_id=c.session, n=c.n, by_id=c.by_id, by=c.by, text=c.text, at=c.at))

    def withdraw(self, session_id: str, comment_id: int, by_id: str) -> None:
        """Delete one's own comment."""
        with self._database.transaction() as t:
            t.execute(
                delete(CommentRow).where(
                    CommentRow.id == comment_id, CommentRow.session_id == session_id, CommentRow.by_id == by_id
                )
            )

    def comments(self, session_id: str) -> tuple[Comment, ...]:
        """The comments on a talk, by turn."""
        query = select(CommentRow).where(CommentRow.session_id == session_id).order_by(CommentRow.n, CommentRow.id)
        with self._database.transaction() as t:
            return tuple(
                Comment(id=r.id, session=r.session_id, n=r.n, by_id=r.by_id, by=r.by, text=r.text, at=r.at)
                for r in t.scalars(query)
            )

    def mark(self, r: Remark) -> None:
        """Store or replace a trainer's mark for one dimension."""
        with self._database.transaction() as t:
            t.merge(RemarkRow(session_id=r.session, **r.model_dump(exclude={"session"})))

    def marks(self, *session_ids: str) -> tuple[Remark, ...]:
        """The trainers' marks of some talks."""
        return self._marks(select(RemarkRow).where(RemarkRow.session_id.in_(session_ids)))

    def marks_of(self, owners: Iterable[str]) -> tuple[Remark, ...]:
        """The trainers' marks of everything some people said."""
        query = select(RemarkRow).join(SessionRow, SessionRow.id == RemarkRow.session_id)
        return self._marks(query.where(SessionRow.owner.in_(tuple(owners))))

    def _marks(self, query: object) -> tuple[Remark, ...]:
        fields = [k for k in Remark.model_fields if k != "session"]
        with self._database.transaction() as t:
            rows = t.scalars(query).all()  # type: ignore[call-overload]
            return tuple(Remark(session=r.session_id, **{k: getattr(r, k) for k in fields}) for r in rows)

    def appeal(self, a: Appeal) -> None:
        """Store an objection."""
        with self._database.transaction() as t:
            t.add(AppealRow(session_id=a.session, dimension=a.dimension, text=a.text, at=a.at))

    def answer(self, session_id: str, appeal_id: int, text: str, by: str, at: str) -> None:
        """Answer an objection to this talk."""
        with self._database.transaction() as t:
            t.execute(
                update(AppealRow)
                .where(AppealRow.id == appeal_id, AppealRow.session_id == session_id)
                .values(answer=text, answered_by=by, answered_at=at)
            )

    def appeals(self, session_id: str) -> tuple[Appeal, ...]:
        """The objections to one talk, the oldest first."""
        fields = [k for k in Appeal.model_fields if k != "session"]
        query = select(AppealRow).where(AppealRow.session_id == session_id).order_by(AppealRow.id)
        with self._database.transaction() as t:
            return tuple(Appeal(session=r.session_id, **{k: getattr(r, k) for k in fields}) for r in t.scalars(query))
