"""Sessions, turns, grades and reports in a relational database: SQLite by default, PostgreSQL by URL.

A turn is written whole or not at all, in one transaction. The primary key (session, turn number) is what keeps two
windows from forking a talk. The line being answered is held first, so that a crash never loses what was typed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import JSON, ForeignKey, Integer, String, Text, create_engine, event, select, update
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.orm import Session as Transaction

from bot.errors import ConflictError, LearnerError, SetupError
from bot.model.calls import Call
from bot.records import Record, Report, Snapshot, Turn, TurnGrade

LOCAL_OWNER = "local"


class _Base(DeclarativeBase):
    pass


class _SessionRow(_Base):
    __tablename__ = "sessions"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    owner: Mapped[str] = mapped_column(String(80), index=True)
    scenario: Mapped[str] = mapped_column(String(16), index=True)
    title: Mapped[str] = mapped_column(String(200))
    mode: Mapped[str] = mapped_column(String(16))
    snapshot: Mapped[dict[str, object]] = mapped_column(JSON)
    started_at: Mapped[str] = mapped_column(String(40))
    ended: Mapped[str] = mapped_column(String(20), default="")
    turn_count: Mapped[int] = mapped_column(Integer, default=0)
    held: Mapped[str] = mapped_column(Text, default="")
    final: Mapped[float | None] = mapped_column(default=None)


class _TurnRow(_Base):
    __tablename__ = "turns"
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True)
    n: Mapped[int] = mapped_column(Integer, primary_key=True)
    payload: Mapped[dict[str, object]] = mapped_column(JSON)


class _CallRow(_Base):
    __tablename__ = "calls"
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    session_id: Mapped[str] = mapped_column(String(40), index=True)
    payload: Mapped[dict[str, object]] = mapped_column(JSON)


class _GradeRow(_Base):
    __tablename__ = "grades"
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True)
    n: Mapped[int] = mapped_column(Integer, primary_key=True)
    payload: Mapped[dict[str, object]] = mapped_column(JSON)


class _ReportRow(_Base):
    __tablename__ = "reports"
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True)
    payload: Mapped[dict[str, object]] = mapped_column(JSON)


class _DebriefRow(_Base):
    __tablename__ = "debriefs"
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[str] = mapped_column(String(40))


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
    """The database. Safe to share between threads; every method is one transaction."""

    def __init__(self, url: str) -> None:
        self._engine = _engine(url)
        with _readable():
            _Base.metadata.create_all(self._engine)

    def create(self, session_id: str, owner: str, snapshot: Snapshot, at: str) -> None:
        """A new, empty session."""
        with self._transaction() as t:
            t.add(
                _SessionRow(
                    id=session_id, owner=owner, scenario=snapshot.scenario.id, title=snapshot.scenario.title,
                    mode=snapshot.mode, snapshot=snapshot.model_dump(mode="json"), started_at=at,
                )
            )  # fmt: skip

    def snapshot(self, session_id: str, owner: str) -> Snapshot:
        """What a session was started with. A session of somebody else reads as missing (`LearnerError`)."""
        with self._transaction() as t:
            return Snapshot.model_validate(self._row(t, session_id, owner).snapshot)

    def turns(self, session_id: str) -> tuple[Turn, ...]:
        """All stored turns, in order."""
        with self._transaction() as t:
            rows = t.scalars(select(_TurnRow).where(_TurnRow.session_id == session_id).order_by(_TurnRow.n))
            return tuple(Turn.model_validate(row.payload) for row in rows)

    def hold(self, session_id: str, line: str) -> None:
        """Keep the learner's line while its turn is being made."""
        with self._transaction() as t:
            t.execute(update(_SessionRow).where(_SessionRow.id == session_id).values(held=line))

    def held(self, session_id: str) -> str:
        """A line whose turn was never finished; empty when there is none."""
        with self._transaction() as t:
            return t.scalar(select(_SessionRow.held).where(_SessionRow.id == session_id)) or ""

    def append(self, session_id: str, turn: Turn) -> None:
        """Write one whole turn and release the held line. Raises `ConflictError` if the turn exists already."""
        try:
            with self._transaction() as t:
                t.add(_TurnRow(session_id=session_id, n=turn.n, payload=turn.model_dump(mode="json")))
                t.flush()
                t.execute(
                    update(_SessionRow)
                    .where(_SessionRow.id == session_id)
                    .values(held="", turn_count=turn.n, ended=turn.mind.ended)
                )
        except IntegrityError:
            raise ConflictError("这一轮已经在另一个窗口里回复过了。请刷新页面，从最新的一轮接着谈。") from None

    def save_call(self, call: Call) -> None:
        """Log one call to a model as it was sent and answered."""
        with self._transaction() as t:
            t.add(_CallRow(session_id=call.session, payload=call.model_dump(mode="json")))

    def calls(self, session_id: str) -> tuple[Call, ...]:
        """The calls made for a session, in order."""
        with self._transaction() as t:
            rows = t.scalars(select(_CallRow).where(_CallRow.session_id == session_id).order_by(_CallRow.id))
            return tuple(Call.model_validate(row.payload) for row in rows)

    def save_grade(self, session_id: str, grade: TurnGrade) -> None:
        """Store or replace the feedback on one turn."""
        with self._transaction() as t:
            t.merge(_GradeRow(session_id=session_id, n=grade.n, payload=grade.model_dump(mode="json")))

    def grades(self, session_id: str) -> dict[int, TurnGrade]:
        """Stored feedback by turn number."""
        with self._transaction() as t:
            rows = t.scalars(select(_GradeRow).where(_GradeRow.session_id == session_id))
            return {row.n: TurnGrade.model_validate(row.payload) for row in rows}

    def save_report(self, session_id: str, report: Report, ended: str) -> None:
        """Store or replace the report and mark the session as ended."""
        with self._transaction() as t:
            t.merge(_ReportRow(session_id=session_id, payload=report.model_dump(mode="json")))
            t.execute(
                update(_SessionRow).where(_SessionRow.id == session_id).values(ended=ended, final=report.final, held="")
            )

    def report(self, session_id: str, owner: str) -> Report | None:
        """A stored report, or None while the session has none."""
        with self._transaction() as t:
            self._row(t, session_id, owner)
            row = t.get(_ReportRow, session_id)
            return Report.model_validate(row.payload) if row else None

    def save_debrief(self, session_id: str, text: str, at: str) -> None:
        """Store or replace what the learner wrote after a talk that had to stop."""
        with self._transaction() as t:
            t.merge(_DebriefRow(session_id=session_id, text=text, at=at))

    def debrief(self, session_id: str) -> str:
        """What the learner wrote after a talk that had to stop; empty when nothing yet."""
        with self._transaction() as t:
            return t.scalar(select(_DebriefRow.text).where(_DebriefRow.session_id == session_id)) or ""

    def history(self, owner: str, limit: int = 50) -> tuple[Entry, ...]:
        """A person's sessions, newest first."""
        with self._transaction() as t:
            query = select(_SessionRow).where(_SessionRow.owner == owner)
            rows = t.scalars(query.order_by(_SessionRow.started_at.desc(), _SessionRow.id).limit(limit))
            return tuple(Entry(**{k: getattr(row, k) for k in Entry.model_fields}) for row in rows)

    def ended(self, session_id: str) -> str:
        """How a session ended (closed, hung_up, complained, answered, crisis_missed, finished); empty while it goes on."""
        with self._transaction() as t:
            return t.scalar(select(_SessionRow.ended).where(_SessionRow.id == session_id)) or ""

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()

    def _row(self, t: Transaction, session_id: str, owner: str) -> _SessionRow:
        row = t.get(_SessionRow, session_id)
        if row is None or row.owner != owner:
            raise LearnerError(f"没有找到编号为 {session_id[:40]} 的演练。请从“选场景”重新开始，或在记录里选一场。")
        return row

    @contextmanager
    def _transaction(self) -> Iterator[Transaction]:
        with _readable(), Transaction(self._engine, expire_on_commit=False) as t, t.begin():
            yield t


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise
    except OperationalError as error:
        text = str(error.orig).lower()
        if "locked" in text:
            raise SetupError("数据库正忙（被别的程序占用）。请稍等几秒再试；您写的话还在。") from None
        if "readonly" in text or "read-only" in text:
            raise SetupError("数据库是只读的，存不进去。请检查数据文件夹的权限（HUASU_DATA_DIR）。") from None
        if "full" in text:
            raise SetupError("磁盘满了，存不进去。请腾出空间后再试；您写的话还在。") from None
        raise SetupError("连不上数据库。请检查 HUASU_DATABASE_URL 与数据库服务，再运行 huasu doctor。") from None
    except SQLAlchemyError as error:
        raise SetupError(f"数据库出错（{type(error).__name__}）。请运行 huasu doctor 查看原因。") from None


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "postgresql" and "+" not in parsed.drivername:
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, pool_pre_ping=True)
    except (ArgumentError, ModuleNotFoundError):
        raise SetupError(
            "HUASU_DATABASE_URL 写法不对。例：sqlite:///data/huasu.db 或 postgresql://用户@主机/库名。"
        ) from None
    except OSError:
        raise SetupError("建不了数据文件夹。请检查 HUASU_DATA_DIR 的路径和权限。") from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_pragmas)
    return engine


def _sqlite_pragmas(connection: object, _record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]
    for pragma in ("journal_mode=WAL", "busy_timeout=5000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
