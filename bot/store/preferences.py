"""What a person has set for himself, by name."""

from __future__ import annotations

from sqlalchemy import select

from bot.store.database import Database
from bot.store.tables import PreferenceRow


class Preferences:
    """Settings of persons. Safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, owner: str, name: str) -> str:
        """A setting; empty when it was never made."""
        with self._database.transaction() as t:
            query = select(PreferenceRow.value).where(PreferenceRow.owner == owner, PreferenceRow.name == name)
            return t.scalar(query) or ""

    def put(self, owner: str, name: str, value: str) -> None:
        """Make or change a setting."""
        with self._database.transaction() as t:
            t.merge(PreferenceRow(owner=owner, name=name, value=value))
