"""Sessions, turns, hints, grades and reports.

A turn is written whole or not at all, in one transaction. The primary key (session, turn number) is what keeps two
windows from forking a talk. The line being answered is held first, so that a crash never loses what was typed.
"""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session as Transaction
from sqlalchemy.orm import defer

from bot.errors import ConflictError, LearnerError
from bot.model.calls import Call
from bot.records import Entry, Hint, Report, Snapshot, Turn, TurnGrade
from bot.store.database import Database
from bot.store.marks import rewrite_marks
from bot.store.tables import CallRow, DebriefRow, GradeRow, ReportRow, SessionRow, TurnRow

LOCAL_OWNER = "local"


class Store:
    """The talks. Safe to share between threads; every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self, session_id: str, owner: str, snapshot: Snapshot, at: str, *, assignment: str = "", parent: str = "",
        parent_turn: int = 0, turns: tuple[Turn, ...] = (), hints: tuple[Hint, ...] = (),
    ) -> None:  # fmt: skip
        """A new session, with the turns it takes over when it begins in the middle of another (`parent`).

        Raises `ConflictError` when this person has already begun the exam of an assignment.
        """
        row = SessionRow(
            id=session_id, owner=owner, scenario=snapshot.scenario.id, title=snapshot.scenario.title,
            mode=snapshot.mode, snapshot=snapshot.model_dump(mode="json"), started_at=at, turn_count=len(turns),
            hints=[h.model_dump() for h in hints] or None, parent=parent or None, parent_turn=parent_turn or None,
            assignment=assignment or None,
        )  # fmt: skip
        try:
            with self._database.transaction() as t:
                t.add(row)
                t.flush()
                t.add_all(
                    TurnRow(session_id=session_id, n=turn.n, payload=turn.model_dump(mode="json")) for turn in turns
                )
        except IntegrityError:
            raise ConflictError("这份考核您已经开始过了，每人只有一次。请从“最近的演练”里接着谈或看报告。") from None

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
            rewrite_marks(t, session_id, report)
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

    def save_hint(self, session_id: str, hint: Hint) -> None:
        """Keep a hint that was given; from then on the attempt counts as assisted."""
        with self._database.transaction() as t:
            row = t.get_one(SessionRow, session_id, with_for_update=True)
            row.hints = [*(row.hints or ()), hint.model_dump()]

    def hints(self, session_id: str) -> tuple[Hint, ...]:
        """The hints given in a session, in order."""
        with self._database.transaction() as t:
            found = t.scalar(select(SessionRow.hints).where(SessionRow.id == session_id))
            return tuple(Hint.model_validate(h) for h in found or ())

    def history(self, owner: str, limit: int = 50) -> tuple[Entry, ...]:
        """A person's sessions, newest first."""
        with self._database.transaction() as t:
            query = select(SessionRow).options(defer(SessionRow.snapshot)).where(SessionRow.owner == owner)
            rows = t.scalars(query.order_by(SessionRow.started_at.desc(), SessionRow.id).limit(limit))
            return tuple(_entry(row) for row in rows)

    def entry(self, session_id: str, owner: str) -> Entry:
        """One session as a line of the history."""
        with self._database.transaction() as t:
            return _entry(self._row(t, session_id, owner))

    def taken_up(self, session_id: str, owner: str) -> tuple[Entry, ...]:
        """The sessions that began in the middle of this one, oldest first."""
        with self._database.transaction() as t:
            query = select(SessionRow).where(SessionRow.parent == session_id, SessionRow.owner == owner)
            return tuple(_entry(row) for row in t.scalars(query.order_by(SessionRow.started_at, SessionRow.id)))

    def exam(self, owner: str, assignment: str) -> Entry | None:
        """This person's one attempt at the exam of an assignment, if it was begun."""
        with self._database.transaction() as t:
            query = select(SessionRow).where(
                SessionRow.owner == owner, SessionRow.assignment == assignment, SessionRow.mode == "exam"
            )
            row = t.scalar(query)
            return _entry(row) if row else None

    def end(self, session_id: str, how: str) -> None:
        """Mark a session as ended, for a reason outside the customer."""
        with self._database.transaction() as t:
            t.execute(update(SessionRow).where(SessionRow.id == session_id).values(ended=how, held=""))

    def ended(self, session_id: str) -> str:
        """How a session ended (closed, hung_up, complained, answered, crisis_missed, finished); empty while it goes on."""
        with self._database.transaction() as t:
            return t.scalar(select(SessionRow.ended).where(SessionRow.id == session_id)) or ""

    def _row(self, t: Transaction, session_id: str, owner: str) -> SessionRow:
        row = t.get(SessionRow, session_id)
        if row is None or row.owner != owner:
            raise LearnerError(f"没有找到编号为 {session_id[:40]} 的演练。请从“选场景”重新开始，或在记录里选一场。")
        return row


def _entry(row: SessionRow) -> Entry:
    return Entry(
        id=row.id, owner=row.owner, scenario=row.scenario, title=row.title, mode=row.mode, started_at=row.started_at,
        ended=row.ended, turn_count=row.turn_count, final=row.final, hints=len(row.hints or ()),
        parent=row.parent or "", parent_turn=row.parent_turn or 0, assignment=row.assignment or "",
    )  # fmt: skip
