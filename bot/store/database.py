"""The connection to the database: SQLite by default, PostgreSQL by URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, event
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session as Transaction

from bot.errors import SetupError
from bot.store import migrations

POOL = 10  # kept connections, and as many more for a rush; times the replicas, fewer than PostgreSQL's usual 100


class Database:
    """One database, shared by the repositories of this package. Safe to share between threads.

    Opening it brings it to the tables of this version.
    """

    def __init__(self, url: str) -> None:
        self.engine = self.engine_for(url)
        with readable():
            migrations.bring_up(self.engine)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """All of it or nothing of it. `IntegrityError` passes through; every other failure is a `SetupError`."""
        with readable(), Transaction(self.engine, expire_on_commit=False) as t, t.begin():
            yield t

    def ping(self) -> None:
        """Ask the database for a sign of life. Raises `SetupError` when there is none."""
        with readable(), self.engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1 FROM alembic_version")

    @staticmethod
    def engine_for(url: str) -> Engine:
        """The connections to a database as it stands, tables or none. Raises `SetupError` for a wrong URL."""
        return _engine(url)

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


@contextmanager
def readable() -> Iterator[None]:
    """Turn what a database can do wrong into an error a person can act on (`SetupError`)."""
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
        if "i/o error" in text:
            raise SetupError("磁盘读写失败（可能满了，或出了故障）。请检查磁盘后再试；写进去的都还在。") from None
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
        in_memory = parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:")
        pool = {} if in_memory else {"pool_size": POOL, "max_overflow": POOL}
        engine = create_engine(parsed, pool_pre_ping=True, **pool)
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
    for pragma in ("journal_mode=WAL", "busy_timeout=20000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
