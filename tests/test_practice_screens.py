"""The pages of practice, exam and gates through Streamlit's harness: help that is marked, second tries, nothing in exams."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from pypdf import PdfReader
from streamlit.testing.v1 import AppTest

from bot import export
from bot.parts import Parts
from bot.session import Session
from bot.settings import get_settings
from tests.test_screens import EMPATHY, _choose, _report, _talk, opened, words

WALL = "规定就是这样，我们也没办法。"
SOFT = "您不是不还，您是想有个喘口气的时间，是不是？"


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return Parts.open(get_settings())


def labels(app: AppTest) -> list[str]:
    return [b.label for b in app.button]


def talked(parts: Parts, *lines: str, **start: str) -> Session:
    session = Session.start(parts, "SC01", **start)  # type: ignore[arg-type]
    for line in lines:
        session.say(line)
    return session


def test_a_hint_is_given_on_request_and_the_attempt_says_so(parts: Parts) -> None:
    session = talked(parts)
    app = opened(_talk, session.id)
    assert "有提示" not in words(app) and "先接住这一句" not in words(app)
    app.button(key="hint").click().run()
    assert not app.exception and "先接住这一句" in words(app) and "有提示（1 次）" in words(app)
    assert "可以这样开头" not in words(app)
    app.button(key="hint").click().run()
    assert "可以这样开头" in words(app) and "hint" not in [b.key for b in app.button]
    session.say(EMPATHY)
    session.finish()
    assert "有提示（2 次）" in words(opened(_report, session.id)) and "有提示" in words(opened(_choose))


def test_a_turn_is_said_again_and_both_ways_stand_side_by_side(parts: Parts) -> None:
    session = talked(parts, EMPATHY, WALL)
    app = opened(_talk, session.id)
    app.button(key="again").click().run()
    again = app.session_state["went"][1]
    assert again != session.id and len(Session.resume(parts, session.id).turns) == 2
    retold = Session.resume(parts, again)
    assert [t.reply for t in retold.turns] == [EMPATHY]
    retold.say(SOFT)
    page = words(opened(_talk, again))
    for piece in ("重说（从第 2 轮起）", WALL, SOFT, "差在哪里"):
        assert piece in page, piece
    retold.finish()
    session.finish()
    for one in (session.id, again):
        page = words(opened(_report, one))
        assert "原来和重说" in page and WALL in page and SOFT in page and "总分" in page
    assert "重说（从第 2 轮起）" in words(opened(_choose))


def test_the_report_leads_to_a_drill_and_back_to_a_turn(parts: Parts) -> None:
    session = talked(parts, "您先冷静。", WALL)
    session.finish()
    app = opened(_report, session.id)
    assert not app.exception
    page = words(app)
    assert "峰" in page and "终" in page and session.snapshot.id in page and "压得太狠" in page and "让得太多" in page
    app.button(key="drill-1").click().run()
    drill = Session.resume(parts, app.session_state["went"][1])
    assert drill.snapshot.mode == "practice" and drill.snapshot.scenario.id != "SC01"
    app = opened(_report, session.id)
    app.button(key="again-1").click().run()
    assert Session.resume(parts, app.session_state["went"][1]).entry.parent == session.id


def test_an_exam_offers_no_help_until_it_is_over(parts: Parts) -> None:
    session = talked(parts, EMPATHY, mode="exam")
    app = opened(_talk, session.id)
    assert session.snapshot.id in words(app)
    assert not {"给我一个提示", "从这里重说"} & set(labels(app)) and "教练" not in words(app)
    session.finish()
    after = opened(_report, session.id)
    assert "情绪曲线" in words(after) and "从这一轮重说" not in labels(after)


def test_gates_are_offered_where_they_are_and_show_where_one_stands(parts: Parts) -> None:
    choose = opened(_choose)
    assert not any("闯关" in o for o in choose.selectbox(key="mode-SC01").options)
    session = Session.start(parts, "SC38", mode="gate")
    session.say(session.snapshot.scenario.exemplary)
    page = words(opened(_talk, session.id))
    assert "五步闯关" in page and 'aria-current="step"' in page and "过了第 1 关" in page
    assert "给我一个提示" not in labels(opened(_talk, session.id))
    session.finish()
    assert "第 1 轮过关" in words(opened(_report, session.id))


def test_words_instead_of_numbers(parts: Parts) -> None:
    session = talked(parts, EMPATHY)
    parts.preferences.put("local", "low-anxiety", "on")
    page = words(opened(_talk, session.id))
    assert not re.search(r"愤怒 \d|信任 \d", page) and re.search("气头上|消了一些|缓下来|平静了", page)
    session.finish()
    report = words(opened(_report, session.id))
    shown = re.sub(r"<[^>]*>|base64,[^\"]*", "", report)
    assert "分 ·" not in shown and "（满意度" not in shown and not re.search(r"(^|[ （])[+-]\d|\d 分", shown)


def test_every_export_carries_the_marks_and_the_snapshot(parts: Parts) -> None:
    session = talked(parts, "您先冷静。")
    session.hint()
    session.say(EMPATHY)
    report = session.finish()
    again = session.rewind(2)
    again.say(SOFT)
    again.finish()
    html = export.of_session("html", session, report).decode()
    assert "有提示（1 次）" in html and session.snapshot.id in html and SOFT in html and "<script" not in html
    rows = list(csv.DictReader(io.StringIO(export.of_session("csv", session, report).decode("utf-8-sig"))))
    assert [r["提示"] for r in rows] == ["", "有提示"] and all("有提示（1 次）" in r["标注"] for r in rows)
    assert {r["快照"] for r in rows} == {session.snapshot.id}
    data = json.loads(export.of_session("json", session, report))
    assert data["final"] == report.final and data["attempt"]["snapshot"] == session.snapshot.id
    assert data["attempt"]["assisted"] and data["attempt"]["hinted_turns"] == [2]
    assert data["attempt"]["forks"][0]["again"] == again.id
    retold = json.loads(export.of_session("json", again, again.finish()))
    assert retold["attempt"]["parent"] == session.id and "重说（从第 2 轮起）" in retold["attempt"]["marks"]


def test_the_pdf_embeds_its_own_chinese_font_and_reads_as_chinese(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.pdf._RARE", ())  # a machine without any Chinese font
    session = talked(parts, "您先冷静。")
    session.hint()
    session.say("我保证给您全免，您放心。")
    pdf = PdfReader(io.BytesIO(export.of_session("pdf", session, session.finish())))
    text = "".join(page.extract_text() for page in pdf.pages).replace("\n", "").replace("\x00", "")
    for piece in ("有提示", session.snapshot.id, "您先冷静", "情绪曲线", "未通过"):
        assert piece in text, piece
    embedded = [
        font["/DescendantFonts"][0].get_object()["/FontDescriptor"]
        for page in pdf.pages for font in (f.get_object() for f in page["/Resources"]["/Font"].values())
    ]  # fmt: skip
    assert embedded and all({"/FontFile2", "/FontFile3"} & set(d) for d in embedded)


def test_a_twelve_turn_report_and_its_pdf_come_in_time(parts: Parts) -> None:
    import time

    session = Session.start(parts, "SC17")
    while len(session.turns) < 12 and not session.ended:
        session.say(f"您第{len(session.turns) + 1}回跟我说这件事，跑来跑去换谁都累，我听着，您接着说。")
    began = time.perf_counter()
    report = session.finish()
    assert time.perf_counter() - began < 1.0 and len(report.turns) == 12
    began = time.perf_counter()
    export.of_session("pdf", session, report)
    assert time.perf_counter() - began < 5.0
