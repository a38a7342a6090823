"""Databases of every age come to this version's tables, on SQLite and on a real PostgreSQL, and lose nothing."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

from bot.errors import SetupError
from bot.scenarios import Library
from bot.store import Database, Store, migrations
from bot.store.tables import Base
from tests.conftest import ROOT
from tests.test_store import snapshot, turn

COMMAND = 'python -m bot.store.migrations "what changed"'


def shape(url: str) -> dict[str, object]:
    """Tables, columns and indexes as the database itself describes them."""
    found = inspect(Database(url).engine)
    return {
        table: (
            [(c["name"], str(c["type"]), c["nullable"]) for c in found.get_columns(table)],
            sorted((i["name"] or "", *[c or "" for c in i["column_names"]]) for i in found.get_indexes(table)),
            found.get_pk_constraint(table)["constrained_columns"],
        )
        for table in sorted(found.get_table_names())
    }


def by_revisions(url: str) -> None:
    """An empty database taken through every revision, oldest first."""
    engine = Database.engine_for(url)
    with engine.begin() as connection:
        migrations.upgrade(connection)
    engine.dispose()


def test_the_revisions_make_the_tables(empty_url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    by_revisions(empty_url)
    with Database(empty_url).engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    assert not found, f"bot/store/tables.py and the revisions differ. Run: {COMMAND}"


def test_there_is_one_line_of_revisions() -> None:
    files = sorted(f.stem.split("_")[0] for f in (migrations.HERE / "versions").glob("r*.py"))
    assert files == [f"r{n:04d}" for n in range(1, len(files) + 1)], "two revisions with one number: see the docstring"


def test_a_new_database_and_one_that_came_all_the_way_are_the_same(tmp_path: Path) -> None:
    old, new = (f"sqlite:///{tmp_path / name}.db" for name in ("old", "new"))
    by_revisions(old)
    assert shape(old) == shape(new)


def released(url: str, library: Library, missing: tuple[str, ...]) -> None:
    """A database as a version without revisions left it, with a talk in it."""
    engine = Database.engine_for(url)
    with engine.begin() as connection:
        migrations.upgrade(connection, "r0001")
        connection.execute(
            text(
                "INSERT INTO sessions VALUES ('alt', '甲', 'SC01', '标题', 'practice', :snapshot, '2026-01-01', '', 1, "
                "'没说完的话', NULL)"
            ),
            {"snapshot": snapshot(library.scenarios["SC01"]).model_dump_json()},
        )
        connection.execute(text("INSERT INTO turns VALUES ('alt', 1, :turn)"), {"turn": turn(1).model_dump_json()})
        for table in ("alembic_version", *missing):
            connection.execute(text(f"DROP TABLE {table}"))
    engine.dispose()


@pytest.mark.parametrize("missing", [(), ("calls",), ("calls", "debriefs")], ids=["0.1.0", "first calls", "first"])
def test_a_released_database_is_adopted_with_all_it_holds(
    empty_url: str, library: Library, missing: tuple[str, ...]
) -> None:
    released(empty_url, library, missing)
    store = Store(Database(empty_url))
    assert store.turns("alt") == (turn(1),) and store.held("alt") == "没说完的话"
    assert store.calls("alt") == () and store.debrief("alt") == ""
    with Database(empty_url).engine.connect() as connection:
        assert migrations.current(connection) == migrations.head()


def test_replicas_that_start_together_do_not_collide(empty_url: str, library: Library) -> None:
    released(empty_url, library, ("calls",))
    failed: list[Exception] = []

    def start() -> None:
        try:
            Database(empty_url).close()
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=start) for _ in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failed
    assert Store(Database(empty_url)).turns("alt") == (turn(1),)


def test_a_table_that_is_rebuilt_keeps_what_refers_to_it(empty_url: str, library: Library) -> None:
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from sqlalchemy import String

    released(empty_url, library, ())
    database = Database(empty_url)
    assert Store(database).turns("alt") == (turn(1),)
    with migrations.alone(database.engine) as connection:
        op = Operations(MigrationContext.configure(connection))
        with op.batch_alter_table("sessions") as batch:
            batch.alter_column("title", type_=String(300))
    assert Store(database).turns("alt") == (turn(1),)


def test_a_database_of_a_newer_version_is_leftalone(empty_url: str) -> None:
    with Database(empty_url).engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'r9999'"))
    with pytest.raises(SetupError, match="更新版本"):
        Database(empty_url)


def test_a_failing_revision_changes_nothing(empty_url: str, library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    released(empty_url, library, ("calls",))
    real = migrations.upgrade

    def breaks(connection: object, revision: str = "head") -> None:
        real(connection, revision)  # type: ignore[arg-type]
        raise SetupError("停电")

    monkeypatch.setattr(migrations, "upgrade", breaks)
    with pytest.raises(SetupError, match="停电"):
        Database(empty_url)
    assert set(inspect(Database.engine_for(empty_url)).get_table_names()).isdisjoint({"calls", "alembic_version"})


def test_a_start_that_is_up_to_date_does_not_load_alembic(tmp_path: Path) -> None:
    code = (
        "import sys; from bot.store import Database\n"
        f"for _ in range(2): Database('sqlite:///{tmp_path / 'x.db'}').close()\n"
        "sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_the_tables_are_those_a_plain_start_makes(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'x.db'}")
    Database(str(engine.url)).close()
    assert set(inspect(engine).get_table_names()) == {*Base.metadata.tables, "alembic_version"}
