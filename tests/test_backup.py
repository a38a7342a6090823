"""Backups, moves between databases, retention and one person's data: what goes in comes out, and nothing else goes."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from bot.cli import app
from bot.errors import HuasuError, LearnerError, SetupError
from bot.model import Call
from bot.scenarios import Library
from bot.store import Database, People, Store, load, migrations, save
from bot.store.backup import rows_by_table
from bot.store.people import NOBODYS, OF_A_PERSON
from bot.store.tables import Base
from tests.conftest import new_postgres
from tests.test_store import snapshot, turn

ODD = "一句'话';--\n\t😀\\u0000\u2028"


def quiet(_done: int, _total: int, _what: str) -> None:
    """No progress."""


def call(session: str) -> Call:
    return Call(session=session, purpose="voice", model="m", messages=(), answer=ODD, error="", attempts=1, seconds=0.1,
                first_seconds=0.1, prompt_tokens=1, answer_tokens=1, cost=0.0, estimated=True, cached=False, at=1.5)  # fmt: skip


def filled(url: str, library: Library, owners: tuple[str, ...] = ("甲", "乙"), year: int = 2026) -> Database:
    database = Database(url)
    store = Store(database)
    for owner in owners:
        talk = f"{owner}{year}"
        store.create(talk, owner, snapshot(library.scenarios["SC01"]), f"{year}-01-01T00:00:00+00:00")
        for n in (1, 2):
            store.append(talk, turn(n, f"{ODD}{n}"))
        store.hold(talk, ODD)
        store.save_call(call(talk))
        store.save_debrief(talk, ODD, "2026-01-01")
    return database


@pytest.fixture
def other_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    def make(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path / 'other.db'}"
        return new_postgres(request.getfixturevalue("postgres_url"))

    return make


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
def test_a_backup_restored_on_either_database_is_the_same(
    empty_url: str, target: str, other_url: Callable[[str], str], library: Library, tmp_path: Path
) -> None:
    database = filled(empty_url, library)
    seen: list[tuple[int, int]] = []
    counts = save(database, tmp_path / "b.gz", "2026-01-01", lambda d, t, _w: seen.append((d, t)))
    assert counts["turns"] == 4 and counts["calls"] == 2 and seen[-1][0] == seen[-1][1] == sum(counts.values())
    assert (tmp_path / "b.gz").stat().st_mode & 0o077 == 0, "what people said is not for everybody on the machine"
    there = Database(other_url(target))
    assert load(there, tmp_path / "b.gz", quiet) == counts
    old, new = Store(database), Store(there)
    for talk in ("甲2026", "乙2026"):
        assert new.turns(talk) == old.turns(talk) and new.held(talk) == ODD and new.calls(talk) == old.calls(talk)
        assert new.snapshot(talk, talk[0]) == old.snapshot(talk, talk[0]) and new.debrief(talk) == ODD
    new.save_call(call("甲2026"))  # numbering goes on where it was
    assert len(new.calls("甲2026")) == 2


def test_what_is_written_meanwhile_does_not_tear_a_backup(empty_url: str, library: Library, tmp_path: Path) -> None:
    database = filled(empty_url, library)
    writer = Store(Database(empty_url))

    def meanwhile(_done: int, _total: int, _table: str) -> None:
        writer.append("甲2026", turn(len(writer.turns("甲2026")) + 1))

    assert save(database, tmp_path / "b.gz", "", meanwhile)["turns"] == 4
    assert len(writer.turns("甲2026")) > 2
    fresh = Database(f"sqlite:///{tmp_path / 'fresh.db'}")
    assert load(fresh, tmp_path / "b.gz", quiet)["turns"] == 4


def test_nothing_is_overwritten(empty_url: str, library: Library, tmp_path: Path) -> None:
    database = filled(empty_url, library)
    save(database, tmp_path / "b.gz", "", quiet)
    before = (tmp_path / "b.gz").read_bytes()
    with pytest.raises(LearnerError, match="已经存在"):
        save(database, tmp_path / "b.gz", "", quiet)
    assert (tmp_path / "b.gz").read_bytes() == before
    with pytest.raises(LearnerError, match="空库"):
        load(database, tmp_path / "b.gz", quiet)
    assert len(Store(database).turns("甲2026")) == 2


def damaged(content: bytes) -> dict[str, bytes]:
    lines = gzip.decompress(content).decode().split("\n")[:-1]

    def packed(*kept: str) -> bytes:
        return gzip.compress("\n".join(kept).encode())

    stranger = json.dumps(["sessions", {"id": "x"}])
    return {
        "cut": content[: len(content) // 2],
        "a row less": packed(*lines[:-1]),
        "a row twice": packed(*lines, lines[-1]),
        "a flipped byte": content[:200] + bytes([content[200] ^ 255]) + content[201:],
        "columns missing": packed(*lines[:-1], stranger),
        "a table unknown": packed(*lines[:-1], json.dumps(["passwords", {}])),
        "not a backup": b"PK\x03\x04 something else",
        "not json": packed("{"),
        "empty": b"",
        "another head": packed(json.dumps({"huasu": 2})),
        "a newer version": packed(lines[0].replace(migrations.head(), "r9999"), *lines[1:]),
    }


def test_a_damaged_backup_restores_nothing_and_says_so(empty_url: str, library: Library, tmp_path: Path) -> None:
    save(filled(f"sqlite:///{tmp_path / 'from.db'}", library), tmp_path / "b.gz", "", quiet)
    target = Database(empty_url)
    for name, content in damaged((tmp_path / "b.gz").read_bytes()).items():
        bad = tmp_path / "bad.gz"
        bad.write_bytes(content)
        with pytest.raises(HuasuError, match=r"恢复|升级|数据库出错"):
            load(target, bad, quiet)
        with target.engine.connect() as connection:
            assert not sum(rows_by_table(connection).values()), name


def test_a_backup_of_an_older_version_comes_to_this_one(
    empty_url: str, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(empty_url)
    monkeypatch.setattr(migrations, "head", lambda: "later")  # so that r0001 counts as old
    row = {"session_id": "x", "id": 1, "payload": call("x").model_dump(mode="json")}
    head = {"huasu": 1, "revision": "r0001", "tables": {"calls": 1, "gone": 0}}
    content = f"{json.dumps(head)}\n{json.dumps(['calls', row])}\n"
    (tmp_path / "old.gz").write_bytes(gzip.compress(content.encode()))
    load(database, tmp_path / "old.gz", quiet)
    assert Store(database).calls("x") == (call("x"),)
    with database.engine.connect() as connection:
        assert migrations.current(connection) == migrations.revisions()[-1]


def test_every_table_is_somebodys_or_nobodys() -> None:
    for table in Base.metadata.sorted_tables:
        belongs = {"owner", "session_id"} & set(table.columns.keys()) or table.name in NOBODYS | OF_A_PERSON.keys()
        assert belongs, f"{table.name}: give it an owner or session_id column, or name it in bot/store/people.py"


def test_a_person_is_deleted_everywhere_and_nobody_else_is(empty_url: str, library: Library) -> None:
    database = filled(empty_url, library)
    people = People(database)
    assert people.taken_out("甲")["turns"][1]["payload"]["reply"] == f"{ODD}2"
    assert people.count("甲") == people.count("乙") == people.delete("甲")
    assert people.count("甲") == {} == people.taken_out("甲")
    assert len(Store(database).turns("乙2026")) == 2 and len(Store(database).calls("乙2026")) == 1
    with database.engine.connect() as connection:
        for table in ("turns", "calls", "grades", "reports", "debriefs"):
            assert not connection.scalar(text(f"SELECT count(*) FROM {table} WHERE session_id = '甲2026'"))


def test_old_talks_go_with_all_that_belongs_to_them(empty_url: str, library: Library) -> None:
    database = filled(filled(empty_url, library, year=2020).engine.url.render_as_string(False), library)
    gone = People(database).forget("2025-06-01")
    assert gone["sessions"] == 2 and gone["turns"] == 4 and gone["calls"] == 2
    assert {e.id for e in Store(database).history("甲")} == {"甲2026"}
    assert len(Store(database).turns("甲2026")) == 2


def test_the_commands(tmp_path: Path, library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.settings import get_settings

    filled(get_settings().database, library, year=2020)
    run = CliRunner().invoke
    file = str(tmp_path / "b.gz")
    assert run(app, ["backup", file]).exit_code == 0
    assert "不会覆盖" in run(app, ["backup", file]).output
    assert run(app, ["person", "export", "甲", "--out", str(tmp_path / "甲.json")]).exit_code == 0
    assert ODD in json.loads((tmp_path / "甲.json").read_text("utf-8"))["sessions"][0]["held"]
    refused = run(app, ["person", "delete", "甲"])
    assert refused.exit_code == 1 and "--yes" in refused.output and "轮次 2" in refused.output
    assert run(app, ["person", "delete", "甲", "--yes"]).exit_code == 0
    assert "没有 甲 的任何记录" in run(app, ["person", "delete", "甲", "--yes"]).output
    assert run(app, ["retain", "--days", "30"]).exit_code == 1
    assert "演练 1" in run(app, ["retain", "--days", "30", "--yes"]).output
    monkeypatch.setenv("HUASU_DATABASE_URL", f"sqlite:///{tmp_path / 'new.db'}")
    get_settings.cache_clear()
    assert "逐表核对无误" in run(app, ["restore", file]).output
    assert len(Store(Database(get_settings().database)).turns("甲2020")) == 2
    assert run(app, ["restore", file]).exit_code == 1


def test_a_backup_that_cannot_be_written_says_so(library: Library, tmp_path: Path) -> None:
    database = filled(f"sqlite:///{tmp_path / 'x.db'}", library)
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="写不了"):
        save(database, tmp_path / "file" / "b.gz", "", quiet)
