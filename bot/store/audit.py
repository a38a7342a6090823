"""The audit log: rows are added, never changed."""

from __future__ import annotations

from sqlalchemy import or_, select

from bot.records import Actor, Audited
from bot.store.database import Database
from bot.store.tables import AuditRow


class Audit:
    """Who did what. Safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, actor: Actor, at: str, what: str, on: str, detail: str = "") -> None:
        """Add a line."""
        with self._database.transaction() as t:
            t.add(AuditRow(at=at, actor=actor.id, name=actor.name, what=what, on=on[:120], detail=detail[:2000]))

    def latest(self, limit: int = 200, find: str = "") -> tuple[Audited, ...]:
        """The newest lines first; `find` looks at the name, the deed and its object."""
        query = select(AuditRow).order_by(AuditRow.id.desc()).limit(limit)
        if find:
            fields = (AuditRow.name, AuditRow.what, AuditRow.on, AuditRow.detail)
            query = query.where(or_(*(f.contains(find, autoescape=True) for f in fields)))
        with self._database.transaction() as t:
            return tuple(Audited(**{k: getattr(r, k) for k in Audited.model_fields}) for r in t.scalars(query))
