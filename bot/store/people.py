"""What is kept about one person, wherever it is kept: taken out as one record, or deleted; and what has been kept too long.

A table belongs to a person by its `owner` column, or to one of that person's talks by its `session_id` column. Any other
table must be named in `NOBODYS`, so that a new table cannot be forgotten here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, func, select

from bot.store.database import Database
from bot.store.tables import Base, SessionRow

NOBODYS = frozenset({"content_versions", "failed_logins", "audit", "groups", "assignments"})
"""Tables that hold nothing about a learner, or must outlive him: who saw and did what."""

OF_A_PERSON = {"users": "id", "tokens": "user_id", "members": "user_id"}
"""Tables that belong to a person by another column."""

SECRETS = frozenset({"password", "hash"})


class People:
    """Everything about a person at once. Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def taken_out(self, owner: str) -> dict[str, list[dict[str, Any]]]:
        """Every row about a person, by table; tables without any are left out."""
        found: dict[str, list[dict[str, Any]]] = {}
        with self._database.transaction() as t:
            for table, theirs in _theirs(SessionRow.owner == owner, owner):
                if rows := [_told(row) for row in t.execute(select(table).where(theirs)).mappings()]:
                    found[table.name] = rows
        return found

    def count(self, owner: str) -> dict[str, int]:
        """How many rows there are about a person, by table."""
        with self._database.transaction() as t:
            return {
                table.name: n
                for table, theirs in _theirs(SessionRow.owner == owner, owner)
                if (n := t.scalar(select(func.count()).select_from(table).where(theirs)) or 0)
            }

    def delete(self, owner: str) -> dict[str, int]:
        """Delete every row about a person; how many, by table."""
        return self._delete(SessionRow.owner == owner, owner)

    def forget(self, before: str, owner: str | None = None) -> dict[str, int]:
        """Delete the talks that started before a time (ISO 8601) with all that belongs to them; how many rows, by table."""
        old = SessionRow.started_at < before
        return self._delete(old if owner is None else old & (SessionRow.owner == owner), None)

    def _delete(self, talks: ColumnElement[bool], owner: str | None) -> dict[str, int]:
        gone: dict[str, int] = {}
        with self._database.transaction() as t:
            for table, theirs in reversed(list(_theirs(talks, owner))):
                if n := t.execute(delete(table).where(theirs)).rowcount:  # type: ignore[attr-defined]
                    gone[table.name] = n
        return gone


def _told(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(k): v for k, v in row.items() if str(k) not in SECRETS}


def _theirs(talks: ColumnElement[bool], owner: str | None) -> Iterator[tuple[Table, ColumnElement[bool]]]:
    """Tables and the rows of them that belong to these talks or, when a person is named, to that person.

    The talks come first, and after each table what refers to it.
    """
    ids = select(SessionRow.id).where(talks)
    sessions = Base.metadata.tables[SessionRow.__tablename__]
    yield sessions, sessions.columns.id.in_(ids)
    for table in Base.metadata.sorted_tables:
        if table is sessions:
            continue
        if "session_id" in table.columns:
            yield table, table.columns.session_id.in_(ids)
        elif owner is not None and (column := OF_A_PERSON.get(table.name, "owner")) in table.columns:
            yield table, table.columns[column] == owner
