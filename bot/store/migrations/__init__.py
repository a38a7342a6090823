"""Brings a database to the tables of this version: new, released before, or already there.

Adding or changing a table takes two steps: edit `bot/store/tables.py`, then run

    python -m bot.store.migrations "what changed"

which compares the tables with what the revisions make and writes the next file into `versions/`. Read it before you
commit it: a new column that may not be empty needs a `server_default` for the rows that are there. The revisions are numbered (`r0001_…`, `r0002_…`); the newest file is the version of the program. When two
branches have both added one, delete the later file, merge, and run the command again.

A start that finds its version does one query and never imports alembic, which takes a while to load.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import Engine

from bot.errors import SetupError
from bot.store.tables import Base

HERE = Path(__file__).resolve().parent
VERSION_TABLE = "alembic_version"
_LOCK = 0x48756173  # one number of our own among a PostgreSQL server's advisory locks
_NEWER = "数据库是更新版本的化诉建的（{found}），这个版本（{head}）读不了。请换回新版本，或用 HUASU_DATABASE_URL 指向另一个库。"


def revisions() -> list[str]:
    """Every revision, oldest first."""
    return sorted(f.stem.split("_")[0] for f in (HERE / "versions").glob("r[0-9]*.py"))


def head() -> str:
    """The revision of this program."""
    return revisions()[-1]


def current(connection: Connection) -> str | None:
    """The revision a database stands at; None for a new one and for one from before there were revisions."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def bring_up(engine: Engine) -> None:
    """Bring a database to this version's tables. Safe when several processes start at once."""
    with engine.connect() as connection:
        if current(connection) == head():
            return
    with alone(engine) as connection:
        found = current(connection)
        if found == head():  # another process was faster
            return
        if found is not None and found not in revisions():
            raise SetupError(_NEWER.format(found=found[:40], head=head()))
        if not inspect(connection).has_table("sessions"):
            Base.metadata.create_all(connection)  # what the revisions would make, without loading them
            _stamp(connection)
        else:
            upgrade(connection)


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Run the revisions that are missing, on this connection, up to `revision`. The caller commits."""
    from alembic import command  # slow to load: only when there is something to do

    command.upgrade(config(connection), revision)


def config(connection: Connection) -> Any:
    """What alembic needs to know: these files, this connection."""
    from alembic.config import Config

    found = Config()
    found.set_main_option("script_location", str(HERE).replace("%", "%%"))
    found.attributes["connection"] = connection
    return found


@contextmanager
def alone(engine: Engine) -> Iterator[Connection]:
    """One transaction that no other process brings up the database beside; all of it or nothing of it."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            # a table that is rebuilt is dropped first, and that must not take what refers to it along
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        try:
            yield connection
            connection.commit()
        finally:
            connection.rollback()
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA foreign_keys=ON")


def _stamp(connection: Connection) -> None:
    connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": head()})
