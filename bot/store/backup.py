"""The whole database as one file, and back: the same file on SQLite and PostgreSQL, so it also moves one to the other.

The file is gzipped lines of JSON: first what it is and how many rows every table has, then one row a line. A file that
was cut short, or that holds fewer or more rows than it says, is refused whole.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, MetaData, Table, func, insert, inspect, select, text
from sqlalchemy.exc import IntegrityError

from bot.errors import LearnerError, SetupError
from bot.store import migrations
from bot.store.database import Database, readable
from bot.store.tables import Base

Progress = Callable[[int, int, str], None]
FORMAT, BATCH = 1, 500
EXISTS = "{path} 已经存在。换个文件名，或先把它移开；备份不会覆盖别的文件。"
BROKEN = "{path} 不是完整的化诉备份（{why}）。什么都没有恢复；请换一份备份。"
IN_USE = "这个数据库里已经有 {rows} 行记录。恢复只往空库里放：请用 HUASU_DATABASE_URL 或 HUASU_DATA_DIR 指向一个新库。"
NEWER = "这份备份是更新版本的化诉做的（{found}）。请先升级化诉，再恢复。"


def save(database: Database, path: Path, at: str, progress: Progress) -> dict[str, int]:
    """Write everything as it is at one moment; others may go on working. Rows by table. Never overwrites a file."""
    if path.exists():
        raise LearnerError(EXISTS.format(path=path))
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with readable(), _moment(database) as connection, _private(part) as out:
            counts = _dump(connection, out, at, progress)
        os.replace(part, path)
    except OSError as error:
        raise SetupError(f"写不了 {path}（{error.strerror}）。请检查路径、权限和磁盘空间。") from None
    finally:
        with suppress(OSError):
            part.unlink()
    return counts


def load(database: Database, path: Path, progress: Progress) -> dict[str, int]:
    """Put a backup into an empty database, brought to this version's tables. All of it or nothing."""
    lines = _lines(path)
    head = next(lines, None)
    if not isinstance(head, dict) or head.get("huasu") != FORMAT or not isinstance(head.get("tables"), dict):
        raise SetupError(BROKEN.format(path=path, why="开头认不出"))
    revision, counts = str(head.get("revision")), {str(k): int(v) for k, v in head["tables"].items()}
    if revision not in migrations.revisions():
        raise SetupError(NEWER.format(found=revision[:40]))
    with readable(), migrations.alone(database.engine) as connection:
        if rows := sum(rows_by_table(connection).values()):
            raise LearnerError(IN_USE.format(rows=rows))
        _as_it_was(connection, revision)
        try:
            found = _fill(connection, lines, counts, path, progress)
        except IntegrityError:
            raise SetupError(BROKEN.format(path=path, why="有一行重复，或少了它依赖的行")) from None
        if found != {name: n for name, n in counts.items() if n}:
            raise SetupError(BROKEN.format(path=path, why="行数与开头写的不符"))
        migrations.upgrade(connection)
        _count_on(connection)
    return counts


def rows_by_table(connection: Connection) -> dict[str, int]:
    """How many rows every table of this version has."""
    return {
        table.name: connection.scalar(select(func.count()).select_from(table)) or 0
        for table in Base.metadata.sorted_tables
    }


def _moment(database: Database) -> Connection:
    """A connection that sees the database as it is now, whatever is written meanwhile."""
    connection = database.engine.connect()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN")
    else:
        connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return connection


def _private(path: Path) -> IO[str]:
    """A new file that only its owner reads: it holds what people said."""
    handle = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
    return gzip.open(handle, "wt", encoding="utf-8", newline="\n")


def _dump(connection: Connection, out: IO[str], at: str, progress: Progress) -> dict[str, int]:
    counts = rows_by_table(connection)
    head = {"huasu": FORMAT, "revision": migrations.head(), "at": at, "tables": counts}
    print(json.dumps(head), file=out)
    done, total = 0, sum(counts.values())
    for table in Base.metadata.sorted_tables:
        rows = connection.execution_options(yield_per=BATCH).execute(select(table))
        for row in rows.mappings():
            print(json.dumps([table.name, dict(row)], ensure_ascii=False, default=_plain), file=out)
            done += 1
            if done % BATCH == 0 or done == total:
                progress(done, total, table.name)
    return counts


def _plain(value: object) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def _lines(path: Path) -> Iterator[Any]:
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
            for line in lines:
                yield json.loads(line)
    except FileNotFoundError:
        raise LearnerError(f"没有 {path} 这个文件。请检查路径。") from None
    except (OSError, EOFError, zlib.error):
        raise SetupError(BROKEN.format(path=path, why="打不开，或没有写完")) from None
    except (ValueError, RecursionError):
        raise SetupError(BROKEN.format(path=path, why="内容读不懂")) from None


def _as_it_was(connection: Connection, revision: str) -> None:
    """Empty tables of the version that wrote the file."""
    if revision == migrations.head():
        return
    found = MetaData()
    found.reflect(connection)
    found.drop_all(connection)
    migrations.upgrade(connection, revision)


def _fill(
    connection: Connection, lines: Iterator[Any], counts: dict[str, int], path: Path, progress: Progress
) -> dict[str, int]:
    tables = MetaData()
    tables.reflect(connection)
    waiting: list[dict[str, Any]] = []
    found, name, total = Counter[str](), "", sum(counts.values())
    for line in lines:
        if not (
            isinstance(line, list) and len(line) == 2 and line[0] in counts and _fits(line[1], tables.tables[line[0]])
        ):
            raise SetupError(BROKEN.format(path=path, why="有一行读不懂"))
        if waiting and (line[0] != name or len(waiting) == BATCH):
            connection.execute(insert(tables.tables[name]), waiting)
            progress(found.total(), total, name)
            waiting = []
        name = line[0]
        waiting.append(_typed(line[1], tables.tables[name]))
        found[name] += 1
    if waiting:
        connection.execute(insert(tables.tables[name]), waiting)
        progress(found.total(), total, name)
    return dict(found)


def _fits(row: object, table: Table) -> bool:
    return isinstance(row, dict) and set(row) == set(table.columns.keys())


def _typed(row: dict[str, Any], table: Table) -> dict[str, Any]:
    """A row with the values that JSON does not know back in their own type."""
    return {name: _value(value, table.columns[name].type.python_type) for name, value in row.items()}


def _value(value: Any, kind: type) -> Any:
    if not isinstance(value, str) or kind is str:
        return value
    if kind is bytes:
        return base64.b64decode(value)
    return kind.fromisoformat(value) if kind in (date, datetime) else value


def _count_on(connection: Connection) -> None:
    """PostgreSQL numbers new rows by counters of its own, which know nothing of the rows just put in."""
    if connection.dialect.name != "postgresql":
        return
    for table in Base.metadata.sorted_tables:
        for column in inspect(connection).get_columns(table.name):
            if "nextval" in str(column.get("default") or ""):
                what = {"t": table.name, "c": column["name"]}
                name = connection.scalar(text("SELECT pg_get_serial_sequence(:t, :c)"), what)
                last = connection.scalar(select(func.max(table.columns[str(column["name"])])))
                if name and last:
                    connection.execute(text("SELECT setval(:name, :last)"), {"name": name, "last": last})
