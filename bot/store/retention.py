"""Deleting talks, or cutting the tie between a talk and a person."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session as Transaction

from bot.store.database import Database
from bot.store.people import People
from bot.store.tables import (
    AppealRow,
    CallRow,
    CommentRow,
    DebriefRow,
    PracticeDayRow,
    PracticeRow,
    PreferenceRow,
    SessionRow,
)

NOBODY = "anonymous"


class Retention:
    """What is kept no longer. Safe to share between threads; every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def delete_before(self, day: str) -> int:
        """Delete every talk begun before a day; how many."""
        return People(self._database).forget(day).get("sessions", 0)

    def anonymise_before(self, day: str) -> int:
        """Untie every talk begun before a day from the person who had it; how many."""
        return self._untie((SessionRow.started_at < day) & (SessionRow.owner != NOBODY))

    def delete_of(self, owner: str) -> int:
        """Delete everything about a person, the account too; how many talks."""
        return People(self._database).delete(owner).get("sessions", 0)

    def anonymise_of(self, owner: str) -> int:
        """Keep a person's talks, but as nobody's; how many."""
        self._private(owner)
        return self._untie(SessionRow.owner == owner)

    def _private(self, owner: str) -> None:
        with self._database.transaction() as t:
            for table in (PracticeRow, PracticeDayRow, PreferenceRow):
                t.execute(delete(table).where(table.owner == owner))

    def _untie(self, which: Any) -> int:
        with self._database.transaction() as t:
            ids = select(SessionRow.id).where(which)
            self._words(t, ids)
            values = {"owner": NOBODY, "held": "", "assignment": None}
            return _count(t.execute(update(SessionRow).where(which).values(**values)))

    def _words(self, t: Transaction, ids: Any) -> None:
        """What names people besides the talk itself goes in any case."""
        for table in (CallRow, CommentRow, AppealRow, DebriefRow):
            t.execute(delete(table).where(table.session_id.in_(ids)))


def _count(result: Any) -> int:
    return int(getattr(result, "rowcount", 0) or 0)
