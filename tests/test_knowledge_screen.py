"""The knowledge page: asked, browsed, opened, added to; and what it says when nothing can be found."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from bot import parts as wiring
from bot.screens import knowledge
from tests.conftest import ROOT


def page() -> None:
    from bot.screens import knowledge as screen

    screen.render()


@pytest.fixture
def app(with_index: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("HUASU_DATA_DIR", str(with_index))
    monkeypatch.setenv("HUASU_CONTENT_DIR", str(ROOT))
    from bot.settings import get_settings

    get_settings.cache_clear()
    wiring._shared.cache_clear()
    yield AppTest.from_function(page, default_timeout=60)
    wiring._shared.cache_clear()


def html(app: AppTest) -> str:
    return "".join(str(e.proto.html.body if hasattr(e.proto, "html") else e.proto.body) for e in app.get("html"))


def test_a_question_finds_the_rule_with_its_badges_and_a_way_to_the_whole_text(app: AppTest) -> None:
    app.run()
    app.text_input(key="kb-query").set_value("晚上十点还能给客户打电话吗").run()
    assert not app.exception
    shown = html(app)
    assert "?doc=R04" in shown and "推荐性标准" in shown and "确信度" in shown
    assert '<mark class="good">' in shown


def test_a_document_opens_by_its_id_and_a_gone_one_says_so(app: AppTest) -> None:
    app.query_params["doc"] = "R13"
    app.run()
    assert "征信" in html(app) and not app.exception
    app.query_params["doc"] = "R13<script>"
    app.run()
    assert "没有这份文件" in app.warning[0].value and not app.exception


def test_every_shelf_can_be_browsed_and_what_cases_hide_is_not_there(app: AppTest) -> None:
    app.run()
    labels = [e.label for e in app.expander]
    assert any(label.startswith("法规与红线") for label in labels)
    assert "仲裁" not in html(app)


def test_the_words_asked_for_are_marked_and_nothing_else_changes() -> None:
    parts = knowledge.marked("夜里十点不打电话<b>", "晚上十点打电话")
    assert "".join(p["text"] for p in parts) == "夜里十点不打电话<b>"
    assert [p["text"] for p in parts if p["hit"]] == ["十点", "打电话"]
