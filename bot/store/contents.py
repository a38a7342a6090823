"""Versions of cases and personas. The body of a published or archived version can never be written again."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session as Transaction

from bot.errors import ConflictError
from bot.records import ContentKind, Version
from bot.store.database import Database
from bot.store.tables import ContentVersionRow as Row

MOVED_ON = "这个版本已经在另一个窗口里改过或发布了。请刷新页面，从最新的内容接着改；您写的还在这一页上。"


class Contents:
    """The versions trainers make. Safe to share between threads; every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, version: Version) -> Version:
        """Store a new version; its number is the next free one. A draft replaces no other draft (`ConflictError`)."""
        try:
            with self._database.transaction() as t:
                return self._added(t, version)
        except IntegrityError:
            raise ConflictError(MOVED_ON) from None

    def save(self, draft: Version, body: dict[str, Any], at: str) -> Version:
        """Replace a draft's body. Raises `ConflictError` unless it is still the draft that was read."""
        with self._database.transaction() as t:
            done = t.execute(
                update(Row)
                .where(*_key(draft), Row.status == "draft", Row.rev == draft.rev)
                .values(body=body, rev=draft.rev + 1, created_at=at)
            )
            if not getattr(done, "rowcount", 0):
                raise ConflictError(MOVED_ON)
        return draft.model_copy(update={"body": body, "rev": draft.rev + 1, "created_at": at})

    def publish(self, draft: Version, by: str, at: str, reason: str) -> Version:
        """Make a draft the one that new sessions use; the one before it is archived. Raises `ConflictError`."""
        try:
            return self._published(draft, by, at, reason)
        except IntegrityError:
            raise ConflictError(MOVED_ON) from None

    def _published(self, draft: Version, by: str, at: str, reason: str) -> Version:
        with self._database.transaction() as t:
            self._retire(t, draft)
            done = t.execute(
                update(Row)
                .where(*_key(draft), Row.status == "draft", Row.rev == draft.rev)
                .values(status="published", decided_by=by, decided_at=at, reason=reason)
            )
            if not getattr(done, "rowcount", 0):
                raise ConflictError(MOVED_ON)
        return draft.model_copy(update={"status": "published", "decided_by": by, "decided_at": at, "reason": reason})

    def republish(self, version: Version) -> Version:
        """Store a whole new version as the published one (roll back), archiving the one before it, at once."""
        try:
            with self._database.transaction() as t:
                self._retire(t, version)
                return self._added(t, version)
        except IntegrityError:
            raise ConflictError(MOVED_ON) from None

    def archive(self, version: Version, by: str, at: str, reason: str) -> None:
        """Take a published version out of use, or put a draft away."""
        with self._database.transaction() as t:
            done = t.execute(
                update(Row)
                .where(*_key(version), Row.status == version.status, Row.rev == version.rev)
                .values(status="archived", decided_by=by, decided_at=at, reason=reason)
            )
            if not getattr(done, "rowcount", 0):
                raise ConflictError(MOVED_ON)

    def discard(self, draft: Version) -> None:
        """Delete a draft that was never published."""
        with self._database.transaction() as t:
            t.execute(delete(Row).where(*_key(draft), Row.status == "draft"))

    def versions(self, kind: ContentKind, content_id: str) -> tuple[Version, ...]:
        """Every version of one case or persona, newest first."""
        with self._database.transaction() as t:
            query = select(Row).where(Row.kind == kind, Row.id == content_id).order_by(Row.n.desc())
            return tuple(_version(row) for row in t.scalars(query))

    def draft(self, kind: ContentKind, content_id: str) -> Version | None:
        """The draft of one case or persona, if there is one."""
        return next((v for v in self.versions(kind, content_id) if v.status == "draft"), None)

    def current(self) -> tuple[Version, ...]:
        """Every draft and every published version."""
        with self._database.transaction() as t:
            query = select(Row).where(Row.status != "archived").order_by(Row.kind, Row.id, Row.n)
            return tuple(_version(row) for row in t.scalars(query))

    def stamp(self) -> tuple[tuple[str, str, int], ...]:
        """Which versions are published: changes whenever what new sessions use changes."""
        with self._database.transaction() as t:
            rows = t.execute(
                select(Row.kind, Row.id, Row.n).where(Row.status == "published").order_by(Row.kind, Row.id)
            )
            return tuple((r.kind, r.id, r.n) for r in rows)

    def ids(self, kind: ContentKind) -> frozenset[str]:
        """Every id ever used, so that none is given twice."""
        with self._database.transaction() as t:
            return frozenset(t.scalars(select(Row.id).where(Row.kind == kind).distinct()))

    def _added(self, t: Transaction, version: Version) -> Version:
        same = (Row.kind == version.kind, Row.id == version.id)
        if version.status == "draft" and t.scalar(select(func.count()).where(*same, Row.status == "draft")):
            raise ConflictError("这一份已经有草稿了。请打开那份草稿接着改，或者先把它放弃。")
        n = (t.scalar(select(func.max(Row.n)).where(*same)) or 0) + 1
        numbered = version.model_copy(update={"n": n})
        t.add(Row(**numbered.model_dump()))
        t.flush()
        return numbered

    def _retire(self, t: Transaction, version: Version) -> None:
        same = (Row.kind == version.kind, Row.id == version.id, Row.status == "published")
        t.execute(update(Row).where(*same).values(status="archived"))


def _key(v: Version) -> tuple[Any, ...]:
    return Row.kind == v.kind, Row.id == v.id, Row.n == v.n


def _version(row: Row) -> Version:
    return Version(**{k: getattr(row, k) for k in Version.model_fields})
