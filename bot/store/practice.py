"""Single questions: a person's book of cards, and how many were answered on which day."""

from __future__ import annotations

from sqlalchemy import select

from bot.records import Practised
from bot.store.database import Database
from bot.store.tables import PracticeDayRow, PracticeRow


class Practice:
    """The books. Safe to share between threads; every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def one(self, owner: str, card: str) -> Practised | None:
        """How a card went so far; None when it was never answered."""
        with self._database.transaction() as t:
            row = t.get(PracticeRow, (owner, card))
            return _practised(row) if row else None

    def all(self, owner: str) -> tuple[Practised, ...]:
        """Every card a person has answered, the earliest due first."""
        with self._database.transaction() as t:
            query = select(PracticeRow).where(PracticeRow.owner == owner).order_by(PracticeRow.due, PracticeRow.card)
            return tuple(_practised(row) for row in t.scalars(query))

    def save(self, owner: str, practised: Practised, day: str) -> None:
        """Store or replace a card and count it for the day."""
        with self._database.transaction() as t:
            t.merge(PracticeRow(owner=owner, **practised.model_dump()))
            count = t.get(PracticeDayRow, (owner, day))
            if count is None:
                t.add(PracticeDayRow(owner=owner, day=day, answered=1, passed=int(practised.passed)))
            else:
                count.answered += 1
                count.passed += int(practised.passed)

    def days(self, owner: str) -> dict[str, int]:
        """How many questions were answered on each day (YYYY-MM-DD)."""
        with self._database.transaction() as t:
            rows = t.execute(select(PracticeDayRow.day, PracticeDayRow.answered).where(PracticeDayRow.owner == owner))
            return {row.day: row.answered for row in rows}


def _practised(row: PracticeRow) -> Practised:
    return Practised(**{k: getattr(row, k) for k in Practised.model_fields})
