"""工坊 through Streamlit's own harness: from a pasted record to a published case, and what may go wrong on the way."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from bot.parts import Parts
from bot.records import LOCAL_ACTOR
from bot.session import Session
from bot.settings import get_settings
from bot.workshop import Workshop, regress
from tests.test_screens import html, words
from tests.test_workshop_intake import PERSONAL, RECORD


def _workshop() -> None:
    from bot.screens import frame, workshop

    frame.guarded(workshop.render)


def _choose() -> None:
    from bot.screens import choose, frame

    frame.guarded(choose.render)


@pytest.fixture
def desk(tmp_path: Path) -> Workshop:
    return Workshop(Parts.open(get_settings()), LOCAL_ACTOR)


def opened(**address: str) -> AppTest:
    app = AppTest.from_function(_workshop, default_timeout=120)
    for key, value in address.items():
        app.query_params[key] = value
    return app.run()


def button(app: AppTest, label: str) -> AppTest:
    next(b for b in app.button if b.label == label).click().run()
    assert not app.exception, app.exception
    return app


def test_the_list_shows_every_case_and_persona_with_its_standing(desk: Workshop) -> None:
    desk.copied("scenario", "SC01")
    app = opened()
    assert not app.exception
    page = words(app)
    assert "本行的" in page and "草稿" in page and "WS01" in page
    assert all(s.title in page for s in desk.library.scenarios.values())
    assert "暴躁型" in words(opened(kind="persona"))


def test_from_a_pasted_record_to_a_published_case(desk: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regress, "SEEDS", (0,))
    app = button(opened(), "新建")
    app.text_area(key="record").set_value(RECORD)
    button(app, "整理成草稿")
    page = words(app) + "".join(str(t.value) for t in app.get("text"))
    assert "已打码" in page and not [p for p in PERSONAL if p in page]
    button(app, "核对好了，建成草稿")
    draft = desk.draft("scenario", "WS01")
    assert draft is not None and "没有问题" in "".join(s.value for s in app.success)
    app.session_state["tab-scenario-WS01-True"] = "回归与发布"
    app.run()
    button(app, "跑回归")
    assert "做得好的学员" in html(app)
    button(app, "发布")
    assert any("为什么" in w.value for w in app.warning), "no reason, no version"
    app.text_input(key=f"why-WS01-{draft.n}").set_value("上周的投诉").run()
    button(app, "发布")
    assert Session.start(desk.parts, "WS01").snapshot.scenario.profile.job == "货车司机"
    page = words(AppTest.from_function(_choose, default_timeout=120).run())
    assert "本行自建场景" in page and draft.body["title"] in page


def test_what_is_typed_is_saved_and_what_is_wrong_is_said_under_the_field(desk: Workshop) -> None:
    draft = desk.copied("scenario", "SC01")
    app = opened(kind="scenario", id=draft.id)
    assert not app.exception
    key = f"ws-scenario-{draft.id}-1-0"
    app.text_input(key=f"{key}-title").set_value("新的标题").run()
    app.slider(key=f"{key}-init.A").set_value(95).run()
    kept = desk.draft("scenario", draft.id)
    assert kept is not None and kept.body["title"] == "新的标题" and kept.body["init"]["A"] == 95
    assert any(m.value.startswith(":red") and "火气" in m.value for m in app.markdown)
    assert not [b for b in app.button if b.label == "和他聊聊"], "a draft that is not sound cannot be tried"
    app.slider(key=f"{key}-init.A").set_value(60).run()
    assert [b for b in app.button if b.label == "和他聊聊"]


def test_opening_a_form_changes_nothing(desk: Workshop) -> None:
    """What the form reads back from an untouched body is that body, for every case and persona there is."""
    for kind, ids in (
        ("scenario", ("SC01", "SC05", "SC20", "SC30", "SC38")),
        ("persona", ("agent", "merchant", "ringleader")),
    ):
        for content_id in ids:
            desk.revise(kind, content_id)  # type: ignore[arg-type]
            app = opened(kind=kind, id=content_id)
            assert not app.exception, (content_id, app.exception)
            draft = desk.draft(kind, content_id)  # type: ignore[arg-type]
            assert draft is not None and draft.rev == 0, content_id


def test_a_trial_talk_shows_the_mind_and_takes_a_word_on_a_line(desk: Workshop) -> None:
    draft = desk.copied("scenario", "SC01")
    app = button(opened(kind="scenario", id=draft.id), "和他聊聊")
    next(t for t in app.text_area if t.label == "" or "trial-reply" in str(t.key)).set_value(
        "您逾期47天了，今天能还多少？"
    )
    button(app, "发送")
    page = words(app) + html(app)
    assert "这一句在做" in page and "火气" in page and "舞台指示" in "".join(t.value for t in app.get("text"))
    why = next(t for t in app.text_input if t.key and str(t.key).endswith("-why") and str(t.key).startswith("op-"))
    why.set_value("她不会这样说话")
    button(app, "记成一条原则")
    kept = desk.draft("scenario", draft.id)
    assert kept is not None and kept.body["principles"][0]["name"] == "不像：她不会这样说话"
    assert any("草稿改过了" in i.value for i in app.info)
    button(app, "用改过的重放这些话")
    assert "改之后" in html(app)


def test_yaml_is_applied_and_refused_with_a_reason(desk: Workshop) -> None:
    draft = desk.copied("persona", "joker")
    app = opened(kind="persona", id=draft.id)
    app.session_state[f"how-{draft.id}"] = "YAML"
    app.run()
    area = next(t for t in app.text_area if "-yaml-" in str(t.key))
    area.set_value("a: &a [1]\nb: *a\n")
    button(app, "应用")
    assert any("引用" in e.value for e in app.error)
    area = next(t for t in app.text_area if "-yaml-" in str(t.key))
    area.set_value("name: 甲\ndescription: 乙\nstyle: 不是一列\n")
    button(app, "应用")
    assert any("style" in e.value and "应是一列" in e.value for e in app.error)
    area = next(t for t in app.text_area if "-yaml-" in str(t.key))
    area.set_value("id: own-a\nname: 新名字\ndescription: 新的\nstyle: [慢]\n")
    button(app, "应用")
    kept = desk.draft("persona", draft.id)
    assert kept is not None and kept.body["name"] == "新名字"


def test_versions_can_be_rolled_back_in_the_page(desk: Workshop) -> None:
    first = desk.copied("scenario", "SC01")
    desk.publish(first, "第一次")
    second = desk.revise("scenario", first.id)
    desk.publish(desk.save(second, {**second.body, "title": "第二版的标题"}), "第二次")
    app = opened(kind="scenario", id=first.id)
    app.session_state[f"tab-scenario-{first.id}-False"] = "版本"
    app.run()
    assert "第一次" in html(app) and "第二次" in html(app) and "第二版的标题" in html(app)
    app.text_input(key="act-why-1").set_value("学员看不懂").run()
    app.button(key="act-1").click().run()
    assert not app.exception and desk.versions("scenario", first.id)[0].n == 3


def test_markup_in_names_stays_text(desk: Workshop) -> None:
    draft = desk.copied("scenario", "SC01")
    desk.save(draft, {**draft.body, "title": "<img src=x onerror=alert(1)>![x](http://evil/x.png)"})
    for app in (opened(), opened(kind="scenario", id=draft.id)):
        assert not app.exception
        assert "<img src=x" not in html(app) and not any("](http" in m.value for m in app.markdown)


def test_an_unknown_id_is_handled(desk: Workshop) -> None:
    app = opened(kind="scenario", id="WS77")
    assert not app.exception and any("可能已经删除" in i.value for i in app.info)
