"""What finished talks showed, code by code, in a narrow table: for trends over many talks without reading them.

Written when a report is saved. Talks finished before the table existed are filled in when they are first asked for.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session as Transaction

from bot.records import Mark, Report, Turn
from bot.store.database import Database
from bot.store.tables import MarkRow, ReportRow, SessionRow, TurnRow

PASSED = "passed"


class Marks:
    """Reads the marks of a person, or of several at once. Safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, *owners: str) -> tuple[Mark, ...]:
        """Every mark of some people, the oldest talk first."""
        columns = (
            MarkRow.session_id.label("session"), SessionRow.owner, SessionRow.scenario,
            SessionRow.started_at.label("at"), MarkRow.code, MarkRow.kind, MarkRow.count.label("count"), MarkRow.quality,
        )  # fmt: skip
        with self._database.transaction() as t:
            self._fill(t, owners)
            query = select(*columns).join(SessionRow, SessionRow.id == MarkRow.session_id)
            rows = t.execute(
                query.where(SessionRow.owner.in_(owners)).order_by(SessionRow.started_at, SessionRow.id, MarkRow.code)
            )
            return tuple(Mark.model_construct(**row) for row in rows.mappings())  # our own rows, checked when written

    def fill(self, owners: Iterable[str]) -> None:
        """Give the finished talks of some people their marks, where they have none yet."""
        with self._database.transaction() as t:
            self._fill(t, tuple(owners))

    def _fill(self, t: Transaction, owners: Iterable[str]) -> None:
        marked = select(MarkRow.session_id).where(MarkRow.session_id == SessionRow.id).exists()
        query = select(SessionRow.id).where(SessionRow.owner.in_(owners), SessionRow.final.is_not(None), ~marked)
        for session_id in t.scalars(query).all():
            row = t.get(ReportRow, session_id)
            if row is not None:
                rewrite_marks(t, session_id, Report.model_validate(row.payload))


def rewrite_marks(t: Transaction, session_id: str, report: Report) -> None:
    """Replace the marks of a talk, within the transaction that saves its report."""
    payloads = t.scalars(select(TurnRow.payload).where(TurnRow.session_id == session_id))
    found = tally(session_id, [Turn.model_validate(p) for p in payloads], report)
    t.execute(delete(MarkRow).where(MarkRow.session_id == session_id))
    t.execute(insert(MarkRow), [{"session_id": m.session, **m.model_dump(include=_STORED)} for m in found])


_STORED = {"code", "kind", "count", "quality"}


def tally(session_id: str, turns: Iterable[Turn], report: Report) -> tuple[Mark, ...]:
    """The marks of a talk: every code its replies showed, its dimensions, and whether it passed."""
    seen: dict[tuple[str, str], list[float]] = {}
    for turn in turns:
        read = turn.appraisal
        for technique in read.techniques:
            seen.setdefault(("technique", technique.code), []).append(technique.quality)
        for anti in read.antis:
            seen.setdefault(("anti", anti.code), []).append(anti.intensity)
        for violation in read.violations:
            seen.setdefault(("violation", violation.code), []).append(violation.intensity)
    for code, score in report.dims.items():
        if score is not None:
            seen["dimension", code] = [score]
    found = [
        Mark(session=session_id, kind=kind, code=code, count=len(values), quality=round(sum(values) / len(values), 3))
        for (kind, code), values in seen.items()
    ]
    outcome = Mark(session=session_id, kind="outcome", code=PASSED, count=int(report.passed), quality=report.final)
    return (*found, outcome)
