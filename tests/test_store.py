"""The store on SQLite and on a real PostgreSQL: whole turns, no forks, held lines, other people's sessions."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from bot.errors import ConflictError, LearnerError, SetupError
from bot.records import Act, Appraisal, Mind, Scenario, Snapshot, Turn, Utterance, Version
from bot.scenarios import Library
from bot.store import Contents, Database, Store


@pytest.fixture
def session_id() -> str:
    return os.urandom(8).hex()


def turn(n: int, text: str = "您别急，慢慢说。") -> Turn:
    mind = Mind(values=dict.fromkeys("AGSXTHCD", 50.0), reason=50, mood=0, stage=2, turn=n)
    return Turn(
        n=n, customer="你谁啊", reply=text, appraisal=Appraisal(), mind=mind,
        act=Act(behaviour="complain", customer_act="complain"), answer=Utterance(text="哼。😀"),
    )  # fmt: skip


def snapshot(scenario: Scenario) -> Snapshot:
    return Snapshot(scenario=scenario, seed=7)


def test_what_is_written_comes_back(url: str, library: Library, session_id: str) -> None:
    store, snap = Store(Database(url)), snapshot(library.scenarios["SC01"])
    store.create(session_id, "甲", snap, "2026-01-01T00:00:00+00:00")
    store.hold(session_id, "一句'话';--")
    assert store.held(session_id) == "一句'话';--"
    store.append(session_id, turn(1))
    again = Store(Database(url))
    assert again.snapshot(session_id, "甲") == snap
    assert again.turns(session_id) == (turn(1),)
    assert again.held(session_id) == ""
    (entry,) = [e for e in again.history("甲") if e.id == session_id]
    assert (entry.turn_count, entry.final) == (1, None)


def test_two_windows_cannot_fork_a_talk(url: str, library: Library, session_id: str) -> None:
    store = Store(Database(url))
    store.create(session_id, "甲", snapshot(library.scenarios["SC01"]), "2026-01-01T00:00:00+00:00")
    outcomes: list[str] = []

    def write(text: str) -> None:
        try:
            store.append(session_id, turn(1, text))
            outcomes.append("stored")
        except ConflictError:
            outcomes.append("conflict")

    threads = [threading.Thread(target=write, args=(f"第{i}个窗口",)) for i in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(outcomes) == ["conflict"] * 5 + ["stored"]
    assert len(store.turns(session_id)) == 1


def test_a_turn_that_fails_halfway_leaves_the_held_line_and_nothing_else(
    url: str, library: Library, session_id: str
) -> None:
    store = Store(Database(url))
    store.create(session_id, "甲", snapshot(library.scenarios["SC01"]), "2026-01-01T00:00:00+00:00")
    store.append(session_id, turn(1))
    store.hold(session_id, "第二句")
    with pytest.raises(ConflictError):
        store.append(session_id, turn(1, "重复的一轮"))
    assert store.held(session_id) == "第二句"
    assert [t.reply for t in store.turns(session_id)] == [turn(1).reply]


def test_other_peoples_sessions_read_as_missing(url: str, library: Library, session_id: str) -> None:
    store = Store(Database(url))
    store.create(session_id, "甲", snapshot(library.scenarios["SC01"]), "2026-01-01T00:00:00+00:00")
    for wrong_id, owner in ((session_id, "乙"), ("' or 1=1 --", "甲")):
        with pytest.raises(LearnerError, match="没有找到"):
            store.snapshot(wrong_id, owner)


def test_sqlite_runs_in_wal_mode(tmp_path: Path) -> None:
    import sqlite3

    Database(f"sqlite:///{tmp_path / 'x.db'}").close()
    with sqlite3.connect(tmp_path / "x.db") as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize("bad", ["nonsense", "mysql+nodriver://x/y", "postgresql://nobody@127.0.0.1:1/none"])
def test_a_wrong_database_is_a_clear_message_without_the_url(bad: str) -> None:
    with pytest.raises(SetupError) as caught:
        Database(bad)
    assert "HUASU_DATABASE_URL" in str(caught.value)


def test_a_corrupt_sqlite_file_is_a_clear_message(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"this is not a database" * 100)
    with pytest.raises(SetupError):
        Database(f"sqlite:///{tmp_path / 'x.db'}")


# ── versions of cases and personas ───────────────────────────────────────────────────────────────────


def version(content_id: str, **change: object) -> Version:
    made = Version(kind="scenario", id=content_id, n=0, status="draft", body={"title": "甲"}, created_at="2026-01-01")
    return made.model_copy(update=change)


def test_a_published_body_can_never_be_written_and_only_one_is_published(url: str, session_id: str) -> None:
    contents, name = Contents(Database(url)), session_id.upper()
    first = contents.add(version(name))
    with pytest.raises(ConflictError):
        contents.add(version(name))
    saved = contents.save(first, {"title": "乙"}, "2026-01-02")
    with pytest.raises(ConflictError):
        contents.save(first, {"title": "丙"}, "2026-01-03")
    live = contents.publish(saved, "老张", "2026-01-04", "上线")
    for stale in (saved, live):
        with pytest.raises(ConflictError):
            contents.save(stale, {"title": "偷改"}, "2026-01-05")
    second = contents.publish(contents.add(version(name)), "老张", "2026-01-06", "第二版")
    assert [(v.n, v.status, v.body["title"]) for v in contents.versions("scenario", name)] == [
        (2, "published", "甲"), (1, "archived", "乙"),
    ]  # fmt: skip
    assert ("scenario", name, second.n) in contents.stamp()
    contents.archive(second, "老张", "2026-01-07", "不用了")
    assert not [s for s in contents.stamp() if s[1] == name] and name in contents.ids("scenario")


def test_two_trainers_publishing_at_once_leave_one_version(url: str, session_id: str) -> None:
    contents, name = Contents(Database(url)), session_id.upper()
    draft = contents.add(version(name))
    outcomes: list[str] = []

    def publish() -> None:
        try:
            contents.publish(draft, "某人", "2026-01-04", "一起")
            outcomes.append("published")
        except (ConflictError, SetupError):
            outcomes.append("refused")

    threads = [threading.Thread(target=publish) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(outcomes) == ["published", "refused", "refused", "refused"]
