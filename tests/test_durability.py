"""The database goes wrong under a talk: locked, full, read-only, gone and back. Nothing said is lost, nothing is half."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import SetupError
from bot.parts import Parts
from bot.session import Session
from bot.settings import get_settings
from bot.store import Database, Store
from evals import faults
from evals.faults import Found
from tests.conftest import ROOT, new_postgres
from tests.fakes import make_parts

LINE, NEXT = "您好，您慢慢说，我听着。", "您接着说，我记下来。"


def file_of(parts: Parts) -> Path:
    return parts.settings.data_dir.resolve() / "huasu.db"


def whole(parts: Parts, session_id: str, said: list[str], held: str = "") -> Session:
    """The talk holds exactly this; it goes on, and its report recomputes."""
    found = Found()
    session = faults.whole(parts, session_id, found)
    assert [t.reply for t in session.turns] == said and session.held == held
    session.say(NEXT)
    faults.recomputes(session, found)
    assert not found.broken
    return session


def impatient(parts: Parts) -> Parts:
    """The same, without waiting twenty seconds for a locked database."""
    database = Database(parts.settings.database)
    from sqlalchemy import event

    event.listen(database.engine, "connect", lambda c, _r: c.execute("PRAGMA busy_timeout=50"))
    database.engine.dispose()
    return replace(parts, database=database, store=Store(database))


def test_a_locked_database_says_so_and_the_talk_goes_on_after(parts: Parts) -> None:
    session = Session.start(impatient(parts), "SC01")
    session.say(LINE)
    lock = sqlite3.connect(file_of(parts))
    lock.execute("BEGIN IMMEDIATE")
    with pytest.raises(SetupError, match="正忙"):
        session.say("这一句碰上锁了。")
    lock.rollback()
    lock.close()
    whole(parts, session.id, [LINE])


def test_locked_between_the_line_and_its_answer_keeps_the_line(parts: Parts) -> None:
    parts = impatient(parts)
    lock = sqlite3.connect(file_of(parts), check_same_thread=False)

    class Locking:
        def speak(self, cue: object) -> object:
            lock.execute("BEGIN IMMEDIATE")
            return parts.voice.speak(cue)  # type: ignore[arg-type]

    session = Session.start(replace(parts, voice=Locking()), "SC01")  # type: ignore[arg-type]
    with pytest.raises(SetupError, match="您写的话还在"):
        session.say(LINE)
    lock.rollback()
    lock.close()
    whole(parts, session.id, [], held=LINE)


FULL = """
import resource, signal, sys
from pathlib import Path
from tests.fakes import make_parts
from bot.session import Session
from bot.errors import SetupError
parts = make_parts(Path(sys.argv[1]), Path.cwd())
session = Session.start(parts, "SC01")
print(session.id, flush=True)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
biggest = max(f.stat().st_size for f in Path(sys.argv[1]).glob("huasu.db*"))
resource.setrlimit(resource.RLIMIT_FSIZE, (biggest + 200_000, biggest + 200_000))
for n in range(60):
    try:
        session.say(f"第{n}句，您慢慢说。")
    except SetupError as error:
        print(error, flush=True)
        break
    print(f"stored {n}", flush=True)
"""


def test_a_full_disk_says_so_and_leaves_whole_turns(tmp_path: Path) -> None:
    folder = tmp_path / "full"
    env = {**os.environ, "HUASU_DATABASE_URL": ""}
    out = subprocess.run(
        [sys.executable, "-c", FULL, str(folder)], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    stored = [line for line in out if line.startswith("stored")]
    assert 0 < len(stored) < 60 and "磁盘" in out[-1], out
    parts = make_parts(folder, ROOT)
    session = faults.whole(parts, out[0], found := Found())
    assert not found.broken and len(session.turns) == len(stored)
    assert session.held in ("", f"第{len(stored)}句，您慢慢说。")
    if not session.ended:
        session.say(NEXT)


def test_a_read_only_database_says_so(parts: Parts) -> None:
    from sqlalchemy import event

    session = Session.start(parts, "SC01")
    session.say(LINE)
    stuck = Database(parts.settings.database)
    event.listen(stuck.engine, "connect", lambda c, _r: c.execute("PRAGMA query_only=ON"))
    stuck.engine.dispose()
    with pytest.raises(SetupError, match="只读"):
        Session.resume(replace(parts, database=stuck, store=Store(stuck)), session.id).say("这一句写不进去。")
    whole(parts, session.id, [LINE])


def test_a_server_that_goes_away_and_comes_back(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg

    url = new_postgres(postgres_url)
    monkeypatch.setenv("HUASU_DATABASE_URL", url)
    parts = make_parts(tmp_path / "data", ROOT)
    name = url.rsplit("/", 1)[1].split("?")[0]

    class Cutting:
        def speak(self, cue: object) -> object:
            with psycopg.connect(postgres_url, autocommit=True) as admin:
                admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
                admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
            return parts.voice.speak(cue)  # type: ignore[arg-type]

    session = Session.start(replace(parts, voice=Cutting()), "SC01")  # type: ignore[arg-type]
    with pytest.raises(SetupError):
        session.say(LINE)
    with pytest.raises(SetupError):
        parts.database.ping()
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    whole(parts, session.id, [], held=LINE)


def test_a_clock_that_jumps_changes_no_talk(parts: Parts) -> None:
    times = iter(["2031-01-01T00:00:00+00:00", "1999-01-01T00:00:00+00:00", *["2026-01-01T00:00:00+00:00"] * 9])
    jumping = replace(parts, clock=lambda: next(times))
    session = Session.start(jumping, "SC01")
    session.say(LINE)
    steady = Session.start(parts, "SC01")
    steady.say(LINE)
    assert session.mind == steady.mind and session.turns[0].answer == steady.turns[0].answer
    whole(jumping, session.id, [LINE])


def test_an_index_that_breaks_under_a_talk_costs_passages_and_nothing_else(with_index: Path) -> None:
    opened = Parts.open(get_settings())
    session = Session.start(opened, "SC01")
    assert session.say(LINE).passages
    for file in (with_index / "index").rglob("*"):
        if file.is_file():
            file.write_bytes(b"garbage")
    session.say("库坏了，话还得接着说。")
    assert len(Session.resume(Parts.open(get_settings()), session.id).turns) == 2


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_killed_at_random_moments(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'k.db'}"
    if kind == "postgresql":
        url = new_postgres(request.getfixturevalue("postgres_url"))
    command = [sys.executable, "-m", "evals.faults", "kill", "--times", "12", "--seed", "3", "--database", url]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ}, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "破坏的承诺 0" in done.stdout, done.stdout + done.stderr


def test_random_clicks_in_two_windows(url: str, tmp_path: Path) -> None:
    found = faults.clicks(faults.opened(url, tmp_path), 15, seed=5)
    assert not found.broken and found.seen["say"] > 15 and found.seen["refused"]
