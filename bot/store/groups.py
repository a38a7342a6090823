"""Classes, who is in them, and what they were asked to do."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError

from bot.errors import LearnerError
from bot.records import Assignment, Group, Role, Try
from bot.store.database import Database
from bot.store.tables import AssignmentRow, GroupRow, MarkRow, MemberRow, SessionRow


class Groups:
    """The classes. Safe to share between threads; every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, group: Group) -> None:
        """A new class. Raises `LearnerError` when the name is taken."""
        try:
            with self._database.transaction() as t:
                t.add(GroupRow(**group.model_dump()))
        except IntegrityError:
            raise LearnerError("已经有同名的班级了。请换一个名字。") from None

    def all(self) -> tuple[Group, ...]:
        """Every class, by name."""
        with self._database.transaction() as t:
            return tuple(_group(row) for row in t.scalars(select(GroupRow).order_by(GroupRow.name)))

    def of(self, user_id: str, role: Role) -> tuple[Group, ...]:
        """The classes somebody is in with that role."""
        query = select(GroupRow).join(MemberRow, MemberRow.group_id == GroupRow.id)
        query = query.where(MemberRow.user_id == user_id, MemberRow.role == role).order_by(GroupRow.name)
        with self._database.transaction() as t:
            return tuple(_group(row) for row in t.scalars(query))

    def join(self, group_id: str, user_ids: Iterable[str], role: Role) -> None:
        """Put people into a class, or change the role they have in it."""
        with self._database.transaction() as t:
            for user_id in user_ids:
                t.merge(MemberRow(group_id=group_id, user_id=user_id, role=role))

    def leave(self, group_id: str, user_ids: Iterable[str]) -> None:
        """Take people out of a class."""
        with self._database.transaction() as t:
            t.execute(delete(MemberRow).where(MemberRow.group_id == group_id, MemberRow.user_id.in_(tuple(user_ids))))

    def members(self, group_id: str) -> dict[str, str]:
        """Who is in a class, with what role."""
        with self._database.transaction() as t:
            rows = t.execute(select(MemberRow.user_id, MemberRow.role).where(MemberRow.group_id == group_id))
            return {row.user_id: row.role for row in rows}

    def teaches(self, trainer: str, learner: str) -> bool:
        """Whether one is the trainer, and the other a learner, of the same class."""
        mine = select(MemberRow.group_id).where(MemberRow.user_id == trainer, MemberRow.role == "trainer")
        query = select(func.count()).where(
            MemberRow.user_id == learner, MemberRow.role == "learner", MemberRow.group_id.in_(mine)
        )
        with self._database.transaction() as t:
            return bool(t.scalar(query))

    # ── assignments ──────────────────────────────────────────────────────────────────────────────────

    def assign(self, work: Assignment) -> None:
        """A new assignment."""
        with self._database.transaction() as t:
            t.add(AssignmentRow(**work.model_dump()))

    def assignment(self, assignment_id: str) -> Assignment | None:
        """An assignment by its id."""
        with self._database.transaction() as t:
            row = t.get(AssignmentRow, assignment_id)
            return _assignment(row) if row else None

    def assignments(self, *group_ids: str) -> tuple[Assignment, ...]:
        """What some classes were asked to do, the earliest due first."""
        query = select(AssignmentRow).where(AssignmentRow.group_id.in_(group_ids))
        with self._database.transaction() as t:
            return tuple(_assignment(r) for r in t.scalars(query.order_by(AssignmentRow.due, AssignmentRow.created_at)))

    def close(self, assignment_id: str, closed: bool) -> None:
        """Take an assignment off the learners' lists, or put it back."""
        with self._database.transaction() as t:
            t.execute(update(AssignmentRow).where(AssignmentRow.id == assignment_id).values(closed=closed))

    def tries(self, assignment_ids: Iterable[str], owner: str = "") -> tuple[Try, ...]:
        """The talks begun from assignments, the oldest first; of one person when `owner` is given."""
        reds = (
            select(func.coalesce(func.sum(MarkRow.count), 0))
            .where(MarkRow.session_id == SessionRow.id, MarkRow.kind == "violation")
            .scalar_subquery()
        )
        s = SessionRow
        columns = (s.assignment, s.id.label("session"), s.owner, s.started_at, s.ended, s.final, reds.label("reds"))
        query = select(*columns).where(s.assignment.in_(tuple(assignment_ids)))
        if owner:
            query = query.where(s.owner == owner)
        with self._database.transaction() as t:
            return tuple(Try(**row) for row in t.execute(query.order_by(s.started_at, s.id)).mappings())


def _group(row: GroupRow) -> Group:
    return Group(id=row.id, name=row.name, created_at=row.created_at)


def _assignment(row: AssignmentRow) -> Assignment:
    return Assignment(**{k: getattr(row, k) for k in Assignment.model_fields})
