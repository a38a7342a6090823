"""The choose page with every case, and what surrounds the one that can turn to a crisis."""

from __future__ import annotations

import pytest

from bot.parts import Parts
from bot.session import Session
from bot.settings import get_settings
from tests.test_screens import _choose, _report, _talk, html, opened, words


@pytest.fixture
def parts() -> Parts:
    return Parts.open(get_settings())


def test_every_case_has_a_card_under_its_module_and_can_be_found(parts: Parts) -> None:
    app = opened(_choose)
    assert not app.exception
    page = words(app)
    assert all(f"open-{s}" in {b.key for b in app.button} for s in parts.library.scenarios if s != "SC01")
    assert all(name in page for name in ("模块一", "模块二", "模块三", "模块四", "模块五", "模块六"))
    app.text_input(key="find").set_value("征信").run()
    found = {b.key for b in app.button if str(b.key).startswith("open-")}
    assert {"open-SC25", "open-SC30", "open-SC31"} <= found and len(found) < 10
    app.text_input(key="find").set_value("没有这样的客户").run()
    assert any("没有符合的场景" in i.value for i in app.info)
    app.text_input(key="find").set_value("")
    app.selectbox(key="level").set_value("很难").run()
    assert {b.key for b in app.button if str(b.key).startswith("open-")} == {"open-SC08", "open-SC30"}


def test_only_tempers_that_fit_are_offered(parts: Parts) -> None:
    offered = set(opened(_choose).selectbox(key="persona-SC01").options)
    assert "暴躁型" in offered and not {"老年型", "商人型", "群诉领头型"} & offered


def test_help_and_the_way_out_are_on_the_page_of_a_customer_at_risk_and_nowhere_else(parts: Parts) -> None:
    app = opened(_talk, Session.start(parts, "SC30", confirmed=True).id)
    assert not app.exception and "12356" in html(app)
    app.button(key="stop").click().run()
    assert app.session_state["went"][0] == "choose"
    calm = opened(_talk, Session.start(parts, "SC01").id)
    assert "12356" not in html(calm) and "stop" not in {b.key for b in calm.button}


def test_the_look_back_comes_before_the_report(parts: Parts) -> None:
    session = Session.start(parts, "SC30", confirmed=True)
    session.say("征信是人行管的，改不了，您先把钱还上再说。")
    app = opened(_report, session.id)
    assert not app.exception
    assert "先停一下" in html(app) and "情绪曲线" not in words(app)
    assert next(b for b in app.button if b.label == "写好了，看报告").disabled
    app.text_area(key="debrief").set_value("先叫他的名字，问他是不是不想活了。").run()
    next(b for b in app.button if b.label == "写好了，看报告").click().run()
    assert not app.exception and "情绪曲线" in words(app)
    assert parts.store.debrief(session.id) == "先叫他的名字，问他是不是不想活了。"
