"""What a person sets for himself is kept, and a database of an older version grows what it lacks."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from bot.parts import Parts
from bot.settings import get_settings


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
