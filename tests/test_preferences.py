"""What a person sets for himself is kept, and a database of an older version grows what it lacks."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from streamlit.testing.v1 import AppTest

from bot.parts import Parts
from bot.session import Session
from bot.settings import get_settings
from bot.store import Database, Store


def _switch() -> None:
    import streamlit as st

    from bot.screens import frame

    frame.low_anxiety_toggle()
    st.markdown("words" if frame.low_anxiety() else "numbers")


def test_words_instead_of_numbers_is_remembered_for_one_person(parts: Parts) -> None:
    Parts.open(get_settings())
    app = AppTest.from_function(_switch, default_timeout=60).run()
    assert app.markdown[0].value == "numbers"
    app.toggle[0].set_value(True).run()
    assert app.markdown[0].value == "words"
    again = AppTest.from_function(_switch, default_timeout=60).run()
    assert again.toggle[0].value is True and again.markdown[0].value == "words"
    assert parts.preferences.get("somebody-else", "low-anxiety") == ""


def test_a_database_of_an_older_version_gains_what_it_lacks_and_loses_nothing(parts: Parts, tmp_path: Path) -> None:
    session = Session.start(parts, "SC01")
    session.say("您先说，我听着。")
    file = tmp_path / "data" / "huasu.db"
    parts.database.close()
    with sqlite3.connect(file) as old:
        old.execute("DROP INDEX one_exam_each")
        for column in ("hints", "parent", "parent_turn", "assignment"):
            old.execute(f"ALTER TABLE sessions DROP COLUMN {column}")
    old.close()
    grown = Store(Database(f"sqlite:///{file}"))
    assert [t.reply for t in grown.turns(session.id)] == ["您先说，我听着。"]
    assert grown.hints(session.id) == () and grown.entry(session.id, "local").parent == ""
