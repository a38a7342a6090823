"""Sessions, turns, grades and reports.

A turn is written whole or not at all, in one transaction. The primary key (session, turn number) is what keeps two
windows from forking a talk. The line being answered is held first, so that a crash never loses what was typed.
"""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session as Transaction

from bot.errors import ConflictError, LearnerError
from bot.model.calls import Call
from bot.records import Record, Report, Snapshot, Turn, TurnGrade
from bot.store.database import Database
from bot.store.tables import CallRow, DebriefRow, GradeRow, ReportRow, SessionRow, TurnRow

LOCAL_OWNER = "local"


class Entry(Record):
    """One line of a person's history."""

    id: str
    scenario: str
    title: str
    mode: str
    started_at: str
    ended: str
    turn_count: int
    final: float | None


class Store:
    """The talks. Safe to share between threads; every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, session_id: str, owner: str, snapshot: Snapshot, at: str) -> None:
        """A new, empty session."""
        with self._database.transaction() as t:
            t.add(
                SessionRow(
                    id=session_id, owner=owner, scenario=snapshot.scenario.id, title=snapshot.scenario.title,
                    mode=snapshot.mode, snapshot=snapshot.model_dump(mode="json"), started_at=at,
                )
            )  # fmt: skip

    def snapshot(self, session_id: str, owner: str) -> Snapshot:
        """What a session was started with. A session of somebody else reads as missing (`LearnerError`)."""
        with self._database.transaction() as t:
            return Snapshot.model_validate(self._row(t, session_id, owner).snapshot)

    def turns(self, session_id: str) -> tuple[Turn, ...]:
        """All stored turns, in order."""
        with self._database.transaction() as t:
            rows = t.scalars(select(TurnRow).where(TurnRow.session_id == session_id).order_by(TurnRow.n))
            return tuple(Turn.model_validate(row.payload) for row in rows)

    def hold(self, session_id: str, line: str) -> None:
        """Keep the learner's line while its turn is being made."""
        with self._database.transaction() as t:
            t.execute(update(SessionRow).where(SessionRow.id == session_id).values(held=line))

    def held(self, session_id: str) -> str:
        """A line whose turn was never finished; empty when there is none."""
        with self._database.transaction() as t:
            return t.scalar(select(SessionRow.held).where(SessionRow.id == session_id)) or ""

    def append(self, session_id: str, turn: Turn) -> None:
        """Write one whole turn and release the held line.

        Raises `ConflictError` if the turn exists already, or the talk was ended meanwhile: its report is written.
        """
        try:
            with self._database.transaction() as t:
                t.add(TurnRow(session_id=session_id, n=turn.n, payload=turn.model_dump(mode="json")))
                t.flush()
                open_still = (SessionRow.id == session_id) & (SessionRow.ended == "")
                done = t.execute(
                    update(SessionRow).where(open_still).values(held="", turn_count=turn.n, ended=turn.mind.ended)
                )
                if done.rowcount == 0:  # type: ignore[attr-defined]
                    raise ConflictError("这场对话已经在另一个窗口里结束了。请刷新页面看报告。")
        except IntegrityError:
            raise ConflictError("这一轮已经在另一个窗口里回复过了。请刷新页面，从最新的一轮接着谈。") from None

    def save_call(self, call: Call) -> None:
        """Log one call to a model as it was sent and answered."""
        with self._database.transaction() as t:
            t.add(CallRow(session_id=call.session, payload=call.model_dump(mode="json")))

    def calls(self, session_id: str) -> tuple[Call, ...]:
        """The calls made for a session, in order."""
        with self._database.transaction() as t:
            rows = t.scalars(select(CallRow).where(CallRow.session_id == session_id).order_by(CallRow.id))
            return tuple(Call.model_validate(row.payload) for row in rows)

    def save_grade(self, session_id: str, grade: TurnGrade) -> None:
        """Store or replace the feedback on one turn."""
        with self._database.transaction() as t:
            t.merge(GradeRow(session_id=session_id, n=grade.n, payload=grade.model_dump(mode="json")))

    def grades(self, session_id: str) -> dict[int, TurnGrade]:
        """Stored feedback by turn number."""
        with self._database.transaction() as t:
            rows = t.scalars(select(GradeRow).where(GradeRow.session_id == session_id))
            return {row.n: TurnGrade.model_validate(row.payload) for row in rows}

    def save_report(self, session_id: str, report: Report, ended: str) -> None:
        """Store or replace the report and mark the session as ended."""
        with self._database.transaction() as t:
            t.merge(ReportRow(session_id=session_id, payload=report.model_dump(mode="json")))
            t.execute(
                update(SessionRow).where(SessionRow.id == session_id).values(ended=ended, final=report.final, held="")
            )

    def report(self, session_id: str, owner: str) -> Report | None:
        """A stored report, or None while the session has none."""
        with self._database.transaction() as t:
            self._row(t, session_id, owner)
            row = t.get(ReportRow, session_id)
            return Report.model_validate(row.payload) if row else None

    def save_debrief(self, session_id: str, text: str, at: str) -> None:
        """Store or replace what the learner wrote after a talk that had to stop."""
        with self._database.transaction() as t:
            t.merge(DebriefRow(session_id=session_id, text=text, at=at))

    def debrief(self, session_id: str) -> str:
        """What the learner wrote after a talk that had to stop; empty when nothing yet."""
        with self._database.transaction() as t:
            return t.scalar(select(DebriefRow.text).where(DebriefRow.session_id == session_id)) or ""

    def history(self, owner: str, limit: int = 50) -> tuple[Entry, ...]:
        """A person's sessions, newest first."""
        with self._database.transaction() as t:
            query = select(SessionRow).where(SessionRow.owner == owner)
            rows = t.scalars(query.order_by(SessionRow.started_at.desc(), SessionRow.id).limit(limit))
            return tuple(Entry(**{k: getattr(row, k) for k in Entry.model_fields}) for row in rows)

    def ended(self, session_id: str) -> str:
        """How a session ended (closed, hung_up, complained, answered, crisis_missed, finished); empty while it goes on."""
        with self._database.transaction() as t:
            return t.scalar(select(SessionRow.ended).where(SessionRow.id == session_id)) or ""

    def _row(self, t: Transaction, session_id: str, owner: str) -> SessionRow:
        row = t.get(SessionRow, session_id)
        if row is None or row.owner != owner:
            raise LearnerError(f"没有找到编号为 {session_id[:40]} 的演练。请从“选场景”重新开始，或在记录里选一场。")
        return row
